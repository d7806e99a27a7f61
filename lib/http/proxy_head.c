/* lib/http/proxy_head.c - the head of a request that is sent to a proxy.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/proxy_head.h"

#include <string.h>

#include "lib/http/authority.h"

static const char authorization[] = "Proxy-Authorization";

static bool read_authority(struct span text, const char *usual_port, struct proxy_head *to)
{
	struct span host, port;

	if (!authority_split(text, &host, &port))
		return false;
	if (!port.len)
		port = span_of(usual_port);
	return port.len && span_copy(host, to->host, sizeof(to->host)) &&
	       span_copy(port, to->port, sizeof(to->port));
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct span text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
			!memchr(marks, c, sizeof(marks) - 1))
			return false;
	}
	return text.len > 0;
}

/* `line` is the first of `head`. */
static bool read_first(struct span head, struct span line, struct proxy_head *to)
{
	static const char scheme[] = "http://";
	struct span target;
	const char *slash;

	if (!span_next(&line, ' ', &to->method) || !is_token(to->method) ||
		!span_next(&line, ' ', &target))
		return false;
	to->tunnel = span_is(to->method, "CONNECT");
	if (to->tunnel)
		return read_authority(target, "", to);
	if (!span_starts(target, scheme))
		return false;
	target = span_make(target.ptr + sizeof(scheme) - 1, target.len - (sizeof(scheme) - 1));
	slash = target.len ? memchr(target.ptr, '/', target.len) : NULL;
	if (!slash)
		return false;
	to->rest = span_make(slash, (size_t)(head.ptr + head.len - slash));
	return read_authority(span_make(target.ptr, (size_t)(slash - target.ptr)), "80", to);
}

/* The next line of a head, with its '\r'; false at the empty one. */
static bool next_line(struct span *rest, struct span *line)
{
	return span_next(rest, '\n', line) && line->len && !span_is(*line, "\r");
}

static bool is_field(struct span line, const char *name)
{
	struct span found;

	span_next(&line, ':', &found);
	return span_is_nocase(span_trim(found), name);
}

static struct span basic_credentials(struct span line)
{
	struct span name, scheme = {NULL, 0};

	span_next(&line, ':', &name);
	if (span_ends(line, "\r"))
		line.len--;
	line = span_trim(line);
	if (!span_next(&line, ' ', &scheme) || !span_is_nocase(scheme, "Basic"))
		return (struct span){NULL, 0};
	return span_trim(line);
}

bool proxy_head_read(struct span head, struct proxy_head *out)
{
	struct span rest = head, line;

	*out = (struct proxy_head){.tunnel = false};
	if (!next_line(&rest, &line) || !read_first(head, line, out))
		return false;
	while (next_line(&rest, &line)) {
		if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
			return false;
		if (is_field(line, authorization))
			out->credentials = basic_credentials(line);
	}
	return true;
}

void proxy_head_print(const struct proxy_head *h, struct buf *to)
{
	static const char *const hop[] = {
		"Connection", "Proxy-Connection", "Keep-Alive", authorization};
	struct span rest = h->rest, line;

	buf_printf(to, "%.*s ", (int)h->method.len, h->method.ptr);
	while (next_line(&rest, &line)) {
		bool is_ours = false;

		for (size_t i = 0; i < sizeof(hop) / sizeof(hop[0]); i++)
			is_ours = is_ours || is_field(line, hop[i]);
		if (is_ours)
			continue;
		buf_add(to, line.ptr, line.len);
		buf_putc(to, '\n');
	}
	buf_puts(to, "Connection: close\r\n\r\n");
	buf_add(to, rest.ptr, rest.len);
}
