/* t/unit/title.c - the index record, where segments begin, and the names of renditions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/hls/grid.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"
#include "t/unit/tap.h"

/* Times in tenths of a second, as "0 25 41:77", where 77 is the end. */
struct cut_case {
	const char *name;
	int64_t keys[16];
	size_t count;
	int64_t end;
	const char *want;
};

static const struct cut_case cuts[] = {
	{"a key a second: 2, 2, 4, then 6",
		{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140}, 15, 150,
		"0 20 40 80 150"},
	{"one key alone", {0}, 1, 300, "0 300"},
	{"a key too late for 2 s", {0, 30, 60, 100, 160}, 5, 220, "0 30 60 100 160 220"},
	{"half is enough where the next is far", {0, 12, 35, 80}, 4, 140, "0 12 35 80 140"},
	{"less than half is not", {0, 9, 35}, 3, 100, "0 35 100"},
	{"a short end joins its neighbour", {0, 20, 40, 80, 140}, 5, 155, "0 20 40 80 155"},
	{"an end of a third stays", {0, 20, 40, 80, 140}, 5, 160, "0 20 40 80 140 160"},
	{"a key twice is one", {0, 0, 20, 20, 40}, 5, 80, "0 20 40 80"},
};

static const char *times(const struct record *r, struct buf *b)
{
	buf_clear(b);
	for (size_t i = 0; i <= r->segments; i++)
		buf_printf(b, "%s%lld", i ? " " : "", (long long)r->t[i]);
	return buf_str(b);
}

static void cutting(struct arena *arena, struct buf *b)
{
	struct grid_key keys[16];
	struct fail f;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		const struct cut_case *c = &cuts[i];
		struct grid g = {keys, c->count, c->end, 9999, 10};
		struct record r = {.timescale = 10};
		for (size_t k = 0; k < c->count; k++)
			keys[k] = (struct grid_key){c->keys[k], 1000 + (uint64_t)c->keys[k]};
		is_int(grid_cut(&g, arena, &r, &f), 0, "%s", c->name);
		is_str(times(&r, b), c->want, "%s: where", c->name);
		is_int(r.pos[0], 1000, "%s: and in the file", c->name);
		is_int(r.pos[r.segments], 9999, "%s: up to its end", c->name);
	}
}

static void fixed(struct arena *arena, struct buf *b)
{
	struct grid_key keys[] = {{0, 5}, {90000 * 5, 6}, {90000 * 9, 7}};
	struct grid g = {keys, 3, 90000 * 14, 99, 90000};
	struct record r = {.timescale = 90000};
	struct fail f;

	is_int(grid_fixed(&g, 0, 0, arena, &r, &f), 0, "a fixed grid");
	is_str(times(&r, b), "0 180000 360000 720000 1080000 1260000", "2, 2, then 4 s");
	is_int(r.pos[2], 5, "begins to read at the key before");
	is_int(r.pos[3], 6, "which is another one later");
	is_int(grid_fixed(&g, 24000, 1001, arena, &r, &f), 0,
		"a fixed grid of 23.976 pictures a second");
	is_str(times(&r, b), "0 180180 360360 720720 1081080 1260000", "lies on whole pictures");
	is_int(grid_longest(&g), 90000 * 5, "the longest way between keys");
}

static void samples(void)
{
	is_int(grid_sample(90000, 90000, 48000), 48000, "a second is 48000 samples");
	is_int(grid_sample(1, 90000, 48000), 1, "a tick ends in the first");
	is_int(grid_sample(-1, 90000, 48000), 0, "before 0 it is rounded upwards too");
	is_int(grid_sample((int64_t)172800 * 10000000, 10000000, 96000), (int64_t)172800 * 96000,
		"two days of the finest clock do not wrap");
	is_int(grid_frame(0, 1024), 0, "frame 0 begins at 0");
	is_int(grid_frame(1, 1024), 1, "the next one after it");
	is_int(grid_frame(1024, 1024), 1, "and at its sample");
	is_int(grid_scale(-3, 1, 2), -1, "halves go up, below 0 too");
	is_int(grid_scale(3, 1, 2), 2, "and above");
	is_int(grid_scale(-7, 1, 4), -2, "the rest to the nearest");
}

static struct record film(int64_t *t, uint64_t *pos, size_t segments)
{
	struct record r = {.source = {123456789, 42},
		.container = RECORD_MATROSKA,
		.flags = RECORD_COPY | RECORD_JOINED,
		.timescale = 90000,
		.origin = -9000,
		.video = {.codec = "h264",
			.codecs = "avc1.640028",
			.width = 1920,
			.height = 804,
			.sar_n = 1,
			.sar_d = 1,
			.depth = 8,
			.rate_n = 24000,
			.rate_d = 1001,
			.extra = span_of("avcC")},
		.audio_count = 2,
		.text_count = 1,
		.head = span_of("head of the file"),
		.peak_bps = 5000000,
		.average_bps = 3000000,
		.segments = segments,
		.t = t,
		.pos = pos};

