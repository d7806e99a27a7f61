/* lib/av/index_scan.c - keyframes of files that have no table of them.
 * SPDX-License-Identifier: BSD-2-Clause
 * A small file is read from end to end. A large one is entered every few seconds: at a place that
 * its rate so far suggests, from where one reads on to the next keyframe. Any keyframes will do, as
 * long as they are some seconds apart. */
#include "lib/av/index.h"

#include <errno.h>
#include <string.h>

#include "lib/av/demux.h"
#include "lib/av/ebml.h"
#include "lib/base/must.h"
#include "lib/hls/ts.h"

enum {
	HEAD_LOOK = 1 << 20, /* where a head is looked for */
	STEP_S = 5,	     /* between the places where a large file is entered */
	TAIL_BYTES = 2 << 20,
	FLV_HEADER = 13, /* with the size of the tag that is not there */
	FLV_TAG = 11,
	FLV_AUDIO = 8,
	FLV_VIDEO = 9,
	FLV_SCRIPT = 18
};

struct scan {
	struct index *x;
	struct reader reader;
	AVPacket *packet;
	uint64_t bytes; /* read by readers that are closed */
	int64_t wraps;	/* MPEG-TS: turns of its clock */
};

static uint32_t be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* A tag's header with plausible words, its size, and where the next must stand. */
static bool flv_tag(struct reader *r, uint64_t at, uint64_t *next)
{
	const uint8_t *p;
	uint32_t size;

	if (reader_peek(r, at, FLV_TAG, &p) < FLV_TAG)
		return false;
	if ((p[0] != FLV_AUDIO && p[0] != FLV_VIDEO && p[0] != FLV_SCRIPT) || be24(p + 8) != 0)
		return false;
	size = be24(p + 1);
	if (reader_peek(r, at + FLV_TAG + size, 4, &p) < 4 ||
		((uint32_t)p[0] << 24 | be24(p + 1)) != size + FLV_TAG)
		return false;
	*next = at + FLV_TAG + size + 4;
	return true;
}

/* The first tag that begins at or after `from`, believed when another stands where it must. */
static uint64_t flv_sync(struct reader *r, uint64_t from)
{
	uint64_t next;

	for (uint64_t at = from; at < from + HEAD_LOOK * 8; at++) {
		const uint8_t *p;
		if (reader_peek(r, at, FLV_TAG, &p) < FLV_TAG)
			return 0;
		if ((p[0] == FLV_AUDIO || p[0] == FLV_VIDEO) && be24(p + 8) == 0 &&
			flv_tag(r, at, &next))
			return at;
	}
	return 0;
}

/* The file's header and the tags that set up decoders: those before any media. */
static int flv_head(struct index *x, struct buf *head)
{
	struct reader *r = &x->reader;
	const uint8_t *p;
	uint64_t at = FLV_HEADER, next;
	bool media = false;

	if (reader_peek(r, 0, FLV_HEADER, &p) < FLV_HEADER)
		return 0;
	buf_add(head, p, FLV_HEADER);
	x->media = 0;
	/* Both kinds are set up within the first few tags, if at all. */
	for (int i = 0; i < 64 && flv_tag(r, at, &next); i++, at = next) {
		if (reader_peek(r, at, FLV_TAG + 2, &p) < FLV_TAG + 2)
			break;
		bool setup = (p[0] == FLV_VIDEO && (p[FLV_TAG] & 15) == 7 && !p[FLV_TAG + 1]) ||
			     (p[0] == FLV_AUDIO && p[FLV_TAG] >> 4 == 10 && !p[FLV_TAG + 1]);
		if (setup && next - at <= 4096 &&
			reader_peek(r, at, (size_t)(next - at), &p) == (int)(next - at))
			buf_add(head, p, (size_t)(next - at));
		else if (!media && p[0] != FLV_SCRIPT && !setup) {
			media = true;
			x->media = at;
		}
	}
	return x->media > 0;
}

/* PAT and PMT as they first stand there: whole packets of these two. */
struct ts_tables {
	struct buf *head;
	struct ts ts;
	bool pat, pmt;
};

