/* t/unit/splice.c - one clean stream, whatever the source sends.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"
#include "lib/hls/repeat.h"
#include "lib/hls/splice.h"
#include "t/unit/tap.h"

enum { FRAME = 3600, SOUND = 1920, PICTURES_A_GROUP = 25 };

/* --- a source -----------------------------------------------------------------------------------
 */

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

/* --- a reader -----------------------------------------------------------------------------------
 */

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

/* --- what may happen ----------------------------------------------------------------------------
 */

static void connections(void)
{
	struct reader r;
	struct source s;

	source_init(&s);
	reader_init(&r, NULL);
	put_pictures(&s, 7, 110);
	feed(&r, &s, 400); /* cut within a picture */
	is_int(r.first[0], 25, "the first picture is one that a decoder can begin with");
	ok(r.first[1] * SOUND >= 25 * FRAME - 2 * FRAME, "no sound comes long before it");
	ok(r.out.program.known && r.out.program.count == 2, "the tables name both and no more");
	join(&r);
	put_pictures(&s, 50, 230); /* what came before is sent again */
	feed(&r, &s, 1000);
	is_even(&r, "a cut, and a gateway that repeats");
	ok(r.last[0] >= 226, "and it goes on");
	join(&r);
	put_pictures(&s, 300, 400); /* 3 s are missing */
	feed(&r, &s, 0);
	is_int(r.skipped[0], 1, "what was lost is a hole in the pictures");
	is_int(r.uneven[0], 1, "of just that length");
	is_int(r.dts[0] - 900000, (int64_t)(r.last[0] - 25) * FRAME,
		"so the time goes on as it was");
	is_int(r.shapes, 1, "all of it of one shape");
	release(&r, &s);
}

static void clocks(void)
{
	struct reader r;
	struct source s;

	source_init(&s);
	reader_init(&r, NULL);
	s.clock = PES_WRAP - 60 * (int64_t)FRAME; /* wraps in the third second */
	put_pictures(&s, 0, 200);
	feed(&r, &s, 0);
	is_even(&r, "a clock of 33 bits that begins anew");
	s.clock += 5000 * (int64_t)90000;
	put_pictures(&s, 200, 300);
	feed(&r, &s, 0);
	is_even(&r, "a clock that jumps ahead");
	s.clock = 900000 - 300 * (int64_t)FRAME;
	put_pictures(&s, 300, 400);
	feed(&r, &s, 0);
	is_even(&r, "a clock that is set back");
	join(&r);
	s.clock = 77 + 3600 * (int64_t)90000;
	put_pictures(&s, 400, 500);
	feed(&r, &s, 0);
	is_int(r.uneven[1] + r.skipped[1], 0,
		"another clock at a new connection: the sound goes on");
	is_int(r.skipped[0], 1, "the picture that was open is lost");
	is_int(r.dts[0] - 900000, (int64_t)r.last[0] * FRAME,
		"and the pictures stay with the sound");
	is_int(r.shapes, 1, "all of it of one shape");
	release(&r, &s);
}

static void losses(void)
{
	struct reader r;
	struct source s;
	struct buf thin;

	source_init(&s);
	reader_init(&r, NULL);
	buf_init(&thin, 64 << 20);
	put_pictures(&s, 0, 300);
	for (size_t i = 0; i * TS_PACKET < s.bytes.len; i++) {
		if (i % 97 != 50)
			buf_add(&thin, buf_str(&s.bytes) + i * TS_PACKET, TS_PACKET);
		if (i % 50 == 3) /* and some come twice */
			buf_add(&thin, buf_str(&s.bytes) + i * TS_PACKET, TS_PACKET);
	}
	buf_release(&s.bytes);
	s.bytes = thin;
	feed(&r, &s, 0);
	is_int(r.damaged, 0, "a unit with a hole is not given out");
	ok(r.count[0] > 250 && r.skipped[0] > 3, "the others are");
	is_int(r.dts[0] - 900000, (int64_t)r.last[0] * FRAME, "each at its time");
	release(&r, &s);
}