	r.audio[0] = (struct record_audio){.codec = "aac",
		.codecs = "mp4a.40.2",
		.language = "eng",
		.title = "Fran\xc3\xa7"
			 "ais",
		.stream = 1,
		.channels = 2,
		.copy = true,
		.rate = 48000,
		.source_rate = 48000,
		.frame = 1024,
		.start = -1024,
		.extra = span_of("\x11\x90")};
	r.audio[1] = (struct record_audio){.codec = "ac3",
		.codecs = "mp4a.40.2",
		.stream = 2,
		.channels = 2,
		.rate = 48000,
		.source_rate = 48000,
		.frame = 1536};
	r.text[0] = (struct record_text){
		.codec = "subrip", .language = "ger", .stream = 3, .flags = RECORD_TEXT_FORCED};
	for (size_t n = 0; n <= segments; n++) {
		t[n] = (int64_t)(n * 540000 + n % 2);
		pos[n] = n * 2500000;
	}
	t[0] = 0;
	return r;
}

static void coding(struct arena *arena)
{
	static int64_t t[901];
	static uint64_t pos[901];
	struct record r = film(t, pos, 900), back;
	struct fail f = {0};
	struct buf b, again;

	buf_init(&b, RECORD_MAX_BYTES);
	buf_init(&again, RECORD_MAX_BYTES);
	record_encode(&r, &b);
	ok(!b.failed && b.len < 20000, "90 minutes are %zu bytes", b.len);
	is_int(record_decode(buf_span(&b), arena, &back, &f), 0, "a record comes back");
	is_str(back.video.codecs, "avc1.640028", "with its codecs");
	is_str(back.audio[0].title, r.audio[0].title, "and titles in UTF-8");
	ok(span_is(back.audio[0].extra, "\x11\x90"), "and bytes");
	is_int(back.audio[0].start, -1024, "a start before 0");
	is_int(back.text[0].flags, RECORD_TEXT_FORCED, "flags of subtitles");
	ok(memcmp(back.t, t, sizeof(t)) == 0 && memcmp(back.pos, pos, sizeof(pos)) == 0,
		"and all times and places");
	record_encode(&back, &again);
	ok(span_eq(buf_span(&b), buf_span(&again)), "and is written the same again");
	for (size_t i = 0; i < b.len; i += 37) {
		b.ptr[i] ^= 1;
		if (record_decode(buf_span(&b), arena, &back, &f) == 0 || f.kind != FAIL_INPUT)
			ok(false, "a damaged byte %zu is seen", i);
		b.ptr[i] ^= 1;
	}
	for (size_t len = 0; len < b.len; len += 61) {
		if (record_decode(span_make(b.ptr, len), arena, &back, &f) == 0)
			ok(false, "a cut at %zu is seen", len);
	}
	is_int(record_decode(buf_span(&b), arena, &back, &f), 0, "no damage is left");
	buf_release(&b);
	buf_release(&again);
}

static void asking(void)
{
	int64_t t[11];
	uint64_t pos[11];
	struct record r = film(t, pos, 10);

	is_int(record_begin_us(&r, 1), 6000011, "a begin, rounded to a microsecond");
	is_int(record_begin_us(&r, 0) + record_duration_us(&r, 0), record_begin_us(&r, 1),
		"durations add up");
	is_int(record_target_s(&r), 6, "the target duration");
	is_int(record_lines(&r), 1080, "1920 x 804 is 1080p");
}

static const struct {
	const char *name;
	int w, h, sar_n, sar_d, rotation;
	const char *rendition, *want;
} sizes[] = {
	{"16:9 to a rung", 1920, 1080, 1, 1, 0, "720p", "1280x720"},
	{"the same size", 1280, 720, 1, 1, 0, "720p", "1280x720"},
	{"never larger", 640, 360, 1, 1, 0, "720p", "640x360"},
	{"wide", 1920, 804, 1, 1, 0, "720p", "1280x536"},
	{"4:3", 640, 480, 1, 1, 0, "360p", "480x360"},
	{"anamorphic PAL 16:9", 720, 576, 64, 45, 0, "480p", "854x480"},
	{"samples higher than wide", 1440, 1080, 3, 4, 0, "720p", "720x720"},
	{"turned", 1920, 1080, 1, 1, 90, "720p", "406x720"},
	{"odd", 853, 479, 1, 1, 0, "480p", "854x480"},
	{"one sample", 1, 1, 1, 1, 0, "240p", "2x2"},
	{"as it is", 720, 576, 64, 45, 0, "source", "1024x576"},
	{"for the seek bar", 1920, 1080, 1, 1, 0, "thumbnails", "160x90"},
	{"no picture in sound", 1920, 1080, 1, 1, 0, "a0", "0x0"},
};

