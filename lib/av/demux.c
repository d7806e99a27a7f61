/* lib/av/demux.c - one stream's packets from a time on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/demux.h"

#include <libavcodec/avcodec.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/grid.h"

/* Three hundred years, and a clock of MPEG-TS turns every 26 hours. */
static const double SECONDS_MAX = 1e10;

/* Of an MP4's tables so much more is looked at than a segment needs. */
enum { WRAP_BITS = 33, LATE_S = 10, TABLE_BEFORE_S = 3, TABLE_BEHIND_S = 15, BLIND_S = 5 };

/* Whether a time can be meant, and be reckoned with in any unit of ours. */
static bool is_time(AVRational base, int64_t pts)
{
	double seconds = (double)pts * av_q2d(base);

	return pts != AV_NOPTS_VALUE && base.num > 0 && base.den > 0 && seconds < SECONDS_MAX &&
	       seconds > -SECONDS_MAX;
}

int64_t demux_scale(uint32_t timescale, AVRational base, int64_t pts)
{
	if (!is_time(base, pts))
		return DEMUX_NO_TIME;
	return grid_scale(pts, (int64_t)timescale * base.num, base.den);
}

int64_t demux_time(const struct record *r, AVRational base, int64_t pts)
{
	int64_t time = demux_scale(r->timescale, base, pts);

	return time == DEMUX_NO_TIME ? time : time - r->origin;
}

int64_t demux_sample(const struct record *r, AVRational base, int64_t pts, uint32_t rate)
{
	__int128 below, above;

	if (!is_time(base, pts))
		return DEMUX_NO_TIME;
	/* (pts * base - origin / timescale) * rate, rounded once */
	above = ((__int128)pts * base.num * r->timescale - (__int128)r->origin * base.den) * rate;
	below = (__int128)base.den * r->timescale;
	above = above * 2 + below;
	below *= 2;
	return (int64_t)(above >= 0 ? above / below : -((-above + below - 1) / below));
}

static int64_t source_time(const struct record *r, AVRational base, int64_t time)
{
	return grid_scale(time + r->origin, base.den, (int64_t)r->timescale * base.num);
}

/* MP4 numbers its index by decoding time, so the keyframe is found by its place. */
static int64_t entry_time(
	const struct reader *reader, AVStream *st, uint64_t pos, int64_t otherwise)
{
	int count = avformat_index_get_entries_count(st);

	for (int i = 0; i < count; i++) {
		const AVIndexEntry *e = avformat_index_get_entry(st, i);
		if (e && reader_source_place(reader, e->pos) == pos && e->flags & AVINDEX_KEYFRAME)
			return e->timestamp;
	}
	return otherwise;
}

/* MPEG-PS tells of its streams as they come. */
static int learn(struct demux *d, unsigned stream, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int got = p ? 1 : fail_set(f, FAIL_INTERNAL, "There is no memory for a film");

	while (got > 0 && stream >= d->reader.format->nb_streams) {
		got = reader_next(&d->reader, p, f);
		av_packet_unref(p);
	}
	av_packet_free(&p);
	return got < 0 ? -1 : 0;
}

static int seek(struct demux *d, size_t n, int64_t time, struct fail *f)
{
	const struct record *r = d->record;
	AVFormatContext *c = d->reader.format;
	bool is_video = r->video.codec[0] && d->stream == r->video.stream;
	unsigned by = d->stream;
	int64_t to;
	int e;

	/* AVI and Matroska find their way by the picture alone. */
	if (r->video.codec[0] && (r->container == RECORD_AVI || r->container == RECORD_MATROSKA))
		by = r->video.stream;
	if (learn(d, by > d->stream ? by : d->stream, f) < 0)
		return -1;
	if (by >= c->nb_streams || d->stream >= c->nb_streams)
		return fail_set(f, FAIL_MISSING, "The file is not the one it was");
	if (by == d->stream)
		reader_choose(&d->reader, (int)d->stream);
	to = source_time(r, c->streams[by]->time_base, is_video ? r->t[n] : time);
	if (is_video && r->container == RECORD_MP4)
		to = entry_time(&d->reader, c->streams[by], r->pos[n], to);
	/* MPEG-PS does not know where keyframes are. */
	if (is_video && r->container == RECORD_OTHER)
		to -= source_time(r, c->streams[by]->time_base, (int64_t)BLIND_S * r->timescale) -
		      source_time(r, c->streams[by]->time_base, 0);
	e = av_seek_frame(c, (int)by, to, AVSEEK_FLAG_BACKWARD);
	/* Where there is nothing before, the beginning is meant. */
	if (e < 0)
		e = av_seek_frame(c, (int)by, INT64_MIN / 2, 0);
	if (e < 0 && n > 0)
		return reader_fail(&d->reader, e, "The place in the file", f);
	return 0;
}

