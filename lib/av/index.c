/* lib/av/index.c - what a source is, and where its segments begin.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/index.h"

#include <errno.h>
#include <stdbool.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/av/av.h"
#include "lib/av/avi.h"
#include "lib/av/avi_table.h"
#include "lib/av/bounds.h"
#include "lib/av/demux.h"
#include "lib/base/must.h"

enum {
	TIMESCALE_MIN = 10000,
	TIMESCALE_MAX = 10000000,
	TIMESCALE_ELSE = 1000000,
	TAIL_S = 60,
	COPY_LATE_MS = 50
};

void av_begin(void)
{
	av_log_set_level(AV_LOG_QUIET);
}

int index_add(struct index *x, int64_t time, uint64_t pos, struct fail *f)
{
	struct grid_key *more;

	if (time == DEMUX_NO_TIME || (x->count && time <= x->keys[x->count - 1].t))
		return 0;
	if (x->count >= INDEX_KEYS_MAX)
		return fail_set(f, FAIL_INPUT, "The file has too many keyframes");
	if (x->count == x->room) {
		x->room = x->room ? x->room * 2 : 1024;
		more = av_realloc_array(x->keys, x->room, sizeof(*more));
		if (!more)
			return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
		x->keys = more;
	}
	x->keys[x->count++] = (struct grid_key){time, pos};
	return 0;
}

int64_t index_time(const struct index *x, int64_t pts)
{
	return demux_scale(x->out->timescale, x->base, pts);
}

int index_tables(struct index *x, struct fail *f)
{
	AVFormatContext *c = x->reader.format;
	AVStream *st;
	int count, empty = 0;
	int64_t last;

	if ((unsigned)x->look.video >= c->nb_streams)
		return 0;
	st = c->streams[x->look.video];
	/* Matroska's demuxer reads Cues when it is first asked to seek. */
	x->reader.budget = x->reader.bytes + INDEX_SMALL;
	if (x->out->container == RECORD_MATROSKA)
		av_seek_frame(c, x->look.video, x->look.streams[x->look.video].times[0],
			AVSEEK_FLAG_BACKWARD);
	if (x->reader.error)
		return reader_fail(&x->reader, 0, "The file", f);
	count = avformat_index_get_entries_count(st);
	for (int i = 0; i < count; i++) {
		const AVIndexEntry *e = avformat_index_get_entry(st, i);
		empty += e->size == 0;
		if (!(e->flags & AVINDEX_KEYFRAME) || e->pos < 0)
			continue;
		if (index_add(x, index_time(x, e->timestamp), (uint64_t)e->pos, f) < 0)
			return -1;
	}
	if (x->out->container != RECORD_AVI || count == 0)
		return 0;
	last = avformat_index_get_entry(st, count - 1)->timestamp;
	x->last_time = index_time(x, last);
	/* A few empty slots are an encoder's delay; many, that pictures come more slowly. */
	if (last + 1 - count + empty > count / 10)
		x->out->flags |= RECORD_VFR;
	return 0;
}

/* A parser has not seen the picture's bytes, so the table says whether it is a keyframe. */
static bool is_key(AVStream *st, const AVPacket *p, bool dry)
{
	const AVIndexEntry *e;

	if (!dry)
		return p->flags & AV_PKT_FLAG_KEY;
	e = avformat_index_get_entry_from_timestamp(st, p->dts, AVSEEK_FLAG_BACKWARD);
	return e && e->timestamp == p->dts && e->flags & AVINDEX_KEYFRAME;
}

/* No byte of media is needed for times and places: the reader makes bytes up. */
int index_samples(struct index *x, struct fail *f)
{
	AVFormatContext *c = x->reader.format;
	AVPacket *p = av_packet_alloc();
	bool is_whole = avformat_index_get_entries_count(c->streams[x->look.video]) > 1;
	int result = 0, got;

	if (!p)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	reader_choose(&x->reader, x->look.video);
	x->reader.budget = x->reader.bytes + INDEX_BUDGET;
	if (av_seek_frame(c, x->look.video, INT64_MIN / 2, 0) < 0)
		av_seek_frame(c, x->look.video, 0, AVSEEK_FLAG_BACKWARD);
	/* Fragments have their tables among the media. */
	x->reader.dry = is_whole;
	c->pb->direct = is_whole;
	while (result == 0 && (got = reader_next(&x->reader, p, f)) != 0) {
		int64_t time = got > 0 ? index_time(x, p->pts) : DEMUX_NO_TIME;
		if (got < 0)
			result = -1;
		else if (p->stream_index == x->look.video && time != DEMUX_NO_TIME) {
			if (time > x->last_time)
				x->last_time = time;
			if (is_key(c->streams[x->look.video], p, is_whole))
				result = index_add(x, time, reader_place(&x->reader, p), f);
			else if (x->count && time < x->keys[x->count - 1].t)
				x->out->flags |= RECORD_OPEN_GOP;
		}
		av_packet_unref(p);
	}
	x->reader.dry = false;
	c->pb->direct = 0;
	av_packet_free(&p);
	return result;
}

