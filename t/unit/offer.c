/* t/unit/offer.c - what resolvers print, and which of it is chosen.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/offer.h"

#include <stdlib.h>

#include "t/unit/tap.h"

static struct offer *offer;
static struct arena arena;

#define TUBE                                                                                       \
	"{\"id\":\"x\",\"title\":\"A  song\\u0007\",\"duration\":212.4,\"thumbnail\":"             \
	"\"https://i.example/t.jpg\",\"formats\":["                                                \
	"{\"format_id\":\"139\",\"ext\":\"m4a\",\"acodec\":\"mp4a.40.5\",\"vcodec\":\"none\","     \
	"\"abr\":48.8,\"url\":\"https://e.example/"                                                \
	"139?expire=1763000000\",\"protocol\":\"https\"},"                                         \
	"{\"format_id\":\"140\",\"ext\":\"m4a\",\"acodec\":\"mp4a.40.2\",\"vcodec\":\"none\","     \
	"\"abr\":128,\"url\":\"https://e.example/140?expire=1763000000\",\"protocol\":\"https\"}," \
	"{\"format_id\":\"250\",\"ext\":\"webm\",\"acodec\":\"opus\",\"vcodec\":\"none\","         \
	"\"abr\":62,\"url\":\"https://e.example/250?expire=1762999000\",\"protocol\":\"https\"},"  \
	"{\"format_id\":\"251\",\"ext\":\"webm\",\"acodec\":\"opus\",\"vcodec\":\"none\","         \
	"\"abr\":127.5,\"tbr\":130,\"filesize\":3400000,"                                          \
	"\"url\":\"https://e.example/251?expire=1763000000\",\"protocol\":\"https\","              \
	"\"http_headers\":{\"User-Agent\":\"M/5\",\"Referer\":\"https://p.example/\"}},"           \
	"{\"format_id\":\"18\",\"ext\":\"mp4\",\"acodec\":\"mp4a.40.2\",\"vcodec\":\"avc1."        \
	"42001E\","                                                                                \
	"\"height\":360,\"tbr\":500,\"url\":\"https://e.example/18\",\"protocol\":\"https\"},"     \
	"{\"format_id\":\"22\",\"ext\":\"mp4\",\"acodec\":\"mp4a.40.2\",\"vcodec\":\"avc1."        \
	"64001F\","                                                                                \
	"\"height\":720,\"tbr\":2000,\"url\":\"https://e.example/22\",\"protocol\":\"https\"},"    \
	"{\"format_id\":\"137\",\"ext\":\"mp4\",\"acodec\":\"none\",\"vcodec\":\"avc1\","          \
	"\"height\":1080,\"url\":\"https://e.example/137\",\"protocol\":\"https\"},"               \
	"{\"format_id\":\"hls\",\"ext\":\"mp4\",\"height\":1080,"                                  \
	"\"url\":\"https://e.example/m.m3u8\",\"protocol\":\"m3u8_native\"},"                      \
	"{\"format_id\":\"sb0\",\"acodec\":\"none\",\"vcodec\":\"none\","                          \
	"\"url\":\"https://e.example/sb.jpg\",\"protocol\":\"mhtml\"},"                            \
	"{\"format_id\":\"local\",\"ext\":\"mp4\",\"height\":240,\"url\":\"file:///etc/"           \
	"passwd\"},7]}"

#define LINES                                                                                      \
	"title: A song\nuser-agent: p/1\nid: hi\next: mp3\nkbps: 320\nhttps://e.example/hi.mp3\n"  \
	"id: lo\next: mp3\nkbps: 64\nexpires: 1763000000\nurl: https://e.example/lo.mp3?a=b\n"

static const struct {
	const char *name, *text;
	int want; /* formats; -1: refused */
} reads[] = {
	{"what yt-dlp prints", TUBE, 7},
	{"an address of its own", "{\"url\":\"https://e.example/a.mp3\",\"ext\":\"mp3\"}", 1},
	{"an address alone", "https://e.example/a.mp3\n", 1},
	{"two of them", "https://e.example/a.mp3\r\nhttp://e.example/b.mp3", 2},
	{"lines", "title: x\n\nid: a\next: webm\nkind: audio\nkbps: 10\nurl: https://e/x\n", 1},
	{"a picture", "height: 480\nhttps://e.example/v.mp4", 1},
	{"nothing", "", -1},
	{"blanks", " \n\n ", -1},
	{"words", "ERROR: no such video\n", -1},
	{"a word before an address", "Downloading\nhttps://e.example/a.mp3\n", -1},
	{"an unknown member", "colour: red\nhttps://e.example/a.mp3\n", -1},
	{"no address", "title: x\nid: a\n", -1},
	{"another scheme", "url: file:///etc/passwd\n", -1},
	{"no host", "url: http:///x\n", -1},
	{"a blank in it", "url: http://e.example/a b\n", -1},
	{"a control byte in it", "url: http://e.example/a\x01\n", -1},
	{"what a shell would like", "url: http://e.example/`id`\n", -1},
	{"braces", "url: http://e.example/${IFS}x\n", -1},
	{"what a shell would like and URLs may hold", "url: http://e.example/$(id);x&y'\n", 1},
	{"a negative number", "kbps: -1\nhttps://e.example/a\n", -1},
	{"a number too large", "height: 99999999999999999999\nhttps://e.example/a\n", -1},
	{"sound with a height", "kind: audio\nheight: 3\nhttps://e.example/a\n", -1},
	{"an id with a slash", "id: ../x\nhttps://e.example/a\n", -1},
	{"an agent with a control byte", "user-agent: a\tb\nhttps://e.example/a\n", -1},
	{"broken JSON", "{\"url\":\"https://e.example/a.mp3\"", -1},
	{"JSON and more", "{\"url\":\"https://e.example/a.mp3\"} x", -1},
	{"JSON and a line's end", "{\"url\":\"https://e.example/a.mp3\"}\n", 1},
	{"a JSON list", "[{\"url\":\"https://e.example/a.mp3\"}]", -1},
	{"deep JSON",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
		"]]]]]]]]]]]}",
		-1},
	{"a playlist", "{\"_type\":\"playlist\",\"entries\":[]}", -1},
	{"formats that are none", "{\"formats\":{\"url\":\"https://e.example/a.mp3\"}}", -1},
	{"only what is no resource", "{\"url\":\"https://e.example/a.m3u8\",\"protocol\":\"m3u8\"}",
		-1},
	{"a list of segments beside a file", "https://e.example/a.m3u8?x\nhttps://e.example/b.mp3",
		1},
	{"a list of segments alone", "https://e.example/a.m3u8", -1},
	{"one that is called a film", "ext: mp4\nhttps://e.example/a.m3u8?x#y", -1},
	{"one that is live",
		"{\"is_live\":true,\"formats\":[{\"url\":\"https://e.example/l\","
		"\"protocol\":\"m3u8_native\"}]}",
		-1},
	{"strange figures",
		"{\"url\":\"https://e.example/a\",\"ext\":\"mp3\",\"abr\":-5,\"height\":1e300,"
		"\"filesize\":null,\"duration\":\"long\"}",
		1},
};

