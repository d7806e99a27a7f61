/* t/unit/playlist.c - masters, media playlists, the window that they list, renditions in step.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/m3u8.h"
#include "lib/hls/steps.h"
#include "lib/hls/window.h"
#include "t/unit/tap.h"

static void masters(void)
{
	static const struct m3u8_variant variants[] = {
		{"720p.m3u8", 2500000, 2080000, "avc1.640020", true, 1280, 720, 25000},
		{"360p.m3u8", 600000, 490000, "avc1.4D401F", false, 0, 0, 29970},
		{"audio.m3u8", 150000, 140000, NULL, true, 0, 0, 25000},
	};
	struct buf b;

	buf_init(&b, M3U8_MAX_BYTES);
	m3u8_master_print(variants, 3, &b);
	is_str(buf_str(&b),
		"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2080000,"
		"CODECS=\"avc1.640020,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=25.000\n"
		"720p.m3u8\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=600000,AVERAGE-BANDWIDTH=490000,"
		"CODECS=\"avc1.4D401F\",FRAME-RATE=29.970\n"
		"360p.m3u8\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=150000,AVERAGE-BANDWIDTH=140000,"
		"CODECS=\"mp4a.40.2\"\n"
		"audio.m3u8\n",
		"a master says what is known of each variant and nothing else");
	buf_release(&b);
}

static void media(void)
{
	static const struct m3u8_segment segments[] = {
		{7, 1000000, 1763690981123, true, "720p", "slate"},
		{8, 2005333, 1763690982123, false, "720p", NULL},
		{9, 2600000, 0, true, "480p", NULL},
	};
	struct m3u8_media m = {2, 3, "/tv/live-8/r/", segments, 3};
	struct buf b;

	buf_init(&b, M3U8_MAX_BYTES);
	m3u8_media_print(&m, &b);
	is_str(buf_str(&b),
		"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
		"#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
		"#EXT-X-PROGRAM-DATE-TIME:2025-11-21T02:09:41.123Z\n"
		"#EXTINF:1.000000,slate\n/tv/live-8/r/720p/7.ts\n"
		"#EXT-X-PROGRAM-DATE-TIME:2025-11-21T02:09:42.123Z\n"
		"#EXTINF:2.005333,\n/tv/live-8/r/720p/8.ts\n"
		"#EXT-X-DISCONTINUITY\n"
		"#EXTINF:2.499999,\n/tv/live-8/r/480p/9.ts\n",
		"a media playlist; a segment that is too long is printed as the longest allowed");
	buf_clear(&b);
	b.max = 40;
	m3u8_media_print(&m, &b);
	ok(b.failed, "a buffer that is too small says so");
	buf_release(&b);
}

/* "7 8 !9" for the numbers listed, ! where a discontinuity stands, * behind another rendition's;
 * "d=N" for its sequence. */
static const char *summary(const struct window *w, size_t rung, struct buf *to)
{
	struct span rest, line;
	struct ladder l;
	struct buf text;
	bool broken = false;

	ladder_parse("720p 360p audio", NULL, NULL, &l, NULL);
	buf_init(&text, M3U8_MAX_BYTES);
	buf_clear(to);
	if (!window_print(w, &l, rung, "", &text))
		buf_puts(to, "none");
	rest = buf_span(&text);
	while (span_next(&rest, '\n', &line)) {
		if (span_starts(line, "#EXT-X-DISCONTINUITY-SEQUENCE:"))
			buf_printf(to, "d=%.*s ", (int)line.len - 30, line.ptr + 30);
		broken |= span_is(line, "#EXT-X-DISCONTINUITY");
		if (line.len && line.ptr[0] != '#') {
			bool own = span_starts(line, l.rungs[rung]->name);
			while (line.len && *line.ptr++ != '/')
				line.len--;
			buf_printf(to, "%s%.*s%s ", broken ? "!" : "", (int)line.len - 4, line.ptr,
				own ? "" : "*");
			broken = false;
		}
	}
	buf_release(&text);
	return buf_str(to);
}

