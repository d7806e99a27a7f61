/* lib/http/path.c - the path and query of a request target, decoded once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/path.h"

#include <string.h>

#include "lib/base/num.h"

bool path_is_utf8(struct span text)
{
	for (size_t i = 0; i < text.len;) {
		size_t n = span_character(span_make(text.ptr + i, text.len - i));

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* One byte of `text` at *i, escapes undone; -1 for a broken escape. */
static int next_byte(struct span text, size_t *i, bool plus)
{
	char c = text.ptr[(*i)++];
	int high, low;

	if (c == '+' && plus)
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	if (text.len - *i < 2)
		return -1;
	high = num_hex_digit(text.ptr[*i]);
	low = num_hex_digit(text.ptr[*i + 1]);
	*i += 2;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int path_decode(struct span text, bool plus, struct arena *arena, struct span *out, struct fail *f)
{
	char *to = arena_alloc(arena, text.len + 1);
	size_t n = 0;

	if (!to)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	for (size_t i = 0; i < text.len;) {
		int c = next_byte(text, &i, plus);
		if (c < 0)
			return fail_set(f, FAIL_INPUT, "The address holds a broken percent escape");
		if (c == 0)
			return fail_set(f, FAIL_INPUT, "The address holds a NUL byte");
		to[n++] = (char)c;
	}
	*out = span_make(to, n);
	if (!path_is_utf8(*out))
		return fail_set(f, FAIL_INPUT, "The address is not UTF-8");
	return 0;
}

static bool has_control(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

/* Drops "http://authority" of the absolute form (RFC 9112 3.2.2). The authority ends at the first
 * of
 * "/?#", or a query that holds an address would be taken for the path. */
static struct span skip_authority(struct span target)
{
	size_t n = 0;

	while (n < target.len && ((target.ptr[n] | 0x20) >= 'a' && (target.ptr[n] | 0x20) <= 'z'))
		n++;
	if (n == 0 || target.len - n < 3 || memcmp(target.ptr + n, "://", 3) != 0)
		return target;
	for (n += 3; n < target.len && !memchr("/?#", target.ptr[n], 3); n++)
		;
	return n < target.len ? span_make(target.ptr + n, target.len - n) : span_of("/");
}

static int add_part(struct path *p, struct span raw, struct arena *arena, struct fail *f)
{
	struct span part;

	if (p->count == PATH_MAX_PARTS)
		return fail_set(f, FAIL_MISSING, "There is nothing at this address");
	if (path_decode(raw, false, arena, &part, f) < 0)
		return -1;
	if (has_control(part))
		return fail_set(f, FAIL_INPUT, "The address holds a control character");
	if (part.len && memchr(part.ptr, '/', part.len))
		return fail_set(f, FAIL_INPUT, "The address holds an encoded slash");
	if (span_is(part, ".") || span_is(part, ".."))
		return fail_set(f, FAIL_INPUT, "The address holds a dot segment");
	p->parts[p->count++] = part;
	return 0;
}

int path_parse(struct path *p, const char *target, struct arena *arena, struct fail *f)
{
	struct span rest = span_of(target), part;

	*p = (struct path){0};
	if (rest.len > PATH_MAX_TARGET)
		return fail_set(f, FAIL_INPUT, "The address is too long");
	if (has_control(rest))
		return fail_set(f, FAIL_INPUT, "The address holds a control character");
	rest = skip_authority(rest);
	if (rest.len == 0 || rest.ptr[0] != '/')
		return fail_set(f, FAIL_INPUT, "The address does not begin with a slash");
	span_next(&rest, '?', &p->raw);
	p->query = rest;
	rest = span_make(p->raw.ptr + 1, p->raw.len - 1);
	if (rest.len == 0)
		return 0;
	while (span_next(&rest, '/', &part)) {
		if (add_part(p, part, arena, f) < 0)
			return -1;
	}
	return 0;
}