#define BOTH(EXT, CODECS, HEIGHT, KBPS)                                                            \
	"id: " EXT "\next: " EXT "\nkind: both\ncodecs: " CODECS "\nheight: " HEIGHT               \
	"\nkbps: " KBPS "\nhttps://e/v\n"
#define SOUND(ID, EXT, CODECS, KBPS)                                                               \
	"id: " ID "\next: " EXT "\nkind: audio\ncodecs: " CODECS "\nkbps: " KBPS "\nhttps://e/a\n"
#define PICTURE(ID, EXT, CODECS, HEIGHT)                                                           \
	"id: " ID "\next: " EXT "\nkind: video\ncodecs: " CODECS "\nheight: " HEIGHT               \
	"\nkbps: 900\nhttps://e/p\n"

static bool is_hd(void *ctx, const struct offer_format *n)
{
	(void)ctx;
	return n->height == 720;
}

static bool is_any(void *ctx, const struct offer_format *n)
{
	(void)ctx;
	(void)n;
	return true;
}

static const struct {
	const char *text, *quality, *format;
	bool (*refuses)(void *ctx, const struct offer_format *n);
	const char *want, *given;
} choices[] = {
	{TUBE, "high", "", NULL, "251", "medium"},
	{TUBE, "medium", NULL, NULL, "251", "medium"},
	{TUBE, "medium", "aac", NULL, "140", "medium"},
	{TUBE, "medium", "opus", NULL, "251", "medium"},
	{TUBE, "medium", "flac", NULL, "251", "medium"},
	{TUBE, "low", "", NULL, "250", "low"},
	{TUBE, "low", "aac", NULL, "139", "low"},
	{TUBE, "1080p", "", NULL, "22", "720p"},
	{TUBE, "720p", "", NULL, "22", "720p"},
	{TUBE, "720p", "", is_hd, "18", "360p"},
	{TUBE, "480p", "", NULL, "18", "360p"},
	{TUBE, "144p", "", NULL, "18", "360p"},
	{TUBE, "source", "", NULL, "22", "720p"},
	{TUBE, "high", "", is_any, NULL, NULL},
	{LINES, "high", "", NULL, "hi", "high"},
	{LINES, "medium", "", NULL, "lo", "low"},
	{LINES, "720p", "", NULL, NULL, NULL},
	{"https://e.example/a", "low", "", NULL, "1", "high"},
	{"height: 480\nhttps://e.example/v.mp4", "low", "", NULL, "1", "480p"},
	{"kind: video\nheight: 480\nhttps://e.example/v.mp4", "480p", "", NULL, NULL, NULL},
	{"kbps: 400\nid: x\nhttps://e/x\nkbps: 300\nid: y\nhttps://e/y", "low", "", NULL, "y",
		"high"},
	/* what browsers play comes before what they do not, however high it is */
	{BOTH("flv", "", "720", "900") BOTH("mp4", "", "480", "700"), "1080p", "", NULL, "mp4",
		"480p"},
	{BOTH("flv", "", "720", "900") BOTH("mp4", "", "480", "700"), "144p", "", NULL, "mp4",
		"480p"},
	{BOTH("mkv", "", "720", "900"), "720p", "", NULL, "mkv", "720p"},
	{BOTH("webm", "vp9,opus", "720", "900") BOTH("mp4", "avc1.64001f,mp4a.40.2", "720", "700"),
		"720p", "", NULL, "mp4", "720p"},
	{BOTH("webm", "vp9,opus", "720", "900") BOTH("mp4", "avc1.64001f,mp4a.40.2", "720", "700"),
		"720p", "opus", NULL, "webm", "720p"},
	{BOTH("webm", "vp9,opus", "1080", "900") BOTH("mp4", "avc1.64001f,mp4a.40.2", "720", "700"),
		"1080p", "", NULL, "webm", "1080p"},
	{SOUND("eac3", "m4a", "ec-3", "384") SOUND("aac", "m4a", "mp4a.40.2", "128"), "high", "aac",
		NULL, "aac", "medium"},
	{SOUND("eac3", "m4a", "ec-3", "384") SOUND("aac", "m4a", "mp4a.40.2", "128"), "high", "",
		NULL, "aac", "medium"},
	{SOUND("old", "wma", "", "192") SOUND("mp3", "mp3", "", "128"), "high", "", NULL, "mp3",
		"medium"},
	{SOUND("m4a", "m4a", "", "128") SOUND("mp3", "mp3", "", "192"), "high", "aac", NULL, "m4a",
		"medium"},
	{PICTURE("av1", "mp4", "av01.0.08M.08", "1080")
			PICTURE("avc", "mp4", "avc1.640028", "1080"),
		"1080p", OFFER_PICTURE_ALONE, NULL, "avc", "1080p"},
	{PICTURE("av1", "mp4", "av01.0.08M.08", "1080") PICTURE("avc", "mp4", "avc1.64001f", "720"),
		"1080p", OFFER_PICTURE_ALONE, NULL, "av1", "1080p"},
	{PICTURE("vp9", "webm", "vp9", "1080"), "1080p", OFFER_PICTURE_ALONE, NULL, NULL, NULL},
};

