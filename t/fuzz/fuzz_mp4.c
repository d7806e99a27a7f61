/* t/fuzz/fuzz_mp4.c - any bytes as fragmented MP4, made MPEG-TS.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: two bytes, the length of the initialization section, that, a segment. What comes out is
 * whole packets on our own pids alone, counters without a gap, and no more of it than can come of
 * what there was. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/hls/blend.h"
#include "lib/hls/remux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 4 << 20 };

static void need(bool good)
{
	if (!good)
		abort();
}

static void check_samples(const struct mp4 *mp4, struct span bytes)
{
	struct mp4_samples samples[MP4_TRACKS];
	struct fail f = {0};

	if (mp4_segment(mp4, bytes, samples, &f) < 0)
		need(f.kind == FAIL_UPSTREAM && *f.text);
	for (int i = 0; i < MP4_TRACKS; i++) {
		need(samples[i].count <= MP4_SAMPLES);
		for (size_t k = 0; k < samples[i].count; k++)
			need(samples[i].list[k].at <= bytes.len &&
				samples[i].list[k].len <= bytes.len - samples[i].list[k].at);
	}
	mp4_release(samples);
}

static void check_packets(struct span ts)
{
	int counters[0x2000] = {0}; /* of the last packet, plus 1 */

	need(ts.len % TS_PACKET == 0);
	for (size_t at = 0; at < ts.len; at += TS_PACKET) {
		const uint8_t *p = (const uint8_t *)ts.ptr + at;
		int pid = (p[1] & 0x1f) << 8 | p[2], counter = p[3] & 15;
		need(p[0] == 0x47);
		need(pid == 0 || pid == REMUX_PMT_PID || pid == REMUX_VIDEO_PID ||
			pid == REMUX_AUDIO_PID);
		need(!counters[pid] || counter == counters[pid] % 16);
		counters[pid] = counter + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t init_len = size >= 2 ? (size_t)data[0] << 8 | data[1] : 0;
	struct mp4 *mp4 = calloc(1, sizeof(*mp4));
	struct blend blend = {0};
	struct remux remux = {0};
	struct span init, rest;
	struct fail f = {0};
	struct buf out, part;

	if (size < 2 || init_len > size - 2 || !mp4) {
		free(mp4);
		return 0;
	}
	init = span_make((const char *)data + 2, init_len);
	rest = span_make((const char *)data + 2 + init_len, size - 2 - init_len);
	buf_init(&out, OUT_MAX);
	buf_init(&part, OUT_MAX);
	if (mp4_init(init, mp4, &f) == 0) {
		check_samples(mp4, rest);
		if (remux_segment(&remux, mp4, rest, &out, &f) == 0) {
			check_packets(buf_span(&out));
			blend_add(&blend, BLEND_VIDEO, buf_span(&out), &part);
			blend_add(&blend, BLEND_AUDIO, buf_span(&out), &part);
			check_packets(buf_span(&part));
		}
	} else {
		need(f.kind == FAIL_UPSTREAM && *f.text);
	}
	buf_release(&out);
	buf_release(&part);
	free(mp4);
	return 0;
}
