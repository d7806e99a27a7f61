/* lib/av/text.c - subtitles as WebVTT, segment by segment.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/text.h"

#include <string.h>

#include "lib/av/demux.h"
#include "lib/hls/cue.h"
#include "lib/hls/grid.h"

enum {
	BEFORE_S = 10,	  /* a cue that began earlier is not looked for */
	LATE_S = 1,	  /* tracks of a file are no further apart than that */
	UNSAID_MS = 4000, /* how long a cue lasts that does not say it */
	LONGEST_MS = 60000,
	CUES_MAX = 5000
};

/* Appends a packet's cue where it is seen within [begin, end), in ms. */
static void add(struct demux *d, const AVPacket *p, int64_t begin, int64_t end, struct buf *to)
{
	const struct record *r = d->record;
	int64_t time = demux_packet_time(d, p), from, until, length;

	if (time == DEMUX_NO_TIME)
		return;
	length =
		grid_scale(p->duration, (int64_t)d->st->time_base.num * 1000, d->st->time_base.den);
	if (length <= 0)
		length = UNSAID_MS;
	if (length > LONGEST_MS)
		length = LONGEST_MS;
	from = grid_scale(time, 1000, r->timescale);
	until = from + length;
	if (from < 0)
		from = 0;
	if (from >= end || until <= begin || until <= from)
		return;
	cue_print(&(struct cue){d->codec, from, until,
			  span_make((const char *)p->data, (size_t)p->size)},
		to);
}

static int collect(struct demux *d, int64_t begin, int64_t end, struct buf *to, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int got = p ? 1 : fail_set(f, FAIL_INTERNAL, "There is no memory for subtitles");

	for (int i = 0; i < CUES_MAX && got > 0 && (got = demux_next(d, p, f)) > 0; i++) {
		int64_t time = demux_packet_time(d, p);
		if (p->size > 0)
			add(d, p, begin, end, to);
		av_packet_unref(p);
		if (time != DEMUX_NO_TIME && d->stop != INT64_MAX && time >= d->stop)
			break;
	}
	av_packet_free(&p);
	return got < 0 ? -1 : 0;
}

int text_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t n, struct buf *to, struct fail *f)
{
	const struct record_text *t = &r->text[x->track];
	int64_t from = r->t[n] - (int64_t)BEFORE_S * r->timescale;
	bool last = n + 1 == r->segments;
	const struct demux_part part = {
		t->stream, t->codec, from > 0 ? from : 0, last ? INT64_MAX : r->t[n + 1]};
	struct demux d;
	int result = -1;

	cue_begin(x->format == RENDITION_TS, to);
	if (demux_open(&d, s, r, &part, f) == 0) {
		d.late_s = LATE_S;
		result = collect(&d, record_begin_us(r, n) / 1000,
			last ? INT64_MAX : record_begin_us(r, n + 1) / 1000, to, f);
	}
	demux_close(&d);
	if (result == 0 && to->failed)
		return fail_set(f, FAIL_INPUT, "A segment has too many subtitles");
	return result;
}
