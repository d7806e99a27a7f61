/* lib/hls/splice.c - one clean stream out of whatever a source sends.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/splice.h"

#include <string.h>

#include "lib/base/must.h"
#include "lib/base/span.h"
#include "lib/hls/psi.h"

#define S 90000 /* a second */

enum {
	VIDEO_MAX = 4 << 20, /* bytes of one picture */
	AUDIO_MAX = 128 << 10,
	START = 10 * S,
	HOLE = 10 * S,	     /* a step longer than this is a jump of the clock */
	BACK = S / 2,	     /* so far back is disorder, further is a jump */
	AGAIN = 30 * S,	     /* what a gateway sends again after a connection */
	AGAIN_MS = 5000,     /* and how fast */
	DECIDE = 2 * S,	     /* a stream that the table names and nobody saw in that time is none */
	VANISH = 4 * S,	     /* and this long once it was there */
	ENTRY = 5 * S,	     /* some pictures never say where one can begin */
	CLOCK_AHEAD = 63000, /* of the reference before the times of units */
	TABLES_EVERY = S / 2,
	TOGETHER = 3 * S, /* what lies at most between the jumps of both streams */
	DOUBTS = 2,
	SEEN_MOST = S / 2, /* of what goes by between two units; more is a hole, or a jump */
	STEP_MIN = 900,
	STEP_MAX = 9000
};

bool splice_shape_same(const struct splice_shape *a, const struct splice_shape *b)
{
	return a->known == b->known && a->video == b->video && a->audio == b->audio &&
	       a->types[SPLICE_VIDEO] == b->types[SPLICE_VIDEO] &&
	       a->types[SPLICE_AUDIO] == b->types[SPLICE_AUDIO] &&
	       a->picture.width == b->picture.width && a->picture.height == b->picture.height &&
	       a->picture.aspect == b->picture.aspect;
}

bool splice_init(struct splice *s, const char *languages, pes_packet_fn *each, void *ctx)
{
	*s = (struct splice){.each = each, .ctx = ctx};
	for (const char *from = languages ? languages : ""; *from; from++) {
		size_t len = strlen(s->languages);
		if (len + 1 < sizeof(s->languages))
			s->languages[len] = *from;
	}
	s->streams[SPLICE_VIDEO] = (struct splice_stream){.pid = -1, .step = S / 25, .waits = true};
	s->streams[SPLICE_AUDIO] = (struct splice_stream){.pid = -1, .step = S * 1024LL / 48000};
	if (pes_init(&s->streams[SPLICE_VIDEO].unit, VIDEO_MAX) &&
		pes_init(&s->streams[SPLICE_AUDIO].unit, AUDIO_MAX))
		return true;
	splice_release(s);
	return false;
}

void splice_release(struct splice *s)
{
	for (int i = 0; i < SPLICE_KINDS; i++)
		pes_release(&s->streams[i].unit);
}

void splice_join(struct splice *s)
{
	for (int i = 0; i < SPLICE_KINDS; i++) {
		pes_drop(&s->streams[i].unit);
		s->streams[i].joining = true;
	}
	s->joined_ms = s->now_ms;
}

void splice_restart(struct splice *s)
{
	for (int i = 0; i < SPLICE_KINDS; i++) {
		s->streams[i].begun = false;
		s->streams[i].waits = i == SPLICE_VIDEO;
		s->streams[i].waited = 0;
	}
}

/* --- which streams ---------------------------------------------------------------------------- */

/* The place of its language in the list, after it the others, after them those for the few. */
static int rank(const struct splice *s, const struct ts_stream *t)
{
	struct span rest = span_of(s->languages), word;
	int at = 0;

	if (t->audio_type >= 2)
		return 1000;
	for (; span_next(&rest, ' ', &word); at++) {
		if (word.len && span_is(word, t->language))
			return at;
	}
	return at + 1;
}

static const struct ts_stream *choose_sound(const struct splice *s, const struct ts_program *p)
{
	const struct ts_stream *best = NULL;

	for (size_t i = 0; i < p->count; i++) {
		const struct ts_stream *t = &p->streams[i];
		if (t->codec >= TS_AAC && (!best || rank(s, t) < rank(s, best)))
			best = t;
	}
	return best;
}