static int open_part(struct demux *d, const struct av_source *s, int64_t from, struct fail *f)
{
	const struct record *r = d->record;
	struct reader_part part = {.stream = (int)d->stream,
		.from = from + r->origin - (int64_t)TABLE_BEFORE_S * r->timescale,
		.until = INT64_MAX,
		.timescale = r->timescale};

	if (r->flags & RECORD_WALKED)
		return reader_open_walked(&d->reader, s, r->table, f);
	if (r->container != RECORD_MP4)
		return reader_open(&d->reader, s, f);
	if (d->stop < INT64_MAX / 2)
		part.until = d->stop + r->origin + (int64_t)TABLE_BEHIND_S * r->timescale;
	return reader_open_part(&d->reader, s, &part, f);
}

/* FLV has one stream of a kind, and numbers them as they come: another way from the middle on. */
static enum AVMediaType kind_of(const struct record *r, const char *codec)
{
	const AVCodecDescriptor *c =
		r->container == RECORD_FLV ? avcodec_descriptor_get_by_name(codec) : NULL;

	return c ? c->type : AVMEDIA_TYPE_UNKNOWN;
}

static bool is_ours(const struct demux *d, const AVPacket *p)
{
	if (d->kind == AVMEDIA_TYPE_UNKNOWN)
		return (unsigned)p->stream_index == d->stream;
	return d->reader.format->streams[p->stream_index]->codecpar->codec_type == d->kind;
}

int demux_open(struct demux *d, const struct av_source *s, const struct record *r,
	const struct demux_part *part, struct fail *f)
{
	const int64_t time = part->time;
	size_t n = 0;

	*d = (struct demux){.record = r,
		.stream = part->stream,
		.codec = part->codec,
		.kind = kind_of(r, part->codec),
		.stop = part->stop,
		.late_s = LATE_S,
		.near = time};
	while (n + 1 < r->segments && r->t[n + 1] <= time)
		n++;
	if (r->flags & RECORD_JOINED) {
		d->others = true;
		if (reader_join(&d->reader, s, r->container, r->head, r->pos[n], f) < 0)
			return -1;
		while (n < r->segments && r->t[n] < part->stop)
			n++;
		d->reader.expect = r->pos[n];
		return 0;
	}
	if (open_part(d, s, r->t[n] < time ? r->t[n] : time, f) < 0)
		return -1;
	if (d->reader.container != r->container)
		return fail_set(f, FAIL_MISSING, "The file is not the one it was");
	return seek(d, n, time, f);
}

/* MPEG-TS counts to 2^33 and begins anew. */
static void unwrap(struct demux *d, AVPacket *p)
{
	AVRational base = d->reader.format->streams[p->stream_index]->time_base;
	int64_t *times[] = {&p->pts, &p->dts}, near = source_time(d->record, base, d->near);

	for (int i = 0; i < 2; i++) {
		int64_t turn = (int64_t)1 << WRAP_BITS;
		if (*times[i] != AV_NOPTS_VALUE)
			*times[i] += grid_scale(near - *times[i], 1, turn) * turn;
	}
}

int64_t demux_packet_time(const struct demux *d, const AVPacket *p)
{
	const AVStream *st = d->reader.format->streams[p->stream_index];

	return demux_time(d->record, st->time_base, p->pts != AV_NOPTS_VALUE ? p->pts : p->dts);
}

static int check(struct demux *d, const AVPacket *p, struct fail *f)
{
	const char *name;

	if (d->st)
		return 0;
	d->st = d->reader.format->streams[p->stream_index];
	name = avcodec_get_name(d->st->codecpar->codec_id);
	if (strcmp(name, d->codec) != 0)
		return fail_set(f, FAIL_MISSING, "The file is not the one it was");
	return 0;
}

int demux_next(struct demux *d, AVPacket *p, struct fail *f)
{
	int got;

	while ((got = reader_next(&d->reader, p, f)) > 0) {
		must(p->stream_index >= 0 &&
			(unsigned)p->stream_index < d->reader.format->nb_streams);
		if (d->record->container == RECORD_MPEG_TS)
			unwrap(d, p);
		if (is_ours(d, p)) {
			if (check(d, p, f) == 0)
				return 1;
			av_packet_unref(p);
			return -1;
		}
		int64_t time = demux_packet_time(d, p);
		av_packet_unref(p);
		if (d->stop != INT64_MAX && time != DEMUX_NO_TIME &&
			time > d->stop + (int64_t)d->late_s * d->record->timescale)
			return 0;
	}
	return got;
}

void demux_close(struct demux *d)
{
	reader_close(&d->reader);
}