static void on_ts_packet(void *ctx, const struct ts_packet *p)
{
	struct ts_tables *t = ctx;

	if (t->head->len >= TS_PACKET * 32)
		return;
	if ((p->pid == 0 && p->start && !t->pat) ||
		(t->pat && p->pid == t->ts.program.pmt_pid && p->pid && !t->pmt)) {
		t->pat = true;
		/* A table may take several packets; when it is known, this was the last. */
		t->pmt = p->pid && t->ts.program.known;
		buf_add(t->head, p->bytes, TS_PACKET);
	}
}

static int ts_head(struct index *x, struct buf *head)
{
	struct ts_tables t = {.head = head};
	uint64_t at = 0;
	const uint8_t *p;
	int n;

	ts_init(&t.ts);
	while (!t.ts.program.known && at < HEAD_LOOK &&
		(n = reader_peek(&x->reader, at, TS_PACKET, &p)) == TS_PACKET) {
		ts_feed(&t.ts, p, (size_t)n, on_ts_packet, &t);
		at += (uint64_t)n;
	}
	x->media = 0;
	return t.ts.program.known && t.ts.program.pmt_pid;
}

static int matroska_head(struct index *x, struct buf *head, struct fail *f)
{
	struct ebml_map map;
	const uint8_t *p;
	int n;

	if (ebml_map(&x->reader, &map, f) < 0)
		return -1;
	x->has_cues = map.has_cues;
	x->media = map.first_cluster;
	if (!map.first_cluster)
		return fail_set(f, FAIL_INPUT, "The Matroska file has no media in it");
	if (map.first_cluster > RECORD_BLOB_MAX)
		return 0;
	n = reader_peek(&x->reader, 0, (size_t)map.first_cluster, &p);
	if (n < (int)map.first_cluster)
		return 0;
	buf_add(head, p, (size_t)n);
	return 1;
}

int index_head(struct index *x, struct fail *f)
{
	struct buf head;
	int found = 0;
	char *mine;

	buf_init(&head, RECORD_BLOB_MAX);
	if (x->out->container == RECORD_MATROSKA)
		found = matroska_head(x, &head, f);
	else if (x->out->container == RECORD_FLV)
		found = flv_head(x, &head);
	else if (x->out->container == RECORD_MPEG_TS)
		found = ts_head(x, &head);
	if (found > 0 && !head.failed) {
		mine = arena_copy(x->arena, buf_span(&head));
		x->out->head = span_make(mine, mine ? head.len : 0);
		x->out->flags |= mine ? RECORD_JOINED : 0;
		if (!mine)
			found = fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	}
	buf_release(&head);
	if (found >= 0 && x->reader.error)
		return reader_fail(&x->reader, 0, "The file", f);
	return found < 0 ? -1 : 0;
}

/* The time of a packet on a line that does not wrap: near to the last one that was seen. */
static int64_t straight(struct scan *s, int64_t pts)
{
	struct index *x = s->x;
	int64_t time = index_time(x, pts), turn;

	if (x->out->container != RECORD_MPEG_TS || time == DEMUX_NO_TIME)
		return time;
	turn = grid_scale((int64_t)1 << 33, (int64_t)x->out->timescale * x->base.num, x->base.den);
	if (x->last_time != INT64_MIN)
		time += grid_scale(x->last_time - time, 1, turn) * turn;
	return time;
}

static int next_picture(struct scan *s, int64_t *time, struct fail *f)
{
	int got;

	av_packet_unref(s->packet);
	while ((got = reader_next(&s->reader, s->packet, f)) > 0) {
		if (s->packet->stream_index == s->x->look.video) {
			*time = straight(s, s->packet->pts);
			if (*time != DEMUX_NO_TIME && *time > s->x->last_time)
				s->x->last_time = *time;
			return 1;
		}
		av_packet_unref(s->packet);
	}
	return got;
}

static int enter(struct scan *s, uint64_t at, struct fail *f)
{
	struct index *x = s->x;

	s->bytes += s->reader.bytes;
	reader_close(&s->reader);
	s->reader = (struct reader){0};
	if (reader_join(&s->reader, x->source, x->out->container, x->out->head, at, f) < 0)
		return -1;
	s->reader.budget = INDEX_BUDGET > s->bytes ? INDEX_BUDGET - s->bytes : 1;
	return 0;
}

