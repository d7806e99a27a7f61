/* t/fuzz/fuzz_ts.c - any bytes that a source may send.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: the size of the portions, then the stream. The same packets come out whatever the portions
 * are, each begins with its sync byte, and what is kept stays within its bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/hls/ts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint32_t crc;
	int64_t count;
};

static void each(void *ctx, const struct ts_packet *p)
{
	struct sum *s = ctx;

	if (p->bytes[0] != 0x47 || p->pid >= 0x1fff)
		abort();
	s->crc = s->crc * 31 + ts_crc(p->bytes, TS_PACKET);
	s->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = {0}, parts = {0};
	struct ts a, b;
	size_t portion;

	if (size < 1)
		return 0;
	portion = (size_t)data[0] + 1;
	data++;
	size--;
	ts_init(&a);
	ts_feed(&a, data, size, each, &whole);
	ts_init(&b);
	for (size_t at = 0; at < size; at += portion)
		ts_feed(&b, data + at, size - at < portion ? size - at : portion, each, &parts);
	if (whole.crc != parts.crc || whole.count != parts.count || a.changes != b.changes ||
		whole.count != a.packets || a.have > sizeof(a.partial) ||
		a.program.count > TS_STREAMS_MAX || !ts_program_same(&a.program, &b.program))
		abort();
	return 0;
}