/* Whoever keeps a list for too long sees the channel late. */
static void keeping(void)
{
	static const struct {
		const char *what;
		int64_t us[2];
		int keep_s;
	} cases[] = {
		{"a usual segment", {2000000, 2005333}, 1},
		{"one of 59 frames at 29.97 a second", {1968633, 0}, 1},
		{"the last one of a quick start", {1000000, 1013333}, 0},
		{"the first one of it", {500000, WINDOW_MISSING}, 0},
		{"a slate", {960000, 960000}, 0},
	};
	struct window w = {0};

	is_int(window_keep_s(&w), 1, "an empty list is nothing new");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct window_column c = {
			.n = (int64_t)i + 1, .duration_us = {cases[i].us[0], cases[i].us[1]}};
		window_add(&w, &c);
		ok(window_keep_s(&w) == cases[i].keep_s, "behind %s a list is kept for %d s",
			cases[i].what, cases[i].keep_s);
	}
}

static void slates(void)
{
	struct window w = {0};
	struct ladder l;
	struct buf b;

	ladder_parse("720p", NULL, NULL, &l, NULL);
	buf_init(&b, M3U8_MAX_BYTES);
	window_add(&w, &(struct window_column){.n = 1, .slate = true, .duration_us = {960000}});
	window_break(&w);
	window_add(&w, &(struct window_column){.n = 2, .duration_us = {500000}});
	window_print(&w, &l, 0, "", &b);
	ok(strstr(buf_str(&b), "#EXTINF:0.960000,slate\n720p/1.ts\n#EXT-X-DISCONTINUITY\n"
			       "#EXTINF:0.500000,\n720p/2.ts\n"),
		"a slate is called one, the channel's own segment is not");
	buf_release(&b);
}

/* Adds `n` with rung 0 and, where `both`, rung 1. */
static bool add(struct window *w, int64_t n, bool both)
{
	struct window_column c = {
		.n = n, .duration_us = {2000000, both ? 2005333 : WINDOW_MISSING}};

	return window_add(w, &c);
}

static void windows(void)
{
	struct window w = {0};
	struct buf b;

	buf_init(&b, 4096);
	is_str(summary(&w, 0, &b), "none", "an empty window has no playlist");
	is_int(window_start(&w, 1000000), 500, "a first number is half the seconds since 1970");
	add(&w, 500, false);
	add(&w, 501, true);
	is_str(summary(&w, 0, &b), "500 501 ", "what was added is listed");
	is_str(summary(&w, 1, &b), "501 ", "a rendition lists what it has");
	is_int(window_start(&w, 2000000), 502, "while there is a list its numbers go on");
	ok(!add(&w, 501, true), "a number is never used again");
	window_break(&w);
	add(&w, 502, true);
	is_str(summary(&w, 0, &b), "500 501 !502 ", "a new encoder is a discontinuity");
	is_str(summary(&w, 1, &b), "501 !502 ", "in all renditions at the same number");
	for (int64_t n = 503; n < 509; n++)
		add(&w, n, n != 504);
	is_str(summary(&w, 0, &b), "501 !502 503 504 505 506 507 508 ", "eight are listed");
	is_str(summary(&w, 1, &b), "d=1 505 506 507 508 ",
		"a rendition that missed a number begins after it, in the period of what it lists");
	add(&w, 509, true);
	is_str(summary(&w, 0, &b), "d=1 502 503 504 505 506 507 508 509 ",
		"when the discontinuity is the first it is told by the sequence alone");
	window_trim(&w, WINDOW_COLUMNS);
	is_str(summary(&w, 0, &b), "d=1 502 503 504 505 506 507 508 509 ",
		"a list that is short enough stays as it is");
	window_trim(&w, 3);
	is_str(summary(&w, 0, &b), "d=1 507 508 509 ",
		"one that is to be shorter keeps the newest");
	add(&w, 515, true);
	is_str(summary(&w, 0, &b), "d=1 515 ", "a gap in the numbers begins another list");
	window_clear(&w);
	is_str(summary(&w, 0, &b), "none", "a cleared window lists nothing");
	is_int(window_start(&w, 1000), 516, "and its numbers never go back");
	is_int(window_start(&w, 2000000), 1000, "but forward to the clock");
	window_break(&w);
	add(&w, 1000, true);
	is_str(summary(&w, 0, &b), "d=2 1000 ", "periods go on too");
	window_break(&w);
	window_add(&w, &(struct window_column){.n = 1001, .duration_us = {0, 2000000}});
	is_str(summary(&w, 0, &b), "d=2 1000 !1001* ",
		"where a rendition is left out its playlist goes on with a lower one");
	is_str(summary(&w, 1, &b), "d=2 1000 !1001 ", "which goes on by itself");
	window_add(&w, &(struct window_column){.n = 1002, .duration_us = {2000000}});
	is_str(summary(&w, 1, &b), "d=2 1000 !1001 1002* ", "or with a higher one");
	is_str(summary(&w, 2, &b), "d=2 1000* !1001* 1002* ", "and sound with pictures");
	buf_release(&b);
}