static void sizing(struct buf *b)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct record r = {.video = {.codec = "h264",
					   .width = (uint16_t)sizes[i].w,
					   .height = (uint16_t)sizes[i].h,
					   .sar_n = (uint16_t)sizes[i].sar_n,
					   .sar_d = (uint16_t)sizes[i].sar_d,
					   .rotation = (uint16_t)sizes[i].rotation}};
		struct rendition x;
		int w = -1, h = -1;
		if (rendition_parse(span_of(sizes[i].rendition), &x))
			rendition_size(&x, &r, &w, &h);
		buf_clear(b);
		buf_printf(b, "%dx%d", w, h);
		is_str(buf_str(b), sizes[i].want, "%s: %s", sizes[i].name, sizes[i].rendition);
	}
}

static void naming(void)
{
	static const char *const good[] = {"source", "1080p", "720p", "480p", "360p", "240p", "a0",
		"a15", "s0", "s47", "iframes", "thumbnails"};
	static const char *const bad[] = {"", "a", "s", "a00", "a01", "a16", "s48", "a-1", "a1x",
		"144p", "audio", "720", "SOURCE", "source ", "../a0", "s99999999999999999999"};
	char name[RENDITION_NAME_BYTES];
	struct rendition r;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ok(rendition_parse(span_of(good[i]), &r), "%s is a rendition", good[i]);
		rendition_print(&r, name);
		is_str(name, good[i], "of that name");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!rendition_parse(span_of(bad[i]), &r), "'%s' is none", bad[i]);
}

static void parts(void)
{
	static const struct {
		const char *name, *extension, *list; /* NULL: there is none */
	} cases[] = {{"720p", "m4s", "720p"}, {"720p", "mp4", "720p"}, {"720p", "ts", "720p.ts"},
		{"a0", "ts", "a0.ts"}, {"s0", "vtt", "s0"}, {"s0", "ts.vtt", "s0.ts"},
		{"thumbnails", "jpg", "thumbnails"}, {"iframes", "m4s", "iframes"},
		{"iframes", "ts", NULL}, {"s0", "mp4", NULL}, {"s0", "m4s", NULL},
		{"720p", "vtt", NULL}, {"720p.ts", "ts", NULL}, {"thumbnails", "ts", NULL},
		{"720p", "tsx", NULL}, {"720p", "", NULL}};
	char list[RENDITION_NAME_BYTES];
	struct rendition x, y;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = rendition_parse_part(
			span_of(cases[i].name), span_of(cases[i].extension), &x);

		is_int(found, cases[i].list != NULL, "%s/0.%s", cases[i].name, cases[i].extension);
		if (!found || !cases[i].list)
			continue;
		rendition_print_list(&x, list);
		is_str(list, cases[i].list, "stands in this list");
		ok(rendition_parse_list(span_of(list), &y) && y.format == x.format &&
				y.kind == x.kind,
			"which is read back");
	}
	ok(!rendition_parse_list(span_of("iframes.ts"), &x),
		"keyframes alone are never in MPEG-TS");
}

static void fitting(void)
{
	static const struct {
		const char *name;
		bool want, of_sound;
		const char *extension;
	} cases[] = {{"source", true, false, "m4s"}, {"240p", true, false, "m4s"},
		{"a1", true, true, "m4s"}, {"a2", false, false, "m4s"}, {"s0", true, true, "vtt"},
		{"s1", false, false, "vtt"}, {"thumbnails", true, false, "jpg"}};
	int64_t t[3];
	uint64_t pos[3];
	struct record r = film(t, pos, 2), sound = r;

	sound.video = (struct record_video){0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rendition x;
		ok(rendition_parse(span_of(cases[i].name), &x), "%s", cases[i].name);
		is_int(rendition_fits(&x, &r), cases[i].want, "%s of a film", cases[i].name);
		is_int(rendition_fits(&x, &sound), cases[i].of_sound, "%s of sound alone",
			cases[i].name);
		is_str(rendition_extension(&x), cases[i].extension, "%s: its extension",
			cases[i].name);
	}
}

int main(void)
{
	struct arena arena;
	struct buf b;

	arena_init(&arena, 1 << 26);
	buf_init(&b, 65536);
	cutting(&arena, &b);
	fixed(&arena, &b);
	samples();
	coding(&arena);
	asking();
	sizing(&b);
	naming();
	fitting();
	parts();
	buf_release(&b);
	arena_release(&arena);
	return tap_done();
}
