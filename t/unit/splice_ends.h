/* t/unit/splice_ends.h - a source of MPEG-TS for a splice, and a reader of what comes out of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_T_SPLICE_ENDS_H
#define SLUICE_T_SPLICE_ENDS_H

#include "lib/base/buf.h"
#include "lib/hls/repeat.h"
#include "lib/hls/splice.h"
#include "t/unit/tap.h"

enum { FRAME = 3600, SOUND = 1920, PICTURES_A_GROUP = 25 };

/* --- a source --------------------------------------------------------------------------------- */

struct source {
	struct buf bytes;
	int pids[SPLICE_KINDS];
	uint8_t types[SPLICE_KINDS]; /* what the table says; 0: it does not name the stream */
	enum ts_codec video, audio;  /* what is sent; TS_OTHER: nothing */
	uint8_t counters[0x2000];
	int64_t clock; /* added to all times */
	unsigned version;
	const char *languages[2]; /* of the sound, and of a second one on the pid after it */
};

static void put(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	(void)entry;
	buf_add(ctx, packet, TS_PACKET);
}

static void put_section(struct source *s, int pid, const uint8_t *section, size_t len)
{
	uint8_t packet[TS_PACKET];
	uint32_t crc = ts_crc(section, len);

	memset(packet, 0xff, sizeof(packet));
	packet[0] = 0x47;
	packet[1] = (uint8_t)(0x40 | pid >> 8);
	packet[2] = (uint8_t)pid;
	packet[3] = (uint8_t)(0x10 | s->counters[pid]++ % 16);
	packet[4] = 0;
	memcpy(packet + 5, section, len);
	for (int i = 0; i < 4; i++)
		packet[5 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
	buf_add(&s->bytes, packet, sizeof(packet));
}

static size_t name_stream(uint8_t *to, uint8_t type, int pid, const char *language)
{
	const uint8_t head[] = {
		type, (uint8_t)(0xe0 | pid >> 8), (uint8_t)pid, 0xf0, language ? 6 : 0, 0x0a, 4};

	memcpy(to, head, sizeof(head));
	if (!language)
		return 5;
	memcpy(to + 7, language, 3);
	to[10] = 0;
	return 11;
}

static void put_tables(struct source *s)
{
	const uint8_t pat[] = {0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 7, 0xe0 | 0x12, 0x34};
	uint8_t pmt[64] = {2, 0xb0, 0, 0, 7, (uint8_t)(0xc1 | s->version % 32 << 1), 0, 0, 0xff,
		0xff, 0xf0, 0};
	size_t len = 12;

	for (int i = 0; i < SPLICE_KINDS; i++) {
		if (s->types[i])
			len += name_stream(pmt + len, s->types[i], s->pids[i],
				i == SPLICE_AUDIO ? s->languages[0] : NULL);
	}
	if (s->languages[1])
		len += name_stream(pmt + len, s->types[SPLICE_AUDIO], s->pids[SPLICE_AUDIO] + 1,
			s->languages[1]);
	len += name_stream(pmt + len, 0x06, 0x300, NULL); /* subtitles, as far as we know */
	pmt[2] = (uint8_t)(len + 4 - 3);
	put_section(s, 0, pat, sizeof(pat));
	put_section(s, 0x1234, pmt, len);
}

/* A unit that carries its number `n` at its end. */
static void put_unit(struct source *s, int pid, uint8_t id, const uint8_t *start, size_t start_len,
	size_t len, int64_t dts, int n)
{
	uint8_t pes[2048] = {0, 0, 1, id, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1};
	struct pes_times t = {.has_pts = true};
	struct pes_out how = {.pid = (uint16_t)pid, .counter = &s->counters[pid], .pcr = -1};

	pes_move(pes, &t, dts + s->clock);
	memset(pes + 14, 0xaa, len);
	memcpy(pes + 14, start, start_len);
	pes[14 + len - 2] = (uint8_t)(n >> 8);
	pes[14 + len - 1] = (uint8_t)n;
	if (id == 0xc0) {
		pes[4] = (uint8_t)((14 + len - 6) >> 8);
		pes[5] = (uint8_t)(14 + len - 6);
	}
	pes_print(pes, 14 + len, &how, put, &s->bytes);
}

static const uint8_t h264_entry[] = {0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9,
	0x00, 0xa0, 0x3d, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x32,
	0x0f, 0x16, 0x2e, 0x48, 0, 0, 1, 0x65, 0x88};
static const uint8_t h264_other[] = {0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a};
static const uint8_t mpeg2_entry[] = {0, 0, 1, 0xb3, 0x2d, 0x02, 0x40, 0x33, 0xff, 0xff};
static const uint8_t mpeg2_other[] = {0, 0, 1, 0x00, 0, 0x0f};
static const uint8_t adts[] = {0xff, 0xf1, 0x4c, 0x80, 0x10, 0x1f, 0xfc, 0x21};
static const uint8_t layer2[] = {0xff, 0xfd, 0x84, 0x04, 0x33, 0x33, 0x33, 0x33};

/* Picture and sound number `n`; two sounds go with one picture now and then. */
static void put_picture(struct source *s, int n)
{
	bool entry = n % PICTURES_A_GROUP == 0, mpeg2 = s->video == TS_MPEG2_VIDEO;

	if (entry)
		put_tables(s);
	if (s->video != TS_OTHER && mpeg2)
		put_unit(s, s->pids[SPLICE_VIDEO], 0xe0, entry ? mpeg2_entry : mpeg2_other,
			entry ? sizeof(mpeg2_entry) : sizeof(mpeg2_other), 700, n * (int64_t)FRAME,
			n);
	else if (s->video != TS_OTHER)
		put_unit(s, s->pids[SPLICE_VIDEO], 0xe0, entry ? h264_entry : h264_other,
			entry ? sizeof(h264_entry) : sizeof(h264_other), 700, n * (int64_t)FRAME,
			n);
	for (int a = (n * FRAME + SOUND - 1) / SOUND; a * SOUND < (n + 1) * FRAME; a++) {
		if (s->audio != TS_OTHER)
			put_unit(s, s->pids[SPLICE_AUDIO], 0xc0, s->audio == TS_AAC ? adts : layer2,
				8, 150, a * (int64_t)SOUND, a);
		if (s->languages[1])
			put_unit(s, s->pids[SPLICE_AUDIO] + 1, 0xc0, adts, 8, 120,
				a * (int64_t)SOUND, a);
	}
}

static void source_init(struct source *s)
{
	*s = (struct source){.pids = {0x200, 0x201},
		.types = {0x1b, 0x0f},
		.video = TS_H264,
		.audio = TS_AAC,
		.clock = 5000};
	buf_init(&s->bytes, 64 << 20);
}

/* --- a reader --------------------------------------------------------------------------------- */

struct reader {
	struct splice splice;
	struct ts in, out;
	struct pes units[SPLICE_KINDS];
	int64_t dts[SPLICE_KINDS];
	int count[SPLICE_KINDS], first[SPLICE_KINDS], last[SPLICE_KINDS]; /* numbers of units */
	int uneven[SPLICE_KINDS];  /* steps that are not the usual one */
	int skipped[SPLICE_KINDS]; /* numbers that do not follow */
	int damaged, shapes, sizes[2];
	struct splice_shape shape;
};

static void on_unit(struct reader *r, int kind)
{
	struct pes *u = &r->units[kind];
	struct pes_times t;
	int n;

	r->damaged += u->damaged || !pes_times(u->bytes, u->len, &t);
	if (!pes_times(u->bytes, u->len, &t))
		return;
	n = u->bytes[u->len - 2] << 8 | u->bytes[u->len - 1];
	r->sizes[kind] = (int)u->len;
	if (r->count[kind]) {
		r->uneven[kind] += t.dts - r->dts[kind] != (kind ? SOUND : FRAME);
		r->skipped[kind] += n != r->last[kind] + 1;
	} else {
		r->first[kind] = n;
	}
	r->count[kind]++;
	r->last[kind] = n;
	r->dts[kind] = t.dts;
}

static void on_out(void *ctx, const struct ts_packet *p)
{
	struct reader *r = ctx;
	int kind = p->pid == SPLICE_AUDIO_PID;

	if (p->pid != SPLICE_VIDEO_PID && p->pid != SPLICE_AUDIO_PID)
		return;
	if (pes_end(&r->units[kind], p->bytes) == PES_DONE)
		on_unit(r, kind);
	if (pes_add(&r->units[kind], p->bytes) == PES_DONE)
		on_unit(r, kind);
}

static void on_clean(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	struct reader *r = ctx;

	(void)entry;
	if (!splice_shape_same(&r->shape, &r->splice.shape)) {
		r->shapes++;
		if (r->shape.known) /* as a new reader sees it */
			r->count[0] = r->count[1] = 0;
		r->shape = r->splice.shape;
	}
	ts_feed(&r->out, packet, TS_PACKET, on_out, r);
}

static void on_in(void *ctx, const struct ts_packet *p)
{
	struct reader *r = ctx;

	splice_packet(&r->splice, &r->in.program, p);
}

static void reader_init(struct reader *r, const char *languages)
{
	*r = (struct reader){0};
	ts_init(&r->in);
	ts_init(&r->out);
	splice_init(&r->splice, languages, on_clean, r);
	for (int i = 0; i < SPLICE_KINDS; i++)
		pes_init(&r->units[i], 1 << 20);
}

/* Gives it the source's bytes from `from` on, all but the last `less` of them. */
static void feed(struct reader *r, struct source *s, size_t less)
{
	ts_feed(&r->in, buf_str(&s->bytes), s->bytes.len - less, on_in, r);
	buf_clear(&s->bytes);
}

static void join(struct reader *r)
{
	ts_resync(&r->in);
	splice_join(&r->splice);
}

static void release(struct reader *r, struct source *s)
{
	splice_release(&r->splice);
	for (int i = 0; i < SPLICE_KINDS; i++)
		pes_release(&r->units[i]);
	buf_release(&s->bytes);
}

static void is_even(const struct reader *r, const char *what)
{
	is_int(r->uneven[0] + r->skipped[0], 0, "%s: every picture once, a frame after the other",
		what);
	is_int(r->uneven[1] + r->skipped[1], 0, "%s: every sound once, a frame after the other",
		what);
	is_int(r->damaged, 0, "%s: all units are whole", what);
}

static void put_pictures(struct source *s, int from, int to)
{
	for (int n = from; n < to; n++)
		put_picture(s, n);
}

#endif