/* A place at or after `at` where a demuxer can begin; 0 where there is none. */
static uint64_t sync(struct scan *s, uint64_t at)
{
	struct index *x = s->x;

	if (x->out->container == RECORD_MATROSKA)
		return ebml_cluster(&x->reader, at, x->source->size);
	if (x->out->container == RECORD_FLV)
		return flv_sync(&x->reader, at);
	return at;
}

static uint64_t place_of(const struct scan *s, uint64_t entered)
{
	/* Matroska begins at clusters, and MPEG-TS may say nothing. */
	uint64_t place = reader_place(&s->reader, s->packet);

	return s->x->out->container == RECORD_MATROSKA || !place ? entered : place;
}

/* The beginning of the cluster that a block stands in, as the demuxer has noted it; `entered` is
 * one that is not later. */
static uint64_t cluster_of(const struct scan *s, uint64_t entered)
{
	AVStream *st = s->reader.format->streams[s->packet->stream_index];
	const AVIndexEntry *e =
		avformat_index_get_entry_from_timestamp(st, s->packet->pts, AVSEEK_FLAG_BACKWARD);
	uint64_t place =
		e && e->timestamp == s->packet->pts ? reader_source_place(&s->reader, e->pos) : 0;

	return place > entered ? place : entered;
}

static int scan_all(struct scan *s, struct fail *f)
{
	struct index *x = s->x;
	uint64_t at = x->media;
	int64_t time;
	int got = enter(s, at, f);

	while (got >= 0 && (got = next_picture(s, &time, f)) > 0) {
		if (!(s->packet->flags & AV_PKT_FLAG_KEY))
			continue;
		if (x->out->container == RECORD_MATROSKA)
			at = cluster_of(s, at);
		else
			at = place_of(s, x->media);
		if (index_add(x, time, at, f) < 0)
			return -1;
	}
	return got;
}

/* Where to enter next: STEP_S on, at the rate so far. */
static uint64_t guess(const struct index *x)
{
	const struct grid_key *last = &x->keys[x->count - 1];
	double time = (double)(last->t - x->keys[0].t),
	       bytes = (double)(last->pos - x->keys[0].pos);
	double step = (double)STEP_S * x->out->timescale;

	return time > 0 ? last->pos + (uint64_t)(bytes / time * step)
			: last->pos + READER_RANGE_MIN;
}

/* The first keyframe that is met from `at` on is added: 1; none before the end: 0. */
static int add_from(struct scan *s, uint64_t at, struct fail *f)
{
	size_t before = s->x->count;
	int64_t time;
	int got = enter(s, at, f);

	while (got >= 0 && (got = next_picture(s, &time, f)) > 0) {
		if (!(s->packet->flags & AV_PKT_FLAG_KEY))
			continue;
		if (index_add(s->x, time,
			    s->x->out->container == RECORD_MATROSKA ? cluster_of(s, at)
								    : place_of(s, at),
			    f) < 0)
			return -1;
		if (s->x->count > before)
			return 1;
	}
	return got;
}

static int scan_some(struct scan *s, struct fail *f)
{
	struct index *x = s->x;
	uint64_t size = x->source->size, at;
	int64_t time;
	int got = add_from(s, x->media, f);

	while (got > 0 && (at = sync(s, guess(x))) > 0 && at < size)
		got = add_from(s, at, f);
	if (got < 0)
		return -1;
	/* The last picture of all. */
	at = sync(s, size > TAIL_BYTES ? size - TAIL_BYTES : x->media);
	if (!at || enter(s, at, f) < 0)
		return at ? -1 : 0;
	while ((got = next_picture(s, &time, f)) > 0)
		continue;
	return got;
}

int index_scan(struct index *x, struct fail *f)
{
	struct scan s = {.x = x, .packet = av_packet_alloc()};
	int result;

	if (!s.packet)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	result = x->source->size <= INDEX_SMALL ? scan_all(&s, f) : scan_some(&s, f);
	/* More reading than it is worth: the fixed grid, with what is known. */
	if (result < 0 && s.reader.error == EDQUOT && x->count) {
		x->out->flags |= RECORD_FIXED_GRID;
		x->out->flags &= ~(uint32_t)RECORD_COPY;
		result = 0;
	}
	av_packet_free(&s.packet);
	reader_close(&s.reader);
	return result;
}
