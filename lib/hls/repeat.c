/* lib/hls/repeat.c - a short MPEG-TS file as an endless one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/repeat.h"

#include "lib/hls/pes.h"
#include "lib/hls/ts.h"

enum { PIDS = 0x2000, FIRST_MEDIA_PID = 0x20, PMT_PID = 0x1000 };

static unsigned pid_of(const uint8_t *p)
{
	return (unsigned)(p[1] & 0x1f) << 8 | p[2];
}

static void shift_times(uint8_t *p, int64_t by)
{
	size_t at = 4 + (p[3] & 0x20 ? 1 + (size_t)p[4] : 0);
	struct pes_times t;

	if ((p[3] & 0x20) && p[4] >= 7 && (p[5] & 0x10))
		pes_write_pcr(p + 6, pes_read_pcr(p + 6) + by);
	if ((p[1] & 0x40) && (p[3] & 0x10) && at < TS_PACKET && pid_of(p) >= FIRST_MEDIA_PID &&
		pid_of(p) != PMT_PID && pes_times(p + at, TS_PACKET - at, &t))
		pes_move(p + at, &t, by);
}

void repeat_shift(uint8_t *ts, size_t len, int64_t times, int64_t length)
{
	uint8_t counts[PIDS] = {0};

	for (size_t at = 0; at + TS_PACKET <= len; at += TS_PACKET)
		counts[pid_of(ts + at)] += ts[at + 3] >> 4 & 1;
	for (size_t at = 0; at + TS_PACKET <= len; at += TS_PACKET) {
		uint8_t *p = ts + at;
		int64_t counter = p[3] + times % 16 * counts[pid_of(p)];
		p[3] = (uint8_t)((p[3] & 0xf0) | (counter & 15));
		shift_times(p, times * length);
	}
}
