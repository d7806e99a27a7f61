/* t/fuzz/fuzz_memstat.c - whatever a memcached server tells of itself.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: lines of "name value", as after STAT. No figure is negative, no class is there twice or
 * out of its range, and what is printed of them is JSON and text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/svc/memstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size), line, name;
	struct memstat_server s = {.class_count = 0};
	const char *sentences[MEMSTAT_WATCH];

	while (size && span_next(&rest, '\n', &line)) {
		span_next(&line, ' ', &name);
		memstat_take(&s, name, line);
	}
	if (s.class_count > MEMSTAT_CLASSES || !memchr(s.version, '\0', sizeof(s.version)))
		abort();
	if (s.uptime_s < 0 || s.hits < 0 || s.misses < 0 || s.bytes < 0 || s.flushes < 0)
		abort();
	for (size_t i = 0; i < s.class_count; i++) {
		if (s.classes[i].number < 1 || s.classes[i].items < 0 || s.classes[i].oldest_s < 0)
			abort();
		for (size_t k = 0; k < i; k++) {
			if (s.classes[k].number == s.classes[i].number)
				abort();
		}
	}
	if (memstat_rate(s.hits, s.misses) > 1000 || memstat_watch(&s, sentences) > MEMSTAT_WATCH)
		abort();
	return 0;
}
