/* lib/av/bounds.c - where a segment begins whose keyframe has leading pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/bounds.h"

#include "lib/av/demux.h"

enum { FAR_S = 60 };

/* False when no more needs to be read. */
static bool take(const struct record *r, size_t n, int64_t time, bool is_key, struct bounds *b)
{
	bool begun = b->key != DEMUX_NO_TIME;

	if (is_key && b->first == DEMUX_NO_TIME)
		b->first = time;
	if (time != DEMUX_NO_TIME && !begun && time < r->t[n] - (int64_t)FAR_S * r->timescale)
		b->far = true;
	else if (!begun && is_key && time >= r->t[n])
		b->key = b->begin = time;
	else if (begun && time >= b->key)
		return false;
	else if (begun && time != DEMUX_NO_TIME && time < b->begin)
		b->begin = time;
	return !b->far;
}

int bounds_look(const struct av_source *s, const struct record *r, size_t n, struct bounds *out,
	struct fail *f)
{
	const struct demux_part part = {r->video.stream, r->video.codec, r->t[n], r->t[n + 1]};
	AVPacket *p = av_packet_alloc();
	struct demux d;
	bool more = true;
	int got;

	*out = (struct bounds){DEMUX_NO_TIME, DEMUX_NO_TIME, r->t[n], false};
	if (!p)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for pictures");
	got = demux_open(&d, s, r, &part, f);
	while (got >= 0 && more && (got = demux_next(&d, p, f)) > 0) {
		more = take(r, n, demux_packet_time(&d, p), p->flags & AV_PKT_FLAG_KEY, out);
		av_packet_unref(p);
	}
	demux_close(&d);
	av_packet_free(&p);
	return got < 0 ? -1 : 0;
}

int bounds_begin(
	const struct av_source *s, const struct record *r, size_t n, int64_t *begin, struct fail *f)
{
	struct bounds b;

	if (bounds_look(s, r, n, &b, f) < 0)
		return -1;
	*begin = b.begin;
	return 0;
}
