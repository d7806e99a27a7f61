/* lib/av/picture.c - decoded pictures of a segment, in the order in which they are shown.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/picture.h"

#include <libavutil/imgutils.h>
#include <libavutil/mem.h>
#include <string.h>

#include "lib/av/bounds.h"
#include "lib/av/decoder.h"
#include "lib/av/demux.h"
#include "lib/av/filter.h"
#include "lib/hls/grid.h"

enum { SLOTS_MAX = 65536, DELAY_SLOTS = 8, VOP_B = 2 };

struct pictures {
	const struct record *r;
	const struct picture_want *want;
	struct demux d;
	AVCodecContext *decoder;
	AVFrame *decoded, *filtered;
	AVFrame *before; /* the latest picture before the segment; without a buffer: none */
	bool some;	 /* a picture was handed out */
	struct filter filter;
	int64_t begin, end; /* of the segment */
	int64_t key;	    /* packets before this keyframe are not wanted */
	int64_t last;	    /* time of the latest picture from the decoder */
	bool begun;	    /* the keyframe has come */
	bool done;	    /* a picture beyond the end has come, or enough */
	/* Where pictures have no times of their own packets are numbered, and pictures counted. */
	int64_t *slots; /* times of packets that are not empty, in their order */
	size_t slot_count, shown;
	int64_t sent, next_key; /* numbers of the next packet, and of the next segment's keyframe */
	int64_t base;		/* time of the first picture that is counted */
	int64_t *leads; /* what the pictures before a keyframe put off: base, end, NULL: none */
};

int64_t picture_step(const struct record *r)
{
	int64_t s = r->video.rate_n ? grid_scale(r->timescale, r->video.rate_d, r->video.rate_n)
				    : r->timescale / 25;

	return s > 0 ? s : 1;
}

/* Hands out what has come through the filter. */
static int hand_out(struct pictures *p, struct fail *f)
{
	int got;

	while ((got = filter_receive(&p->filter, p->filtered, f)) > 0) {
		int result = 0;
		if (p->filtered->pts >= p->begin && p->filtered->pts < p->end) {
			result = p->want->each(p->want->ctx, p->filtered, f);
			p->some = true;
		}
		av_frame_unref(p->filtered);
		if (result < 0)
			return -1;
	}
	return got;
}

static int filter(struct pictures *p, AVFrame *frame, struct fail *f)
{
	if (!filter_takes(&p->filter, frame)) {
		if (p->filter.graph && (filter_send(&p->filter, NULL, f) < 0 || hand_out(p, f) < 0))
			return -1;
		if (filter_set(&p->filter, frame, f) < 0)
			return -1;
	}
	return filter_send(&p->filter, frame, f) < 0 ? -1 : hand_out(p, f);
}

/* Whether pictures of even steps are counted that the file has in another order than they are
 * shown. */
static bool is_reordered(const struct pictures *p)
{
	return p->r->container == RECORD_AVI && !(p->r->flags & RECORD_VFR) &&
	       strcmp(p->r->video.codec, "mpeg4") == 0;
}

/* Slots that an encoder left empty before its first picture that is shown before another; so much
 * later than it is counted is every picture behind. */
static int64_t delay(const struct pictures *p)
{
	int64_t empty = 0, full = 0, first = 0;

	if (!p->decoder->has_b_frames || !is_reordered(p))
		return 0;
	/* The table may have them as entries of no bytes, or not at all. */
	for (int i = 0; i < DELAY_SLOTS; i++) {
		const AVIndexEntry *e = avformat_index_get_entry(p->d.st, i);
		if (!e || !e->size)
			continue;
		first = full ? first : e->timestamp;
		if (e->timestamp - first < DELAY_SLOTS)
			empty = e->timestamp - first - full;
		full++;
	}
	return empty * picture_step(p->r);
}

/* The time of a counted picture: as many steps on as pictures were shown since the keyframe, or
 * where the packets that are not empty are. There may be one more than there is room for. */
static int64_t counted_time(struct pictures *p, const AVFrame *frame)
{
	bool is_fixed = p->r->flags & RECORD_FIXED_GRID;
	int64_t time;

	/* What comes before the keyframe needs pictures that were not decoded. */
	if (!p->shown && frame->pts > 0)
		return DEMUX_NO_TIME;
	if (frame->pts == p->next_key && p->next_key > 0)
		return p->end;
	if (!p->shown && p->base > 0)
		p->base -= delay(p);
	/* A damaged file's keyframe may be another one. */
	if (!p->shown && !is_fixed && p->base < p->end)
		p->begin = p->base;
	else if (!is_fixed)
		p->base = p->begin;
	if (p->r->flags & RECORD_VFR && p->shown < p->slot_count)
		time = p->slots[p->shown];
	else
		time = p->base + (int64_t)p->shown * picture_step(p->r);
	p->shown++;
	if (time < p->end || is_fixed)
		return time;
	if (p->last == DEMUX_NO_TIME || p->last >= p->end)
		return DEMUX_NO_TIME;
	return p->last + (p->end - p->last) / 2;
}