/* Feeds "r:n r:n …" (rung, number; a "." is STEPS_WAIT_MS later) and writes which numbers come out,
 * with how many renditions. */
static const char *in_step(const char *text, struct buf *to)
{
	struct ladder l;
	struct recipe r = {
		.ladder = &l, .encodes = {true, true, true}, .has_audio = true, .first_n = 10};
	struct span rest = span_of(text), word;
	struct window_column c;
	struct steps s;
	int64_t start_us, now_ms = 1000;

	ladder_parse("720p 360p audio", NULL, NULL, &l, NULL);
	buf_clear(to);
	steps_init(&s, &r);
	while (span_next(&rest, ' ', &word)) {
		struct recipe_segment seg = {.rung = (size_t)(word.ptr[0] - '0'),
			.n = (word.ptr[2] - '0') * 10 + (word.ptr[3] - '0')};
		now_ms += span_is(word, ".") ? STEPS_WAIT_MS : 1;
		if (span_is(word, "."))
			continue;
		seg.start_us = (seg.n - 10) * 2000000;
		seg.end_us = seg.start_us + 2000000;
		if (!steps_add(&s, &seg, now_ms))
			buf_puts(to, "no ");
		while (steps_take(&s, now_ms, &c, &start_us))
			buf_printf(to, "%lld/%d@%lld ", (long long)c.n,
				(c.duration_us[0] > 0) + (c.duration_us[1] > 0) +
					(c.duration_us[2] > 0),
				(long long)start_us / 1000000);
	}
	return buf_str(to);
}

static void steps(void)
{
	static const struct {
		const char *in, *out, *name;
	} cases[] = {
		{"0:10 1:10 2:10", "10/3@0 ", "all begin with the same number"},
		{"2:10 2:11 0:10 1:10 0:11 1:11", "10/3@0 11/3@2 ", "sound may be ahead"},
		{"0:10 0:11 1:10 2:10 2:11 1:11", "10/3@0 11/3@2 ", "the slowest decides"},
		{"0:10 0:11 1:10 1:11 0:12 . 1:12", "10/2@0 ", "but not for ever"},
		{"0:10 1:10 0:11 1:11 0:12 . 1:12 2:10", "10/2@0 no ",
			"what comes too late is refused"},
		{"0:10 1:10 2:10 . . 2:11 2:12 2:13 2:14 0:11 1:11 2:15 0:12 . 1:12",
			"10/3@0 11/3@2 12/3@4 ",
			"sound that is finished at once waits for its picture"},
		{"0:10 0:10", "no ", "so is what comes twice"},
		{"0:18 0:09 3:10", "no no no ", "or ahead, or before, or from nowhere"},
	};
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(in_step(cases[i].in, &b), cases[i].out, "in step: %s", cases[i].name);
	buf_release(&b);
}

int main(void)
{
	masters();
	media();
	windows();
	keeping();
	slates();
	steps();
	return tap_done();
}
