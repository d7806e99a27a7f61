/* lib/av/bounds.c - where a segment begins whose keyframe has leading pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/bounds.h"

#include <stdbool.h>

#include "lib/av/demux.h"

int bounds_begin(
	const struct av_source *s, const struct record *r, size_t n, int64_t *begin, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	struct demux d;
	int64_t key = DEMUX_NO_TIME;
	int got = p ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for pictures");

	*begin = r->t[n];
	if (!p)
		return -1;
	got = demux_open(&d, s, r, r->video.stream, r->video.codec, r->t[n], r->t[n + 1], f);
	while (got >= 0 && (got = demux_next(&d, p, f)) > 0) {
		int64_t time = demux_packet_time(&d, p);
		bool is_key = p->flags & AV_PKT_FLAG_KEY;
		av_packet_unref(p);
		if (key == DEMUX_NO_TIME && is_key && time >= r->t[n])
			key = *begin = time;
		else if (key != DEMUX_NO_TIME && time >= key)
			break;
		else if (key != DEMUX_NO_TIME && time != DEMUX_NO_TIME && time < *begin)
			*begin = time;
	}
	demux_close(&d);
	av_packet_free(&p);
	return got < 0 ? -1 : 0;
}