static bool is_other(const struct splice_stream *st, const struct ts_stream *t)
{
	return t ? t->pid != st->pid || t->type != st->type : st->pid >= 0;
}

static void use_stream(struct splice_stream *st, const struct ts_stream *t, bool video)
{
	enum ts_codec codec = t ? t->codec : TS_OTHER;

	pes_drop(&st->unit);
	st->pid = t ? t->pid : -1;
	st->type = t ? t->type : 0;
	st->joining = true;
	st->absent = false;
	st->ready = !t;
	st->waits |= video && codec != st->codec;
	st->codec = codec;
	st->doubts = 0;
}

/* --- what they are ---------------------------------------------------------------------------- */

/* The stream itself is believed more than the table: pictures at once, sound when it insists. */
static void check_codec(struct splice_stream *st, bool video, const uint8_t *es, size_t len)
{
	enum ts_codec seen = video ? es_video_codec(es, len) : es_audio_codec(es, len);

	if (seen == TS_OTHER || seen == st->codec) {
		st->doubts = 0;
		return;
	}
	if (!video && ++st->doubts < DOUBTS)
		return;
	st->codec = seen;
	st->doubts = 0;
	st->waits |= video;
}

static bool is_missing(const struct splice_stream *st, const struct splice_stream *other)
{
	return st->pid < 0 || st->absent ||
	       (other->pid >= 0 && other->run - st->other_run > (st->ready ? VANISH : DECIDE));
}

static void update_shape(struct splice *s)
{
	struct splice_stream *video = &s->streams[SPLICE_VIDEO], *audio = &s->streams[SPLICE_AUDIO];
	struct splice_shape shape = {.known = true};

	video->absent = is_missing(video, audio);
	audio->absent = is_missing(audio, video) && !video->absent;
	if ((!video->absent && !video->ready) ||
		(!audio->absent && audio->pid >= 0 && !audio->ready))
		return;
	if (!video->absent) {
		shape.video = video->codec;
		shape.types[SPLICE_VIDEO] = video->codec == TS_OTHER_VIDEO ? video->type : 0;
		shape.picture = s->picture;
	}
	if (!audio->absent && audio->pid >= 0) {
		shape.audio = audio->codec;
		shape.types[SPLICE_AUDIO] = audio->codec == TS_OTHER_AUDIO ? audio->type : 0;
	}
	if (splice_shape_same(&shape, &s->shape))
		return;
	if (s->shape.known) /* what comes is for another reader */
		splice_restart(s);
	s->shape = shape;
	s->version++;
}

/* A unit was seen, whether it is given out or not. */
static void note(struct splice *s, int kind, const struct pes_times *t, bool entry)
{
	struct splice_stream *st = &s->streams[kind], *other = &s->streams[!kind];
	const uint8_t *es = st->unit.bytes + t->payload;
	int64_t step = pes_step(st->seen, t->dts);

	if (t->has_pts && step > 0 && step <= HOLE && !st->anew)
		st->run += step < SEEN_MOST ? step : SEEN_MOST;
	if (t->has_pts)
		st->seen = t->dts;
	st->other_run = other->run;
	st->absent = false;
	st->ready |= kind == SPLICE_AUDIO ? st->doubts == 0 : entry;
	if (kind == SPLICE_VIDEO && entry)
		es_read_picture(st->codec, es, st->unit.len - t->payload, &s->picture);
	update_shape(s);
}

/* --- when they are ---------------------------------------------------------------------------- */

enum place { PLACE_NEXT, PLACE_LATER, PLACE_NEW, PLACE_OUT };

/* The first unit: where the other stream is, or at the beginning. */
static enum place place_first(
	struct splice *s, struct splice_stream *st, const struct splice_stream *other, int64_t dts)
{
	int64_t near = other->begun ? other->out : START, apart = HOLE + 1;

	if (other->begun)
		apart = pes_step(near, dts + other->offset);
	if (apart > HOLE || apart < -HOLE) {
		apart = 0;
		st->offset = near - dts;
		st->era = ++s->era;
	} else {
		st->offset = other->offset;
		st->era = other->era;
	}
	st->out = near + apart;
	st->src = dts;
	st->begun = true;
	return PLACE_NEW;
}

