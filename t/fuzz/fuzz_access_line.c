/* t/fuzz/fuzz_access_line.c - what a line of a log says lies within it and within its bounds.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/http/access_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct span part, const char *from, size_t len)
{
	if (part.len && (part.ptr < from || part.ptr + part.len > from + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct access_subject s;
	struct access_line l;

	access_subject_of(span_make(text, size), &s);
	if ((unsigned)s.family >= ACCESS_FAMILIES || strlen(s.title) >= sizeof(s.title) ||
		strlen(s.rendition) >= sizeof(s.rendition))
		abort();
	if (!access_line_parse(span_make(text, size), &l))
		return 0;
	within(l.method, text, size);
	within(l.path, text, size);
	if (l.bytes < 0 || l.took_us < -1 || l.status < 0 || l.status > 999 || l.time_s < 0 ||
		memchr(l.method.ptr, ' ', l.method.len))
		abort();
	return 0;
}