static void chosen(void)
{
	const struct wish_usual usual = {false, "720p", "high", "1080p"};

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct offer_format *n;
		struct offer_choice c = {
			.format = choices[i].format, .refuses = choices[i].refuses};
		struct quality q;
		struct wish wish;
		struct fail f = {0};

		arena_reset(&arena);
		quality_parse(span_of(choices[i].quality), &q);
		wish = wish_for(&q, &usual, INT64_MAX);
		c.wish = &wish;
		offer_read(span_of(choices[i].text), NULL, &arena, offer, &f);
		n = offer_choose(offer, &c);
		is_str(n ? n->id : NULL, choices[i].want, "%s %s of %zu formats",
			choices[i].quality, choices[i].format ? choices[i].format : "",
			offer->count);
		if (n)
			is_str(offer_quality(n), choices[i].given, "which is %s", choices[i].given);
	}
}

/* What is taken of what does not say all. */
#define JSON(FORMATS) "{\"formats\":[" FORMATS "]}"
#define TONGUE(ID, ABR, PREFERENCE)                                                                \
	"{\"format_id\":\"" ID "\",\"ext\":\"m4a\",\"vcodec\":\"none\",\"abr\":" ABR               \
	",\"language_preference\":" PREFERENCE ",\"url\":\"https://e/" ID "\"}"