static void set_timescale(struct index *x, AVRational base)
{
	uint32_t scale =
		base.den > 0 && base.den <= TIMESCALE_MAX ? (uint32_t)base.den : TIMESCALE_ELSE;

	x->base = base;
	/* Fine enough for decoding times between pictures, and a multiple, so that all is exact. */
	x->out->timescale = scale;
	while (x->out->timescale < TIMESCALE_MIN)
		x->out->timescale += scale;
}

/* Whether the picture that should stand there does. */
static bool is_wrong(const struct record *r, size_t n, const struct bounds *b)
{
	if (b->far)
		return true;
	if (r->flags & RECORD_FIXED_GRID)
		return b->first == DEMUX_NO_TIME || b->first > r->t[n];
	return b->key != r->t[n];
}

/* Looks at two places where segments begin: whether they are where Cues say, and whether pictures
 * that follow a keyframe are shown before it. (MP4's tables say it of every keyframe.) */
static int look_at_places(struct index *x, bool *wrong, struct fail *f)
{
	struct record *r = x->out;
	bool by_cues = r->container == RECORD_MATROSKA && x->has_cues && r->flags & RECORD_JOINED;
	const size_t at[] = {by_cues ? r->segments - 1 : 1, r->segments / 2};
	struct bounds b;

	*wrong = false;
	if (!r->video.codec[0] || r->container == RECORD_MP4 || r->flags & RECORD_COUNTED ||
		(r->flags & (RECORD_FIXED_GRID | RECORD_OPEN_GOP) && !by_cues))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		if (at[i] == 0 || at[i] >= r->segments)
			continue;
		if (bounds_look(x->source, r, at[i], &b, f) < 0) {
			if (!by_cues || f->kind != FAIL_INPUT)
				return -1;
			*wrong = true; /* no media at all stand there */
			return 0;
		}
		*wrong |= by_cues && is_wrong(r, at[i], &b);
		if (b.begin < r->t[at[i]] && !(r->flags & RECORD_FIXED_GRID))
			r->flags |= RECORD_OPEN_GOP;
	}
	return 0;
}

/* What the container says of its length, when that can be. */
static int64_t said_end(const struct index *x)
{
	const AVFormatContext *c = x->reader.format;
	int64_t first = x->keys[0].t, last = x->keys[x->count - 1].t, end;
	int64_t tail = (int64_t)TAIL_S * x->out->timescale;

	if (c->duration == AV_NOPTS_VALUE || c->duration <= 0 || c->duration > INT64_MAX / 4)
		return INT64_MIN;
	end = grid_scale(c->duration, x->out->timescale, AV_TIME_BASE);
	if (c->start_time != AV_NOPTS_VALUE && c->start_time > -(INT64_MAX / 4) &&
		c->start_time < INT64_MAX / 4)
		end += grid_scale(c->start_time, x->out->timescale, AV_TIME_BASE);
	else if (x->out->container != RECORD_MATROSKA)
		end += first;
	return end > last && end <= last + tail ? end : INT64_MIN;
}

static int64_t frame_step(const struct index *x)
{
	const struct record_video *v = &x->out->video;
	int64_t step = v->rate_n ? grid_scale(x->out->timescale, v->rate_d, v->rate_n) : 0;

	return step > 0 ? step : 1 + x->out->timescale / 25;
}

/* The end: of the last picture where it was seen, else what the container says, else it is read. */
static int find_end(struct index *x, int64_t *end, struct fail *f)
{
	uint64_t from = x->keys[x->count - 1].pos;
	struct reader r;
	AVPacket *p;
	int got = -1;

	*end = x->last_time != INT64_MIN ? x->last_time + frame_step(x) : said_end(x);
	if (*end > x->keys[x->count - 1].t)
		return 0;
	*end = x->keys[x->count - 1].t + frame_step(x);
	if (!(x->out->flags & RECORD_JOINED))
		return 0;
	p = av_packet_alloc();
	if (p && reader_join(&r, x->source, x->out->container, x->out->head, from, f) == 0) {
		r.budget = INDEX_SMALL;
		while ((got = reader_next(&r, p, f)) > 0) {
			int64_t time = p->stream_index == x->look.video ? index_time(x, p->pts)
									: DEMUX_NO_TIME;
			if (time != DEMUX_NO_TIME && time + frame_step(x) > *end)
				*end = time + frame_step(x);
			av_packet_unref(p);
		}
		if (r.error == EDQUOT)
			got = 0;
	} else if (!p) {
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	}
	av_packet_free(&p);
	reader_close(&r);
	return got;
}