static void tables(void)
{
	static const struct {
		const char *name;
		uint8_t types[SPLICE_KINDS];
		enum ts_codec video, audio, seen_video, seen_audio;
	} cases[] = {
		{"as it says", {0x1b, 0x0f}, TS_H264, TS_AAC, TS_H264, TS_AAC},
		{"other codecs than it says", {0x02, 0x03}, TS_H264, TS_AAC, TS_H264, TS_AAC},
		{"MPEG-2 called H.264", {0x1b, 0x0f}, TS_MPEG2_VIDEO, TS_MPEG_AUDIO, TS_MPEG2_VIDEO,
			TS_MPEG_AUDIO},
		{"a radio", {0, 0x0f}, TS_OTHER, TS_AAC, TS_OTHER, TS_AAC},
		{"no sound", {0x1b, 0}, TS_H264, TS_OTHER, TS_H264, TS_OTHER},
		{"pictures that never come", {0x1b, 0x0f}, TS_OTHER, TS_AAC, TS_OTHER, TS_AAC},
		{"sound that never comes", {0x1b, 0x0f}, TS_H264, TS_OTHER, TS_H264, TS_OTHER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reader r;
		struct source s;

		source_init(&s);
		reader_init(&r, NULL);
		memcpy(s.types, cases[i].types, sizeof(s.types));
		s.video = cases[i].video;
		s.audio = cases[i].audio;
		put_pictures(&s, 0, 200);
		feed(&r, &s, 0);
		ok(r.splice.shape.known && r.splice.shape.video == cases[i].seen_video &&
				r.splice.shape.audio == cases[i].seen_audio,
			"%s: %s and %s", cases[i].name, ts_codec_name(r.splice.shape.video),
			ts_codec_name(r.splice.shape.audio));
		is_int(r.count[0] > 150, cases[i].seen_video != TS_OTHER, "with its pictures");
		is_int(r.count[1] > 250, cases[i].seen_audio != TS_OTHER, "and its sound");
		is_even(&r, cases[i].name);
		is_int(r.splice.shape.picture.height * (cases[i].seen_video == TS_H264),
			r.splice.shape.picture.width && cases[i].seen_video == TS_H264 ? 480 : 0,
			"and the size that the pictures say");
		release(&r, &s);
	}
}

static void changes(void)
{
	struct reader r;
	struct source s;

	source_init(&s);
	reader_init(&r, NULL);
	buf_clear(&s.bytes);
	put_pictures(&s, 1, 25); /* no tables yet */
	feed(&r, &s, 0);
	is_int(r.count[0] + r.count[1], 0, "before the tables come nothing is known");
	put_pictures(&s, 25, 100);
	s.version++;
	s.pids[0] = 0x400;
	s.pids[1] = 0x401;
	put_pictures(&s, 100, 200);
	feed(&r, &s, 0);
	is_even(&r, "other pids");
	is_int(r.shapes, 1, "are no other shape");
	s.version++;
	s.types[0] = 0x02;
	s.video = TS_MPEG2_VIDEO;
	put_pictures(&s, 200, 300);
	feed(&r, &s, 0);
	is_int(r.shapes, 2, "another codec is");
	is_int(r.shape.video, TS_MPEG2_VIDEO, "the new one");
	is_even(&r, "another codec");
	s.audio = TS_OTHER;
	put_pictures(&s, 300, 450);
	feed(&r, &s, 0);
	is_int(r.shape.audio, TS_OTHER, "sound that ends without a word is none any more");
	s.audio = TS_AAC;
	put_pictures(&s, 450, 500);
	feed(&r, &s, 0);
	is_int(r.shape.audio, TS_AAC, "until it is back");
	splice_restart(&r.splice);
	put_pictures(&s, 510, 600);
	r.count[0] = 0;
	feed(&r, &s, 0);
	is_int(r.first[0], 525, "a new reader begins where it can");
	release(&r, &s);
}

static void languages(void)
{
	static const struct {
		const char *wanted;
		int size;
	} cases[] = {{NULL, 164}, {"", 164}, {"eng", 134}, {"fra eng", 134}, {"deu eng", 164},
		{"fra", 164}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reader r;
		struct source s;

		source_init(&s);
		reader_init(&r, cases[i].wanted);
		s.languages[0] = "deu";
		s.languages[1] = "eng";
		put_pictures(&s, 0, 50);
		feed(&r, &s, 0);
		is_int(r.sizes[1], cases[i].size, "of German and English, '%s' gets one",
			cases[i].wanted ? cases[i].wanted : "-");
		is_even(&r, "two languages");
		release(&r, &s);
	}
}

/* A short film that is repeated is one that goes on: splice itself would notice. */
static void repeats(void)
{
	enum { PICTURES = 48, ROUNDS = 20 };
	struct reader r;
	struct source s;
	struct buf once;

	source_init(&s);
	reader_init(&r, NULL);
	put_pictures(&s, 0, PICTURES);
	buf_init(&once, 64 << 20);
	buf_add(&once, s.bytes.ptr, s.bytes.len);
	for (int i = 0; i < ROUNDS; i++) {
		buf_clear(&s.bytes);
		buf_add(&s.bytes, once.ptr, once.len);
		repeat_shift((uint8_t *)s.bytes.ptr, s.bytes.len, i, PICTURES * FRAME);
		feed(&r, &s, 0);
	}
	is_int(r.uneven[0] + r.uneven[1] + r.damaged, 0, "what is repeated goes on without a step");
	ok(r.count[1] >= ROUNDS * PICTURES * FRAME / SOUND - 2,
		"and loses nothing after its start");
	is_int(r.splice.jumps, 0, "nor does its clock jump");
	buf_release(&once);
	release(&r, &s);
}

static void seam(struct reader *r, bool anew)
{
	ts_resync(&r->in);
	splice_seam(&r->splice, anew);
}

/* Files whose counters begin anew, and one cut in two in the middle of its packets. */
static void files(void)
{
	struct reader r;
	struct source s;
	size_t half;

	source_init(&s);
	reader_init(&r, NULL);
	for (int i = 0; i < 6; i++) {
		put_pictures(&s, i * 50, i * 50 + 50);
		if (i % 2) {
			half = s.bytes.len / 2 - s.bytes.len / 2 % TS_PACKET;
			ts_feed(&r.in, s.bytes.ptr, half, on_in, &r);
			seam(&r, false);
			ts_feed(&r.in, s.bytes.ptr + half, s.bytes.len - half, on_in, &r);
			buf_clear(&s.bytes);
		} else {
			feed(&r, &s, 0);
			s.counters[s.pids[0]] = (uint8_t)i;
			s.counters[s.pids[1]] = 7;
		}
		seam(&r, false);
	}
	feed(&r, &s, 0);
	is_even(&r, "files whose counters begin anew, and files that go on");
	ok(r.last[0] >= 298, "to the last picture but one or two");
	release(&r, &s);
}

/* Clocks that a list says to begin anew, by less than what is a jump by itself. */
static void discontinuities(void)
{
	static const int64_t jumps[] = {4 * 90000, -90000, 20, -600 * (int64_t)90000};

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct reader r;
		struct source s;

		source_init(&s);
		reader_init(&r, NULL);
		put_pictures(&s, 0, 100);
		feed(&r, &s, 0);
		seam(&r, true);
		s.clock += jumps[i];
		put_pictures(&s, 100, 200);
		feed(&r, &s, 0);
		is_int(r.uneven[0] + r.skipped[0], 0, "a discontinuity of %lld: no picture is lost",
			(long long)jumps[i]);
		ok(r.uneven[1] <= 1 && r.skipped[1] <= 1,
			"and two sounds at most beside their time");
		is_int(r.shapes, 1, "and both streams stay");
		is_int(r.damaged, 0, "all units are whole");
		ok(r.count[0] >= 199, "to the last picture");
		release(&r, &s);
	}
}

int main(void)
{
	files();
	discontinuities();
	repeats();
	connections();
	clocks();
	losses();
	tables();
	changes();
	languages();
	return tap_done();
}
