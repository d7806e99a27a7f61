/* t/fuzz/fuzz_vod_record.c - an index record that is taken is the one that would be written.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"
#include "lib/hls/ts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct record *r, struct span bytes)
{
	struct rendition x;
	struct buf again;
	int w, h;

	must(r->segments >= 1 && r->segments <= RECORD_SEGMENTS_MAX && r->t[0] == 0);
	for (size_t n = 0; n < r->segments; n++)
		must(r->t[n + 1] > r->t[n] && record_duration_us(r, n) >= 0);
	must(record_target_s(r) >= 1);
	must(rendition_parse(span_of("720p"), &x));
	rendition_size(&x, r, &w, &h);
	must(w >= 0 && w <= 1280 && h >= 0 && h <= 720 && w % 2 == 0 && h % 2 == 0);
	buf_init(&again, RECORD_MAX_BYTES);
	record_encode(r, &again);
	must(!again.failed && span_eq(buf_span(&again), bytes));
	buf_release(&again);
}

/* The CRC is set right, or no change would ever be looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail f = {0};
	struct record r;
	struct arena arena;
	char bytes[65536];
	struct span whole = span_make((const char *)data, size);

	arena_init(&arena, RECORD_MAX_BYTES * 4);
	if (record_decode(whole, &arena, &r, &f) == 0)
		hold(&r, whole);
	else
		must(f.kind != FAIL_NONE && f.text[0]);
	if (size >= 4 && size <= sizeof(bytes)) {
		uint32_t crc = ts_crc(data, size - 4);
		memcpy(bytes, data, size);
		for (size_t i = 0; i < 4; i++)
			bytes[size - 4 + i] = (char)(crc >> (8 * i));
		whole = span_make(bytes, size);
		if (record_decode(whole, &arena, &r, &f) == 0)
			hold(&r, whole);
	}
	arena_release(&arena);
	return 0;
}