static void set_rates(struct index *x)
{
	struct record *r = x->out;
	uint64_t average = 0, peak = 0;

	for (size_t n = 0; n < r->segments; n++) {
		uint64_t bytes = r->pos[n + 1] > r->pos[n] ? r->pos[n + 1] - r->pos[n] : 0;
		double bps = (double)bytes * 8 * r->timescale / (double)(r->t[n + 1] - r->t[n]);
		/* Behind the last there may be tables too. */
		if (bps > (double)peak && (n + 1 < r->segments || n == 0))
			peak = (uint64_t)bps;
	}
	average =
		(uint64_t)((double)x->source->size * 8 * r->timescale / (double)r->t[r->segments]);
	r->average_bps = average < UINT32_MAX ? (uint32_t)average : UINT32_MAX;
	r->peak_bps = peak < UINT32_MAX ? (uint32_t)peak : UINT32_MAX;
	if (r->peak_bps < r->average_bps)
		r->peak_bps = r->average_bps;
}

/* Sound that begins late is encoded, with silence before it. */
static void place_sound(struct index *x, const struct reader *looked)
{
	for (size_t i = 0; i < x->out->audio_count; i++) {
		struct record_audio *a = &x->out->audio[i];
		const AVStream *st = looked->format->streams[a->stream];
		int64_t late = (int64_t)a->source_rate * COPY_LATE_MS / 1000;
		a->start = demux_sample(x->out, st->time_base, a->start, a->source_rate);
		if (a->start == DEMUX_NO_TIME) {
			a->start = 0;
			a->frame = 0;
			a->copy = false;
		}
		if (a->copy && a->start > late)
			a->copy = false;
	}
}

static int cut(struct index *x, struct fail *f)
{
	struct record *r = x->out;
	struct grid g = {.keys = x->keys,
		.count = x->count,
		.timescale = r->timescale,
		.end_pos = x->source->size};
	int64_t end;

	if (find_end(x, &end, f) < 0)
		return -1;
	r->origin = x->keys[0].t;
	for (size_t i = 0; i < x->count; i++)
		x->keys[i].t -= r->origin;
	g.end = end - r->origin;
	if (g.end > (int64_t)RECORD_HOURS_MAX * 3600 * r->timescale)
		return fail_set(f, FAIL_INPUT, "The file says that it is longer than %d hours",
			RECORD_HOURS_MAX);
	if (grid_longest(&g) > (int64_t)GRID_LONGEST_S * r->timescale) {
		r->flags |= RECORD_FIXED_GRID;
		r->flags &= ~(uint32_t)RECORD_COPY;
	}
	if (r->flags & RECORD_FIXED_GRID)
		return grid_fixed(&g, r->video.rate_n, r->video.rate_d, x->arena, r, f);
	return grid_cut(&g, x->arena, r, f);
}

/* Reads on to the end of a stream that does not say how long it is. */
static int read_end(struct index *x, int stream, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int got = p ? 1 : fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	struct reader r = {0};

	if (p && (got = reader_open(&r, x->source, f)) == 0) {
		r.budget = INDEX_SMALL;
		while ((got = reader_next(&r, p, f)) > 0) {
			int64_t end = index_time(x, p->pts == AV_NOPTS_VALUE ? p->dts : p->pts);
			if (p->stream_index == stream && end != DEMUX_NO_TIME &&
				end + index_time(x, p->duration) > x->last_time)
				x->last_time = end + index_time(x, p->duration);
			av_packet_unref(p);
		}
		if (r.error == EDQUOT)
			got = fail_set(f, FAIL_INPUT, "The file does not say how long it is");
	}
	reader_close(&r);
	av_packet_free(&p);
	return got;
}

