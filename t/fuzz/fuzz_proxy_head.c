/* t/fuzz/fuzz_proxy_head.c - whatever a program asks its proxy for.
 * SPDX-License-Identifier: BSD-2-Clause
 * The host is one word, and gets nothing that was between the two. */
#include <stdint.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/http/proxy_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines up to the empty one that begin with `name` and a colon. */
static size_t count_fields(struct span text, const char *name)
{
	struct span line, found;
	size_t n = 0;

	while (span_next(&text, '\n', &line) && line.len && !span_is(line, "\r")) {
		span_next(&line, ':', &found);
		n += span_is_nocase(span_trim(found), name);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const between[] = {
		"Proxy-Authorization", "Proxy-Connection", "Keep-Alive"};
	struct span head = span_make((const char *)data, size);
	struct proxy_head h;
	struct buf sent;
	int64_t port;

	if (!proxy_head_read(head, &h))
		return 0;
	must(*h.host && strspn(h.host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789.-_:") == strlen(h.host));
	must(num_parse(span_of(h.port), 1, 65535, &port) && h.method.len);
	must(!h.credentials.len || !memchr(h.credentials.ptr, '\n', h.credentials.len));
	if (h.tunnel)
		return 0;
	buf_init(&sent, size + 64);
	proxy_head_print(&h, &sent);
	must(!sent.failed && h.rest.len && h.rest.ptr[0] == '/');
	must(count_fields(buf_span(&sent), "Connection") == 1);
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
		must(count_fields(buf_span(&sent), between[i]) == 0);
	buf_release(&sent);
	return 0;
}