static const struct offer_usual film = {true, 720, 0}, low = {false, 360, 64};

static const struct {
	const char *name, *text;
	const struct offer_usual *usual;
	const char *want; /* id, kind, height or kb/s of each */
} tells[] = {
	{"an address alone", "https://e/a", NULL, "1 audio 0"},
	{"one of a source of pictures", "https://e/a", &film, "1 both 720"},
	{"one whose ending tells", "https://e/v.mp4/a.mp3?x=.mp4", &film, "1 audio 0"},
	{"one that a program was told to find", "https://e/a", &low, "1 audio 64"},
	{"what says more than it was told", "kbps: 50\nhttps://e/a", &low, "1 audio 50"},
	{"what yt-dlp -g prints", "https://e/v?a=1\nhttps://e/a?b=2\n", NULL,
		"1 video 360, 2 audio 0"},
	{"the same of a source of pictures", "https://e/v\nhttps://e/a\n", &film,
		"1 video 720, 2 audio 0"},
	{"two songs", "https://e/a.mp3\nhttps://e/b.mp3\n", NULL, "1 audio 0, 2 audio 0"},
	{"two of which something is said", "kbps: 3\nhttps://e/a\nid: x\nhttps://e/b\n", NULL,
		"1 audio 3, x audio 0"},
	{"one id for two", "id: x\nhttps://e/a\nid: x\nhttps://e/b\nid: 2\nhttps://e/c\n", NULL,
		"x audio 0, 2 audio 0, 3 audio 0"},
	{"odd names in JSON",
		JSON("{\"format_id\":\"audio:1 é\",\"ext\":\"mp3\",\"acodec\":\"a=b\",\"abr\":9,"
		     "\"url\":\"https://e/a\"}"),
		NULL, "1 audio 9"},
	{"what is locked",
		JSON("{\"format_id\":\"a\",\"ext\":\"mp3\",\"url\":\"https://e/a\"},"
		     "{\"format_id\":\"b\",\"ext\":\"mp3\",\"has_drm\":true,\"abr\":320,\"url\":"
		     "\"https://e/b\"},"
		     "{\"format_id\":\"c\",\"ext\":\"mp3\",\"has_drm\":false,\"url\":\"https://e/"
		     "c\"}"),
		NULL, "c audio 0, a audio 0"},
	{"other tongues",
		JSON(TONGUE("de", "300", "-1") "," TONGUE("en", "128", "10") "," TONGUE("en-low",
			"48", "10") "," TONGUE("fr", "128", "-10") ","
								   "{\"format_id\":\"v\","
								   "\"ext\":\"mp4\",\"acodec\":"
								   "\"none\",\"vcodec\":\"av1\","
								   "\"height\":480,\"url\":"
								   "\"https://e/v\"}"),
		NULL, "v video 480, en-low audio 48, en audio 128"},
	{"one tongue of another kind",
		JSON("{\"format_id\":\"18\",\"ext\":\"mp4\",\"height\":360,\"url\":\"https://e/"
		     "b\"}," TONGUE("en", "128", "10")),
		NULL, "en audio 128, 18 both 360"},
};

