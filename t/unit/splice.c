/* t/unit/splice.c - one clean stream, whatever the source sends.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "t/unit/splice_ends.h"

/* --- what may happen -------------------------------------------------------------------------- */

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
