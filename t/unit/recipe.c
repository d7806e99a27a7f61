/* t/unit/recipe.c - what ffmpeg is told, and what it says.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"
#include "lib/hls/recipe.h"
#include "t/unit/tap.h"

/* All arguments, by blanks. */
static const char *told(const struct recipe *r, struct buf *to)
{
	struct arena a;
	const char *const *args;

	arena_init(&a, 65536);
	args = recipe_args(r, &a);
	buf_clear(to);
	for (; args && *args; args++)
		buf_printf(to, "%s ", *args);
	arena_release(&a);
	return buf_str(to);
}

static int times(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)); text++)
		count++;
	return count;
}

static void arguments(void)
{
	struct ladder l;
	struct recipe r = {.ffmpeg = "ffmpeg",
		.dir = "/live/50%/seg",
		.ladder = &l,
		.encodes = {true, true, true},
		.has_audio = true,
		.first_n = 100,
		.quick = true,
		.threads = 2};
	const char *text;
	struct arena small;
	struct buf b;

	ladder_parse("720p 360p audio", NULL, NULL, &l, NULL);
	buf_init(&b, 65536);
	text = told(&r, &b);
	is_int(times(text, "-f segment "), 3, "one output for each rendition");
	is_int(times(text, "-i "), 1, "from one input");
	ok(strstr(text, "split=2[s0][s1];[s0]scale="), "one decode for all pictures");
	is_int(times(text, "-c:a aac "), 3, "each with sound");
	ok(strstr(text, "-maxrate:v 1870k -bufsize:v 748k "), "pictures are held to their rate");
	is_int(times(text, "-segment_start_number 100 "), 2, "pictures begin with the same number");
	ok(strstr(text, "-segment_start_number 0 ") && strstr(text, "/seg/audio/p%d.ts "),
		"sound alone comes in pieces");
	ok(strstr(text, "n_forced/2"), "a quick start begins with segments of half a second");
	ok(strstr(text, " /live/50%%/seg/720p/%d.ts "), "a '%%' in a directory is no pattern");

	r.quick = false;
	text = told(&r, &b);
	ok(!strstr(text, "n_forced/2"), "otherwise all have two seconds");
	r.has_audio = r.encodes[2] = false;
	text = told(&r, &b);
	ok(!strstr(text, "-c:a") && !strstr(text, "0:a:0"), "without sound it is not asked for");
	r = (struct recipe){.ffmpeg = "ffmpeg",
		.dir = "/seg",
		.ladder = &l,
		.encodes = {false, false, true},
		.has_audio = true,
		.first_n = 7,
		.quick = true};
	text = told(&r, &b);
	ok(!strstr(text, "libx264") && !strstr(text, "filter_complex"), "a radio has no picture");
	arena_init(&small, 100);
	ok(!recipe_args(&r, &small), "without memory there are no arguments");
	arena_release(&small);
	buf_release(&b);
}

static void lines(void)
{
	static const struct {
		const char *line;
		bool good;
		size_t rung;
		int64_t n, start_us, end_us;
	} cases[] = {
		{"720p/880123.ts,4.000000,6.000000", true, 0, 880123, 4000000, 6000000},
		{"audio/9.ts,2.005333,4.010667", true, 1, 9, 2005333, 4010667},
		{"audio/p3.ts,1.514667,2.005333", true, 1, 3, 1514667, 2005333},
		{"720p/p3.ts,1.500000,2.000000", false, 0, 0, 0, 0},
		{"audio/p.ts,1.500000,2.000000", false, 0, 0, 0, 0},
		{"audio/pp3.ts,1.500000,2.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,0,1.5", true, 0, 1, 0, 1500000},
		{"720p/1.ts,95443.717689,95445.717689", true, 0, 1, 95443717689, 95445717689},
		{"720p/1.ts,1.000000,1.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,2.000000,1.000000", false, 0, 0, 0, 0},
		{"480p/1.ts,0.000000,1.000000", false, 0, 0, 0, 0},
		{"720p/-1.ts,0.000000,1.000000", false, 0, 0, 0, 0},
		{"720p/1.mp4,0.000000,1.000000", false, 0, 0, 0, 0},
		{"../720p/1.ts,0.000000,1.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,0.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,nan,1.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,-0.080000,1.000000", false, 0, 0, 0, 0},
		{"720p/1.ts,0.000000,1.0x", false, 0, 0, 0, 0},
		{"", false, 0, 0, 0, 0},
	};
	struct ladder l;

	ladder_parse("720p audio", NULL, NULL, &l, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe_segment s = {.n = -7};
		bool good = recipe_line(&l, span_of(cases[i].line), &s);
		ok(good == cases[i].good, "'%s' is %s", cases[i].line,
			cases[i].good ? "a segment" : "none");
		if (!good) {
			is_int(s.n, -7, "and changes nothing");
			continue;
		}
		ok(s.piece == (strstr(cases[i].line, "/p") != NULL), "a piece or not");
		ok(s.rung == cases[i].rung && s.n == cases[i].n &&
				s.start_us == cases[i].start_us && s.end_us == cases[i].end_us,
			"with its rendition, number and times");
	}
}

/* "|10| |11 11|": the segments that pieces are put to, and where those begin and end. */
static void pieces(void)
{
	static const struct {
		bool quick;
		const char *out;
	} cases[] = {
		{true, "|10| |11| |12 12| |13 13 13 13| |14 14 14 14| "},
		{false, "|10 10 10 10| |11 11 11 11| |12 12 12 12| |13 13 "},
	};
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		for (int64_t k = 0; k < 4 + 4 + 4 + (cases[i].quick ? 0 : 2); k++) {
			struct recipe_piece at = recipe_piece(10, cases[i].quick, k);
			buf_printf(&b, "%s%lld%s ", at.first ? "|" : "", (long long)at.n,
				at.last ? "|" : "");
		}
		is_str(buf_str(&b), cases[i].out, "pieces of a %s start make segments",
			cases[i].quick ? "quick" : "usual");
	}
	buf_release(&b);
}

static void slates(void)
{
	struct ladder l;
	struct recipe_slate slate = {.ffmpeg = "ffmpeg",
		.dir = "/slates/starting",
		.ladder = &l,
		.title = "One moment",
		.line = "It comes.",
		.words = true};
	const char *const *args;
	struct arena a;
	struct buf b;

	ladder_parse("720p 240p audio", NULL, NULL, &l, NULL);
	buf_init(&b, 65536);
	for (int words = 1; words >= 0; words--) {
		slate.words = words;
		arena_init(&a, 65536);
		buf_clear(&b);
		for (args = recipe_slate_args(&slate, &a); args && *args; args++)
			buf_printf(&b, "%s ", *args);
		arena_release(&a);
		is_int(times(buf_str(&b), "drawtext=text='One moment'"), words,
			words ? "a slate has words" : "or none, where there is no font");
	}
	is_int(times(buf_str(&b), "-c:v libx264 "), 2, "and each picture of the ladder");
	is_int(times(buf_str(&b), "-c:a aac "), 3, "all with sound");
	ok(strstr(buf_str(&b), "-profile:v high -level:v 3.2 "), "encoded as a channel is");
	ok(strstr(buf_str(&b), " /slates/starting/240p.ts "), "in files by rendition");
	buf_release(&b);
}

int main(void)
{
	slates();
	arguments();
	lines();
	pieces();
	return tap_done();
}