/* Sound alone, or a container that has no table and cannot be entered in the middle. */
static int without_table(struct index *x, const struct reader *looked, struct fail *f)
{
	const struct record *r = x->out;
	unsigned stream = x->look.video >= 0 ? (unsigned)x->look.video : r->audio[0].stream;
	const AVStream *st = looked->format->streams[stream];
	int64_t first = x->look.streams[stream].times[0];
	int64_t start = index_time(x, first == AV_NOPTS_VALUE ? 0 : first);

	if (start == DEMUX_NO_TIME)
		start = 0;
	x->count = 0;
	x->out->flags |= RECORD_FIXED_GRID;
	x->out->flags &= ~(uint32_t)RECORD_COPY;
	if (index_add(x, start, x->media, f) < 0)
		return -1;
	x->last_time = INT64_MIN;
	if (st->duration > 0 && st->duration != AV_NOPTS_VALUE)
		x->last_time = start + index_time(x, st->duration);
	else if (looked->format->duration > 0)
		x->last_time =
			start + grid_scale(looked->format->duration, r->timescale, AV_TIME_BASE);
	else if (read_end(x, (int)stream, f) < 0)
		return -1;
	if (x->last_time <= start)
		return fail_set(f, FAIL_INPUT, "The file does not say how long it is");
	x->last_time -= frame_step(x);
	return 0;
}

static int find_keys(struct index *x, const struct reader *looked, struct fail *f)
{
	struct record *r = x->out;
	int result = 0;

	if (x->look.video >= 0 && r->container == RECORD_MP4)
		result = x->reader.moov ? index_moov(x, f) : index_samples(x, f);
	else if (x->look.video >= 0 && (r->container == RECORD_AVI || x->has_cues))
		result = index_tables(x, f);
	if (result == 0 && x->look.video >= 0 && x->count < 2 && r->flags & RECORD_JOINED) {
		x->count = 0;
		result = index_scan(x, f);
	}
	if (result < 0)
		return -1;
	if (x->count == 0 || r->container == RECORD_OTHER)
		return without_table(x, looked, f);
	return 0;
}

static int find_places(struct index *x, const struct reader *looked, bool *wrong, struct fail *f)
{
	if (find_keys(x, looked, f) < 0 || cut(x, f) < 0)
		return -1;
	return look_at_places(x, wrong, f);
}

static int look_at(struct index *x, struct reader *r, struct fail *f)
{
	unsigned line;
	uint32_t flags;
	bool wrong;

	if (look_begin(&x->look, r, f) < 0 || look_tracks(&x->look, r, x->arena, x->out, f) < 0)
		return -1;
	line = x->look.video >= 0 ? (unsigned)x->look.video : x->out->audio[0].stream;
	set_timescale(x, r->format->streams[line]->time_base);
	flags = x->out->flags;
	if (find_places(x, r, &wrong, f) < 0)
		return -1;
	if (wrong) {
		/* Cues that are no good: as if there were none. */
		x->has_cues = false;
		x->count = 0;
		x->last_time = INT64_MIN;
		x->out->flags = flags;
		if (find_places(x, r, &wrong, f) < 0)
			return -1;
	}
	place_sound(x, r);
	set_rates(x);
	return x->out->flags & RECORD_WALKED ? avi_table_keep(r, x->out, x->arena, f) : 0;
}

/* The demuxer, with a table of an AVI's chunks that can be believed. */
static int open_whole(struct index *x, struct fail *f)
{
	const struct reader_part beginning = {.stream = -1, .timescale = 1};
	struct reader *r = &x->reader;

	if (reader_open_part(r, x->source, &beginning, f) < 0)
		return -1;
	x->out->container = r->container;
	if (r->container != RECORD_AVI)
		return 0;
	for (unsigned i = 0; i < r->format->nb_streams; i++) {
		if (r->format->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
			continue;
		if (avi_fits(r, i))
			return 0;
		reader_close(r);
		x->out->flags |= RECORD_WALKED;
		return reader_open_walked(r, x->source, span_make(NULL, 0), f);
	}
	return 0;
}

int av_index(const struct av_source *s, struct arena *arena, struct record *out, struct fail *f)
{
	struct index *x = av_mallocz(sizeof(*x));
	struct reader joined = {0};
	int result = -1;

	*out = (struct record){0};
	if (!x)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	x->source = s;
	x->arena = arena;
	x->out = out;
	x->last_time = INT64_MIN;
	if (open_whole(x, f) == 0) {
		if (index_head(x, f) < 0)
			goto out;
		if (!(out->flags & RECORD_JOINED))
			result = look_at(x, &x->reader, f);
		else if (reader_join(&joined, s, out->container, out->head, x->media, f) == 0)
			result = look_at(x, &joined, f);
	}
out:
	look_release(&x->look);
	reader_close(&joined);
	reader_close(&x->reader);
	av_free(x->keys);
	av_free(x);
	return result;
}
