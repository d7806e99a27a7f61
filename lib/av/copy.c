/* lib/av/copy.c - a segment of picture or sound as the source has it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/copy.h"

#include <string.h>

#include "lib/av/aac.h"
#include "lib/av/demux.h"
#include "lib/av/nal.h"
#include "lib/hls/grid.h"

/* A fine clock may have been filled from one of milliseconds. */
enum { BEFORE_S = 1, SETS_MAX_BYTES = 65536, MUXER_MS = 4 };

void copy_describe_video(const struct record *r, struct track *out)
{
	const struct record_video *v = &r->video;

	*out = (struct track){.is_video = true,
		.timescale = r->timescale,
		.config = v->extra,
		.width = v->width,
		.height = v->height,
		.sar_n = v->sar_n,
		.sar_d = v->sar_d};
	memcpy(out->fourcc, strcmp(v->codec, "hevc") == 0 ? "hvc1" : "avc1", 5);
}

void copy_describe_audio(const struct record *r, unsigned track, struct track *out)
{
	const struct record_audio *a = &r->audio[track];

	*out = (struct track){.timescale = a->rate, .config = a->extra, .channels = a->channels};
	memcpy(out->fourcc, "mp4a", 5);
}

/* Replaces a packet's bytes by those of a buffer. */
static int replace(AVPacket *p, const struct buf *with, struct fail *f)
{
	AVBufferRef *mine = with->failed || with->len > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE
				    ? NULL
				    : av_buffer_alloc(with->len + AV_INPUT_BUFFER_PADDING_SIZE);

	if (!mine)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a picture");
	if (with->len)
		memcpy(mine->data, with->ptr, with->len);
	memset(mine->data + with->len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	av_buffer_unref(&p->buf);
	p->buf = mine;
	p->data = mine->data;
	p->size = (int)with->len;
	return 0;
}

static enum nal_codec codec_of(const struct record *r)
{
	return strcmp(r->video.codec, "hevc") == 0 ? NAL_HEVC : NAL_H264;
}

/* Parameter sets that the container changes in the middle go before the picture they are for. */
static void put_new_sets(const struct record *r, const AVPacket *p, struct buf *to)
{
	size_t size = 0, at = 6;
	const uint8_t *extra = av_packet_get_side_data(p, AV_PKT_DATA_NEW_EXTRADATA, &size);

	if (!extra || codec_of(r) != NAL_H264 || size < 8 || extra[0] != 1 ||
		span_eq(span_make((const char *)extra, size), r->video.extra))
		return;
	for (int kind = 0, left = extra[5] & 31; kind < 2 && at + 2 <= size;) {
		size_t len = (size_t)extra[at] << 8 | extra[at + 1];
		if (left == 0) {
			left = ++kind < 2 ? extra[at++] : 0;
			continue;
		}
		if (len > size - at - 2)
			return;
		buf_add(to, "\0\0", 2);
		buf_add(to, extra + at, len + 2);
		at += len + 2;
		left--;
	}
}

/* Brings a picture's bytes into the form that the config announces. */
static int shape(const struct record *r, const AVStream *st, AVPacket *p, struct fail *f)
{
	const AVCodecParameters *c = st->codecpar;
	struct span bytes = span_make((const char *)p->data, (size_t)p->size);
	struct span extra = span_make(
		(const char *)c->extradata, c->extradata_size > 0 ? (size_t)c->extradata_size : 0);
	bool stream = !extra.len || nal_has_start_code(extra);
	struct buf b;
	int result = 0;

	buf_init(&b, (size_t)p->size * 2 + SETS_MAX_BYTES);
	if (stream)
		nal_to_lengths(codec_of(r), bytes, false, &b);
	else
		put_new_sets(r, p, &b);
	if (!stream && b.len)
		buf_add(&b, bytes.ptr, bytes.len);
	if (stream || b.len)
		result = replace(p, &b, f);
	buf_release(&b);
	return result;
}

struct cut {
	const struct record *r;
	int64_t begin, end; /* keyframes of this and of the next segment */
	bool begun, ended;
	int64_t last; /* the latest pts */
};

enum cut_part { CUT_SKIP, CUT_TAKE, CUT_AFTER, CUT_DONE };

/* What a packet, in decoding order, is to this segment. */
static enum cut_part part_of(struct cut *c, const AVPacket *p, int64_t time)
{
	bool key = p->flags & AV_PKT_FLAG_KEY;

	if (c->ended)
		return time < c->end ? CUT_AFTER : CUT_DONE;
	if (key && time >= c->begin)
		c->begun = true;
	if (!c->begun || time < 0)
		return CUT_SKIP;
	if (key && time >= c->end) {
		c->end = time;
		c->ended = true;
		return CUT_AFTER;
	}
	if (time > c->last)
		c->last = time;
	return CUT_TAKE;
}

static int64_t step(const struct record *r)
{
	int64_t s = r->video.rate_n ? grid_scale(r->timescale, r->video.rate_d, r->video.rate_n)
				    : r->timescale / 25;

	return s > 0 ? s : 1;
}

static int collect(struct demux *d, struct cut *c, struct track *out, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int result = p ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	enum cut_part part = CUT_SKIP;

	while (result == 0 && part != CUT_DONE && (result = demux_next(d, p, f)) > 0) {
		int64_t time = demux_packet_time(d, p);
		bool key = p->flags & AV_PKT_FLAG_KEY;
		struct sample *s;
		result = 0;
		if (time == DEMUX_NO_TIME)
			time = c->last + step(c->r);
		part = part_of(c, p, time);
		/* Pictures after the next keyframe but shown before it begin the next segment. */
		if (part == CUT_AFTER && time < out->end)
			out->end = time;
		if (part == CUT_TAKE && (result = shape(c->r, d->st, p, f)) == 0) {
			s = track_add(out, p, f);
			result = s ? 0 : -1;
			if (s) {
				s->pts = time;
				s->key = key;
			}
		}
		av_packet_unref(p);
	}
	av_packet_free(&p);
	return result;
}

int copy_video(const struct av_source *s, const struct record *r, size_t n, struct track *out,
	struct fail *f)
{
	struct cut c = {.r = r, .begin = r->t[n], .end = r->t[n + 1], .last = r->t[n]};
	struct demux_part part = {r->video.stream, r->video.codec, r->t[n], 0};
	struct demux d;
	int result = -1;

	copy_describe_video(r, out);
	out->begin = r->t[n];
	out->end = INT64_MAX;
	if (n + 1 == r->segments)
		c.end = INT64_MAX;
	part.stop = c.end;
	if (demux_open(&d, s, r, &part, f) == 0)
		result = collect(&d, &c, out, f);
	demux_close(&d);
	if (result < 0)
		return -1;
	if (out->end == INT64_MAX)
		out->end = c.last + step(r);
	return track_set_times(out, f);
}

int64_t copy_slack(const struct record_audio *a, int num, int den)
{
	int64_t clock = grid_scale((int64_t)num * 3, a->source_rate, (int64_t)den * 2) + 1;
	int64_t muxer = (int64_t)a->source_rate * MUXER_MS / 1000;

	if (muxer > (int64_t)a->frame / 4)
		muxer = (int64_t)a->frame / 4;
	return clock > muxer ? clock : muxer;
}

int64_t copy_snap(const struct record_audio *a, int64_t sample, int64_t slack)
{
	int64_t frame = a->frame, k, near;

	if (!frame || frame < 4 * slack)
		return sample;
	k = grid_scale(sample - a->start, 1, frame);
	near = a->start + k * frame;
	return near - sample <= slack && sample - near <= slack ? near : sample;
}

static int strip(const AVStream *st, AVPacket *p)
{
	size_t header =
		st->codecpar->extradata_size > 0
			? 0
			: aac_adts_header(span_make((const char *)p->data, (size_t)p->size));

	if (header >= (size_t)p->size)
		return header ? -1 : 0;
	p->data += header;
	p->size -= (int)header;
	return 0;
}

/* Whether the packet is of another kind of AAC than the track began with: broadcasts change to 5.1
 * and back. */
static bool is_another(const struct record_audio *a, const AVStream *st, const AVPacket *p)
{
	bool bare = st->codecpar->extradata_size > 0; /* no frame has a header */
	struct aac now;
	size_t size = 0;
	const uint8_t *config = av_packet_get_side_data(p, AV_PKT_DATA_NEW_EXTRADATA, &size);
	struct span frame = span_make((const char *)p->data, (size_t)p->size);
	bool said = config ? aac_parse_config(span_make((const char *)config, size), &now)
			   : !bare && aac_parse_adts(frame, &now);

	return said && !span_eq(span_make(now.bytes, sizeof(now.bytes)), a->extra);
}

static int collect_audio(
	struct demux *d, const struct record_audio *a, struct track *out, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int result = p ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	int64_t last = DEMUX_NO_TIME;
	bool another = false;

	while (result == 0 && !another && last < out->end && (result = demux_next(d, p, f)) > 0) {
		AVRational base = d->st->time_base;
		int64_t at = demux_sample(d->record, base, p->pts, a->rate);
		struct sample *s;
		result = 0;
		/* Of frames that share a PES packet only the first has a time. */
		if (at == DEMUX_NO_TIME && last != DEMUX_NO_TIME)
			at = last + GRID_AAC_FRAME;
		if (at != DEMUX_NO_TIME) {
			last = copy_snap(a, at, copy_slack(a, base.num, base.den));
			another = last >= out->begin && last < out->end && is_another(a, d->st, p);
			if (last >= out->begin && last < out->end && strip(d->st, p) == 0) {
				s = track_add(out, p, f);
				result = s ? 0 : -1;
				if (s)
					s->pts = last;
			}
		}
		av_packet_unref(p);
	}
	av_packet_free(&p);
	return result < 0 ? -1 : another;
}

int copy_audio(const struct av_source *s, const struct record *r, unsigned track, size_t n,
	struct track *out, struct fail *f)
{
	const struct record_audio *a = &r->audio[track];
	int64_t before = r->t[n] - (int64_t)BEFORE_S * r->timescale;
	bool last = n + 1 == r->segments;
	const struct demux_part part = {
		a->stream, a->codec, before > 0 ? before : 0, last ? INT64_MAX : r->t[n + 1]};
	struct demux d;
	int result = -1;

	copy_describe_audio(r, track, out);
	out->begin = grid_sample(r->t[n], r->timescale, a->rate);
	out->end = last ? INT64_MAX : grid_sample(r->t[n + 1], r->timescale, a->rate);
	if (demux_open(&d, s, r, &part, f) == 0)
		result = collect_audio(&d, a, out, f);
	demux_close(&d);
	if (result != 0)
		return result;
	out->end = out->count ? out->samples[out->count - 1].pts + GRID_AAC_FRAME : out->begin;
	return track_set_times(out, f);
}