static void told(void)
{
	static const char *const kinds[] = {"audio", "video", "both"};

	for (size_t i = 0; i < sizeof(tells) / sizeof(tells[0]); i++) {
		struct fail f = {0};
		struct buf all;

		arena_reset(&arena);
		buf_init(&all, 1000);
		offer_read(span_of(tells[i].text), tells[i].usual, &arena, offer, &f);
		for (size_t k = 0; k < offer->count; k++) {
			const struct offer_format *n = &offer->formats[k];

			buf_printf(&all, "%s%s %s %lld", k ? ", " : "", n->id, kinds[n->kind],
				(long long)(n->kind == OFFER_SOUND ? n->kbps : n->height));
		}
		is_str(buf_str(&all), tells[i].want, "%s", tells[i].name);
		buf_release(&all);
	}
}

/* The best come last. */
static void many(void)
{
	struct fail f = {0};
	struct buf text;

	arena_reset(&arena);
	buf_init(&text, 100000);
	buf_puts(&text, "{\"formats\":[");
	for (int i = 1; i <= 200; i++)
		buf_printf(&text,
			"%s{\"format_id\":\"n%d\",\"ext\":\"mp4\",\"height\":%d,\"url\":\"https://"
			"e/%d\"}",
			i > 1 ? "," : "", i, i, i);
	buf_puts(&text, "]}");
	is_int(offer_read(buf_span(&text), NULL, &arena, offer, &f), 0,
		"more formats than we keep");
	is_int((int64_t)offer->count, OFFER_FORMATS_MAX, "are cut");
	is_str(offer->formats[0].id, "n200", "but for the best");
	buf_release(&text);
}

static void ended(void)
{
	const int64_t now_ms = 1763000000000;
	struct fail f = {0};

	arena_reset(&arena);
	offer_read(span_of("id: old\nhttps://e/a?expire=1762000000\nid: good\nhttps://e/b?expire="
			   "1763009000\nid: short\nexpires: 1763000003\nhttps://e/c\nid: "
			   "ever\nhttps://e/d\n"),
		NULL, &arena, offer, &f);
	offer_drop_ended(offer, now_ms);
	is_int((int64_t)offer->count, 2,
		"addresses that have ended, or are about to, are left out");
	is_str(offer->formats[0].id, "good", "the others stay");
	is_str(offer->formats[1].id, "ever", "those that do not say it, too");
	is_int(offer_ends_ms(offer), 1763009000000, "and end when they say");
}

static void kept(const char *text)
{
	struct offer *back = malloc(sizeof(*back));
	struct buf printed, again;
	struct fail f = {0};

	arena_reset(&arena);
	buf_init(&printed, 100000);
	buf_init(&again, 100000);
	offer_read(span_of(text), NULL, &arena, offer, &f);
	offer->made_ms = 1762990000123;
	offer_print(offer, &printed);
	is_int(offer_read(buf_span(&printed), NULL, &arena, back, &f), 0,
		"what is kept is read back");
	offer_print(back, &again);
	is_str(buf_str(&again), buf_str(&printed), "as it was");
	is_int(back->made_ms, offer->made_ms, "with its time");
	is_int(offer_ends_ms(back), offer_ends_ms(offer), "and its end");
	buf_release(&printed);
	buf_release(&again);
	free(back);
}

int main(void)
{
	struct fail f = {0};

	offer = malloc(sizeof(*offer));
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		int result = offer_read(span_of(reads[i].text), NULL, &arena, offer, &f);

		is_int(result < 0 ? -1 : (int)offer->count, reads[i].want, "%s%s%s", reads[i].name,
			result < 0 ? ": " : "", result < 0 ? f.text : "");
		arena_reset(&arena);
	}
	offer_read(span_of("ext: m3u8\nhttps://e.example/live"), NULL, &arena, offer, &f);
	ok(strstr(f.text, "a channel of a source of type m3u"), "what to do with one is said: %s",
		f.text);
	offer_read(span_of(TUBE), NULL, &arena, offer, &f);
	is_str(offer->title, "A song", "the title is cleaned");
	is_int(offer->duration_s, 212, "the duration is had");
	is_int(offer_ends_ms(offer), 1762999000000, "the first address that ends ends it");
	is_str(offer->formats[3].agent, "M/5", "what is to be sent comes along");
	is_str(offer_type(&offer->formats[3]), "audio/webm", "and what it is");
	is_str(offer->formats[2].codecs, "avc1.42001E,mp4a.40.2", "of both tracks");
	told();
	many();
	ended();
	chosen();
	kept(TUBE);
	kept(LINES);
	arena_release(&arena);
	free(offer);
	return tap_done();
}