/* The time of a decoded picture on the title's line; DEMUX_NO_TIME: it is not to be shown. */
static int64_t time_of(struct pictures *p, const AVFrame *frame)
{
	int64_t time;

	if (p->r->flags & RECORD_COUNTED)
		return counted_time(p, frame);
	time = demux_time(p->r, p->d.st->time_base,
		frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp);
	if (time == DEMUX_NO_TIME && p->last != DEMUX_NO_TIME)
		time = p->last + picture_step(p->r);
	/* Two pictures cannot be shown at once. */
	return p->last != DEMUX_NO_TIME && time <= p->last ? DEMUX_NO_TIME : time;
}

static int take(struct pictures *p, struct fail *f)
{
	AVFrame *frame = p->decoded;
	int64_t time = time_of(p, frame);
	int result;

	if (time == DEMUX_NO_TIME)
		return 0;
	p->last = time;
	if (time < p->begin) {
		av_frame_unref(p->before);
		av_frame_move_ref(p->before, frame);
	}
	if (time < p->begin || p->done)
		return 0;
	/* The one after the last is what a deinterlacer looks ahead to. */
	p->done = time >= p->end || p->want->first_only;
	if (time >= p->end && !(p->r->flags & RECORD_INTERLACED))
		return 0;
	frame->pts = time;
	frame->pict_type = AV_PICTURE_TYPE_NONE;
	frame->sample_aspect_ratio = (AVRational){1, 1};
	result = filter(p, frame, f);
	return result;
}

static int decode(struct pictures *p, const AVPacket *packet, struct fail *f)
{
	int got;

	if (decoder_send(p->decoder, packet, f) < 0)
		return -1;
	while ((got = decoder_receive(p->decoder, p->decoded, f)) > 0) {
		int result = take(p, f);
		av_frame_unref(p->decoded);
		if (result < 0)
			return -1;
	}
	return got;
}

/* Counts the pictures of MPEG-4 that follow a keyframe and are shown before it, in packets of their
 * own or in the keyframe's.	ISO/IEC 14496-2 section 6.2.5 */
static void count_leading(struct pictures *p, const AVPacket *packet, bool is_key)
{
	const uint8_t *at = packet->data, *end = at + packet->size;

	while (p->leads && end - at > 4 && (at = memmem(at, (size_t)(end - at), "\0\0\1\xb6", 4)) &&
		end - at > 4) {
		if (at[4] >> 6 == VOP_B)
			*p->leads += picture_step(p->r);
		else if (!is_key)
			p->leads = NULL;
		is_key = false;
		at += 4;
	}
}

/* Numbers a packet, for its picture to be known by. */
static void number(struct pictures *p, AVPacket *packet, int64_t time)
{
	bool key = packet->flags & AV_PKT_FLAG_KEY, is_fixed = p->r->flags & RECORD_FIXED_GRID;
	bool is_first = p->sent == 0;

	key = key && !is_first && !p->next_key && time != DEMUX_NO_TIME && time >= p->end;
	if (is_first) {
		p->base = time != DEMUX_NO_TIME ? time : p->begin;
		p->leads = is_reordered(p) ? &p->base : NULL;
	} else if (key) {
		p->next_key = p->sent;
		p->leads = is_reordered(p) && !is_fixed ? &p->end : NULL;
		p->end -= is_fixed ? 0 : delay(p);
	}
	if (packet->size > 0)
		count_leading(p, packet, is_first || key);
	/* An empty packet is a picture that is not there. */
	if (packet->size > 0 && time != DEMUX_NO_TIME && p->slot_count < SLOTS_MAX)
		p->slots[p->slot_count++] = time;
	packet->pts = p->sent++;
}

/* Whether the decoder is to see this packet; it begins with a keyframe. */
static bool wants(struct pictures *p, AVPacket *packet)
{
	int64_t time = demux_packet_time(&p->d, packet);

	if (!p->begun && packet->flags & AV_PKT_FLAG_KEY &&
		(time == DEMUX_NO_TIME || time >= p->key))
		p->begun = true;
	if (p->begun && p->r->flags & RECORD_COUNTED)
		number(p, packet, time);
	return p->begun && packet->size > 0;
}