/* The source's clock jumped: on, as if it had not; or to where the other stream has gone on. */
static enum place place_jump(
	struct splice *s, struct splice_stream *st, const struct splice_stream *other, int64_t dts)
{
	int64_t step = st->step;

	st->anew = false;
	st->offset = st->out + step - dts;
	if (other->begun && (int)(other->era - st->era) > 0 &&
		other->run - other->jump_run < TOGETHER) {
		int64_t there = pes_step(st->out, dts + other->offset);
		if (there > -HOLE && there <= HOLE) {
			step = there;
			st->offset = other->offset;
		}
		st->era = other->era;
	} else {
		st->era = ++s->era;
		st->jump_run = st->run;
		s->jumps++;
	}
	st->src = dts - step; /* of what was given out last, by the new clock */
	if (step <= 0)
		return PLACE_OUT;
	st->out += step;
	st->src = dts;
	return PLACE_NEW;
}

static enum place place(struct splice *s, int kind, int64_t dts)
{
	struct splice_stream *st = &s->streams[kind], *other = &s->streams[!kind];
	int64_t step = pes_step(st->src, dts);
	bool again = st->joining && s->now_ms - s->joined_ms < AGAIN_MS;

	if (!st->begun)
		return place_first(s, st, other, dts);
	if (st->anew)
		return place_jump(s, st, other, dts);
	if (step <= 0 && step > -(again ? AGAIN : BACK))
		return PLACE_OUT;
	if (step <= 0 || step > HOLE)
		return place_jump(s, st, other, dts);
	st->out += step;
	st->src = dts;
	if (step > st->step * 5 / 2)
		return PLACE_LATER;
	if (step >= STEP_MIN && step <= STEP_MAX)
		st->step = step;
	return PLACE_NEXT;
}

static enum ts_codec shown_codec(const struct splice *s, int kind)
{
	return kind == SPLICE_VIDEO ? s->shape.video : s->shape.audio;
}

/* Whether the unit is given out: the first picture, and the first after something is missing at a
 * new connection, has to be one that a decoder can begin with. */
static bool admit(struct splice *s, int kind, const struct pes_times *t, bool entry)
{
	struct splice_stream *st = &s->streams[kind], *other = &s->streams[!kind], before = *st;
	enum place where;

	if (!st->ready || (s->shape.known && st->codec != shown_codec(s, kind)))
		return false;
	if (!t->has_pts)
		return st->begun && !st->joining && !st->waits;
	if (kind == SPLICE_AUDIO && other->pid >= 0 && !other->absent && !other->begun)
		return false;
	where = place(s, kind, t->dts);
	if (where == PLACE_OUT)
		return false;
	st->waits |= kind == SPLICE_VIDEO && st->joining && where != PLACE_NEXT;
	st->joining = false;
	if (st->waits && !entry && st->waited < ENTRY) {
		st->waited += st->step;
		before.waits = true;
		before.waited = st->waited;
		before.joining = false;
		*st = before;
		return false;
	}
	st->waits = false;
	st->waited = 0;
	return true;
}

/* --- the output ------------------------------------------------------------------------------- */

int64_t splice_given_us(const struct splice *s)
{
	int64_t last = START;

	for (int i = 0; i < SPLICE_KINDS; i++) {
		if (s->streams[i].begun && s->streams[i].out > last)
			last = s->streams[i].out;
	}
	return (last - START) * 100 / 9;
}

static void put_tables(
	const struct splice *s, uint8_t counters[SPLICE_TABLES], pes_packet_fn *each, void *ctx)
{
	const struct splice_shape *shape = &s->shape;
	struct psi psi = {.pmt_pid = SPLICE_PMT_PID,
		.pcr_pid = shape->video ? SPLICE_VIDEO_PID : SPLICE_AUDIO_PID,
		.version = s->version,
		.counters = counters};

	if (shape->video)
		psi.streams[psi.count++] = (struct psi_stream){
			SPLICE_VIDEO_PID, shape->video, shape->types[SPLICE_VIDEO]};
	if (shape->audio)
		psi.streams[psi.count++] = (struct psi_stream){
			SPLICE_AUDIO_PID, shape->audio, shape->types[SPLICE_AUDIO]};
	psi_print(&psi, each, ctx);
}

