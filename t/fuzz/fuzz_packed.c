/* t/fuzz/fuzz_packed.c - any bytes as a segment of packed audio, made MPEG-TS.
 * SPDX-License-Identifier: BSD-2-Clause
 * Frames lie in the segment, one behind the other; times never go back; what comes out is whole
 * packets. Said twice, the second one goes on where the first one ended. */
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/hls/remux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 4 << 20 };

static void need(bool good)
{
	if (!good)
		abort();
}

static void check_frames(struct packed *p, struct span bytes)
{
	struct mp4_samples samples[MP4_TRACKS];
	const struct mp4_samples *sound = &samples[MP4_AUDIO];
	struct mp4 mp4 = {0};
	struct fail f = {0};
	int64_t before = p->next;
	size_t end = 0;

	if (packed_segment(p, bytes, &mp4, samples, &f) < 0) {
		need(f.kind == FAIL_UPSTREAM && *f.text && !sound->count);
	} else {
		need(sound->count && mp4.tracks[MP4_AUDIO].known &&
			mp4.tracks[MP4_AUDIO].timescale);
		need(p->next >= 0 && p->next < (int64_t)1 << 33 && before >= 0);
	}
	need(!samples[MP4_VIDEO].count);
	for (size_t i = 0; i < sound->count; i++) {
		const struct mp4_sample *s = &sound->list[i];
		need(s->at >= end && s->at <= bytes.len && s->len <= bytes.len - s->at);
		need(i == 0 || s->dts >= s[-1].dts);
		end = s->at + s->len;
	}
	mp4_release(samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make((const char *)data, size);
	struct packed packed = {0};
	struct remux remux = {0};
	struct fail f = {0};
	struct buf out;

	packed_begins(bytes);
	buf_init(&out, OUT_MAX);
	for (int i = 0; i < 2; i++) {
		check_frames(&packed, bytes);
		if (remux_packed(&remux, bytes, &out, &f) == 0)
			need(out.len % TS_PACKET == 0 && out.len > 0);
		need(remux.packed.next == packed.next);
	}
	buf_release(&out);
	return 0;
}