static int run(struct pictures *p, struct fail *f)
{
	AVPacket *packet = av_packet_alloc();
	int result = packet ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for pictures");
	int got = 0;

	while (result == 0 && !p->done && (got = demux_next(&p->d, packet, f)) > 0) {
		if (!p->decoder && !(p->decoder = decoder_open(p->d.st, p->want->threads, f)))
			result = -1;
		else if (wants(p, packet))
			result = decode(p, packet, f);
		av_packet_unref(packet);
	}
	if (got < 0)
		result = -1;
	if (result == 0 && !p->done && p->decoder)
		result = decode(p, NULL, f);
	if (result == 0 && p->filter.graph &&
		(filter_send(&p->filter, NULL, f) < 0 || hand_out(p, f) < 0))
		result = -1;
	av_packet_free(&packet);
	return result;
}

/* Black, of the size that is wanted. */
static int hand_out_black(struct pictures *p, struct fail *f)
{
	AVFrame *frame = p->filtered;
	ptrdiff_t lines[4];
	int result = -1;

	frame->format = p->want->jpeg ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
	frame->width = p->want->width;
	frame->height = p->want->height;
	frame->pts = p->begin;
	if (av_frame_get_buffer(frame, 0) < 0)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for pictures");
	for (int i = 0; i < 4; i++)
		lines[i] = frame->linesize[i];
	if (av_image_fill_black(frame->data, lines, frame->format,
		    p->want->jpeg ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG, frame->width,
		    frame->height) >= 0)
		result = p->want->each(p->want->ctx, frame, f);
	av_frame_unref(frame);
	return result;
}

/* Where no picture of the segment is due, or none can be decoded, a player needs one all the same:
 * the one before is shown on, or none. */
static int hand_out_one(struct pictures *p, struct fail *f)
{
	AVFrame *frame = p->before;

	if (!frame->buf[0])
		return hand_out_black(p, f);
	filter_release(&p->filter);
	frame->pts = p->begin;
	frame->pict_type = AV_PICTURE_TYPE_NONE;
	frame->sample_aspect_ratio = (AVRational){1, 1};
	return filter(p, frame, f) < 0 || filter_send(&p->filter, NULL, f) < 0 ? -1
									       : hand_out(p, f);
}

/* Where to begin, and where the segment ends. */
static int plan(struct pictures *p, const struct av_source *s, size_t n, struct fail *f)
{
	const struct record *r = p->r;
	bool last = n + 1 == r->segments;

	p->begin = r->t[n];
	p->end = last ? INT64_MAX : r->t[n + 1];
	p->key = r->flags & RECORD_FIXED_GRID ? INT64_MIN : p->begin;
	if (!(r->flags & RECORD_OPEN_GOP) || r->flags & RECORD_FIXED_GRID)
		return 0;
	/* Pictures that are shown before the keyframe need what stands before it. */
	if (n > 0 && bounds_begin(s, r, n, &p->begin, f) < 0)
		return -1;
	if (!last && bounds_begin(s, r, n + 1, &p->end, f) < 0)
		return -1;
	if (n > 0 && p->begin < r->t[n])
		p->key = r->t[n - 1];
	return 0;
}

int picture_each(const struct av_source *s, const struct record *r, size_t n,
	const struct picture_want *want, int64_t *end, struct fail *f)
{
	struct pictures p = {.r = r, .want = want, .last = DEMUX_NO_TIME};
	struct demux_part part = {r->video.stream, r->video.codec, 0, 0};
	int result = -1;

	p.filter = (struct filter){.record = r, .want = want};
	p.decoded = av_frame_alloc();
	p.filtered = av_frame_alloc();
	p.before = av_frame_alloc();
	p.slots = av_malloc_array(SLOTS_MAX, sizeof(*p.slots));
	if (!p.decoded || !p.filtered || !p.before || !p.slots) {
		fail_set(f, FAIL_INTERNAL, "There is no memory for pictures");
		goto out;
	}
	if (plan(&p, s, n, f) < 0)
		goto out;
	part.time = p.key == INT64_MIN || p.key >= r->t[n] ? r->t[n] : p.key;
	part.stop = p.end;
	if (demux_open(&p.d, s, r, &part, f) == 0)
		result = run(&p, f);
	*end = p.end;
	if (p.end == INT64_MAX)
		*end = p.some ? p.last + picture_step(r) : r->t[n + 1];
	if (result == 0 && !p.some)
		result = hand_out_one(&p, f);
out:
	demux_close(&p.d);
	filter_release(&p.filter);
	av_free(p.slots);
	av_frame_free(&p.decoded);
	av_frame_free(&p.filtered);
	av_frame_free(&p.before);
	avcodec_free_context(&p.decoder);
	return result;
}