void splice_tables(const struct splice *s, pes_packet_fn *each, void *ctx)
{
	uint8_t counters[SPLICE_TABLES];

	/* As if they were the last ones: others read on, and must not miss any. */
	for (int i = 0; i < SPLICE_TABLES; i++)
		counters[i] = (uint8_t)((s->table_counters[i] - 1) & 15);
	put_tables(s, counters, each, ctx);
}

static void put_unit(struct splice *s, int kind, const struct pes_times *t, bool entry)
{
	struct splice_stream *st = &s->streams[kind];
	bool clock = kind == SPLICE_VIDEO || !s->shape.video;
	size_t size = st->unit.len - 6;
	struct pes_out how = {.pid = kind == SPLICE_VIDEO ? SPLICE_VIDEO_PID : SPLICE_AUDIO_PID,
		.counter = &st->counter,
		.entry = entry,
		.pcr = clock && t->has_pts ? st->out - CLOCK_AHEAD : -1};

	if (t->has_pts)
		pes_move(st->unit.bytes, t, st->offset);
	/* Said where it can be, so that the reader need not wait for the next one. */
	st->unit.bytes[4] = size > 0xffff ? 0 : (uint8_t)(size >> 8);
	st->unit.bytes[5] = size > 0xffff ? 0 : (uint8_t)size;
	if (s->shape.known && clock && (entry || st->out - s->tables_at >= TABLES_EVERY)) {
		put_tables(s, s->table_counters, s->each, s->ctx);
		s->tables_at = st->out;
	}
	pes_print(st->unit.bytes, st->unit.len, &how, s->each, s->ctx);
	s->units++;
}

static void take_unit(struct splice *s, int kind)
{
	struct splice_stream *st = &s->streams[kind];
	struct pes_times t;
	const uint8_t *es;
	bool entry;
	size_t len;

	if (st->unit.damaged || !pes_times(st->unit.bytes, st->unit.len, &t))
		return;
	es = st->unit.bytes + t.payload;
	len = st->unit.len - t.payload;
	check_codec(st, kind == SPLICE_VIDEO, es, len);
	entry = kind == SPLICE_VIDEO && es_is_entry(st->codec, es, len);
	note(s, kind, &t, entry);
	if (admit(s, kind, &t, entry))
		put_unit(s, kind, &t, entry || !s->shape.video);
	else
		s->left_out++;
}

static void use_program(struct splice *s, const struct ts_program *p)
{
	const struct ts_stream *wanted[SPLICE_KINDS] = {ts_video(p), choose_sound(s, p)};
	bool news = !s->used;

	for (int kind = 0; kind < SPLICE_KINDS; kind++) {
		struct splice_stream *st = &s->streams[kind];
		if (!is_other(st, wanted[kind]))
			continue;
		if (pes_is_whole(&st->unit)) /* nothing more comes to end it */
			take_unit(s, kind);
		use_stream(st, wanted[kind], kind == SPLICE_VIDEO);
		news = true;
	}
	s->used = true;
	if (news)
		update_shape(s);
}

void splice_packet(struct splice *s, const struct ts_program *program, const struct ts_packet *p)
{
	if (!program->known)
		return;
	if (p->start)
		use_program(s, program);
	for (int kind = 0; kind < SPLICE_KINDS; kind++) {
		struct splice_stream *st = &s->streams[kind];
		if (p->pid != st->pid)
			continue;
		if (pes_end(&st->unit, p->bytes) == PES_DONE)
			take_unit(s, kind);
		if (pes_add(&st->unit, p->bytes) == PES_DONE)
			take_unit(s, kind);
	}
}

void splice_seam(struct splice *s, bool anew)
{
	for (int kind = 0; kind < SPLICE_KINDS; kind++) {
		struct splice_stream *st = &s->streams[kind];
		if (!anew) {
			pes_seam(&st->unit);
			continue;
		}
		if (pes_is_whole(&st->unit))
			take_unit(s, kind);
		pes_drop(&st->unit);
		st->anew = st->begun;
	}
}
