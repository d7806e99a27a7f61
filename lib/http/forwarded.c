/* lib/http/forwarded.c - who asks, when proxies stand between.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/forwarded.h"

#include <string.h>

enum { HOPS_MAX = 32, NODE_BYTES = 64, V6_KEPT = 8 };

/* An address without more, as cidr_parse() would take it among others. */
static bool read_address(struct span text, struct cidr_address *out)
{
	struct cidr c;

	if (text.len == 0 || memchr(text.ptr, '/', text.len) || !cidr_parse(text, &c))
		return false;
	*out = c.base;
	return c.bits == 128;
}

/* "192.0.2.43", "192.0.2.43:4711", "2001:db8::1", "[2001:db8::1]:4711" (RFC 7239 section 6). The
 * port may be anything ("_hidden"). */
static bool read_node(struct span text, struct cidr_address *out)
{
	const char *end;

	text = span_trim(text);
	if (text.len == 0)
		return false;
	if (text.ptr[0] == '[') {
		end = memchr(text.ptr, ']', text.len);
		return end &&
		       read_address(span_make(text.ptr + 1, (size_t)(end - text.ptr) - 1), out);
	}
	end = memchr(text.ptr, ':', text.len);
	if (end && !memchr(end + 1, ':', text.len - (size_t)(end + 1 - text.ptr)))
		text.len = (size_t)(end - text.ptr);
	return read_address(text, out);
}

/* Takes the last element off *rest. From the right, because there stands what we trust: a quotation
 * that a client left open cannot reach into it. False when there is none left. */
static bool last_element(struct span *rest, struct span *element)
{
	bool quoted = false;
	size_t at = rest->len;

	if (!rest->ptr)
		return false;
	for (; at > 0; at--) {
		char c = rest->ptr[at - 1];
		size_t slashes = 0;

		while (c == '"' && slashes + 1 < at && rest->ptr[at - 2 - slashes] == '\\')
			slashes++;
		if (c == '"' && slashes % 2 == 0)
			quoted = !quoted;
		else if (c == ',' && !quoted)
			break;
	}
	*element = span_make(rest->ptr + at, rest->len - at);
	*rest = at ? span_make(rest->ptr, at - 1) : (struct span){NULL, 0};
	return true;
}

/* The text of a token or a quoted string; false when it is too long to be an address. */
static bool unquote(struct span value, char to[NODE_BYTES], struct span *text)
{
	size_t len = 0;

	if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"') {
		*text = value;
		return true;
	}
	for (size_t i = 1; i + 1 < value.len; i++) {
		if (value.ptr[i] == '\\' && i + 2 < value.len)
			i++;
		if (len == NODE_BYTES)
			return false;
		to[len++] = value.ptr[i];
	}
	*text = span_make(to, len);
	return true;
}

/* The node of `for` in "for=…;proto=…;by=…", in any order. */
static bool read_element(enum forwarded_field field, struct span element, struct cidr_address *out)
{
	struct span pair, name, text;
	char unquoted[NODE_BYTES];

	if (field == FORWARDED_X_FOR)
		return read_node(element, out);
	while (span_next(&element, ';', &pair)) {
		span_next(&pair, '=', &name);
		if (span_is_nocase(span_trim(name), "for"))
			return pair.ptr && unquote(span_trim(pair), unquoted, &text) &&
			       read_node(text, out);
	}
	return false;
}

static bool is_trusted(
	const struct cidr_address *a, const struct cidr *trusted, size_t trusted_count)
{
	for (size_t i = 0; i < trusted_count; i++) {
		if (cidr_holds(&trusted[i], a, trusted[i].first_port))
			return true;
	}
	return false;
}

bool forwarded_client(const char *remote, enum forwarded_field field, const char *const *values,
	size_t value_count, const struct cidr *trusted, size_t trusted_count,
	struct cidr_address *out)
{
	struct span rest = {NULL, 0}, element;

	if (!read_address(span_of(remote), out))
		return false;
	for (int hops = 0; hops < HOPS_MAX && is_trusted(out, trusted, trusted_count); hops++) {
		struct cidr_address next;

		while (!last_element(&rest, &element)) {
			if (value_count == 0)
				return true;
			rest = span_of(values[--value_count]);
		}
		if (!read_element(field, element, &next))
			return true;
		*out = next;
	}
	return true;
}

struct cidr_address forwarded_counted(const struct cidr_address *client)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct cidr_address a = *client;

	if (memcmp(a.bytes, mapped, sizeof(mapped)) != 0)
		memset(a.bytes + V6_KEPT, 0, sizeof(a.bytes) - V6_KEPT);
	return a;
}
