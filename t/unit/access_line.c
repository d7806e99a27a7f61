/* t/unit/access_line.c - lines of access logs, and what they are about.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lib/http/access_line.h"
#include "lib/http/date.h"
#include "t/unit/tap.h"

static void times(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} cases[] = {
		{"27/Nov/2026:09:54:47 +0000", 1795773287},
		{"27/Nov/2026:09:54:47 +0100", 1795769687},
		{"27/Nov/2026:09:54:47 -0530", 1795793087},
		{"29/Feb/2028:00:00:00 +0000", 1835395200},
		{"01/Jan/1970:00:00:00 +0000", 0},
		{"01/Jan/1970:00:00:00 +0100", -1},
		{"31/Feb/2026:00:00:00 +0000", -1},
		{"27/Nov/2026:24:00:00 +0000", -1},
		{"27/Nov/2026:09:54:47 +0060", -1},
		{"27/Nov/2026:09:54:47 +1500", -1},
		{"27/Nov/2026:09:54:47  0000", -1},
		{"27/Nov/2026:09:54:47 UTC+0", -1},
		{"27/nov/2026:09:54:47 +0000", -1},
		{"27/Nov/2026 09:54:47 +0000", -1},
		{"27/Nov/2026:09:54:47 +000", -1},
		{"", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t s = -1;

		date_parse_log(span_of(cases[i].text), &s);
		is_int(s, cases[i].want, "the time '%s'", cases[i].text);
	}
}

#define HEAD "127.0.0.1 tv.example - [27/Nov/2026:09:54:47 +0000] "

static void lines(void)
{
	static const struct {
		const char *line, *path;
		int status;
		int64_t bytes, us;
		enum access_cache cache;
	} cases[] = {
		{HEAD "\"GET /-api/api/live\" 200 1090 1087 MISS", "/-api/api/live", 200, 1090,
			1087, ACCESS_MISS},
		{HEAD "\"GET /tv/1/2/3.ts\" 206 1 0.196 -", "/tv/1/2/3.ts", 206, 1, 196000,
			ACCESS_HIT},
		{HEAD "\"GET /a\" 200 1 12.000001 STALE", "/a", 200, 1, 12000001, ACCESS_HIT},
		{HEAD "\"GET /a\" 200 1 7", "/a", 200, 1, 7, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 200 - - HIT", "/a", 200, 0, -1, ACCESS_HIT},
		{HEAD "\"GET /a\" 200 1 1 EXPIRED", "/a", 200, 1, 1, ACCESS_MISS},
		{HEAD "\"GET /a\" 200 1 1 BYPASS", "/a", 200, 1, 1, ACCESS_MISS},
		{HEAD "\"GET /a\" 200 1 1 UPDATING", "/a", 200, 1, 1, ACCESS_HIT},
		{HEAD "\"GET /a\" 200 1 1 REVALIDATED", "/a", 200, 1, 1, ACCESS_HIT},
		{HEAD "\"GET /a\" 200 1 1 hit", "/a", 200, 1, 1, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 200 9223372036854775807 1 HIT", "/a", 200, INT64_MAX, 1,
			ACCESS_HIT},
		{HEAD "\"GET \" 400 310 0.000 -", "", 400, 310, 0, ACCESS_HIT},
		{HEAD "\"GET /a b\" 200 1 1 -", "/a b", 200, 1, 1, ACCESS_HIT},
		{HEAD "\"GET /\\\"] \\\"\" 404 1 1 -", "/\\\"] \\\"", 404, 1, 1, ACCESS_HIT},
		/* Who calls himself a line is none. */
		{"::1 h a\\x22 b [1/Jan/1970:00:00:00 +0000] GET /x 200 9 "
		 "[27/Nov/2026:09:54:47 +0000] \"GET /api/live\" 200 1058 0.000 MISS",
			"/api/live", 200, 1058, 0, ACCESS_MISS},
		{HEAD "\"GET /a\" 200 -1 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 200 9223372036854775808 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 2000 1 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 200 1 1.1234567 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\" 200 1", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a\"", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"GET /a 200 1 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{HEAD "\"", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{"[27/Nov/2026:09:54:47 +0000] GET /a 200 1 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{"27/Nov/2026:09:54:47 +0000] \"GET /a\" 200 1 1 -", NULL, 0, 0, 0, ACCESS_UNKNOWN},
		{"", NULL, 0, 0, 0, ACCESS_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct access_line l = {.status = -1};
		bool good = access_line_parse(span_of(cases[i].line), &l);

		if (!cases[i].path) {
			ok(!good && l.status == -1, "no line: %s", cases[i].line);
			continue;
		}
		ok(good && span_is(l.path, cases[i].path) && l.status == cases[i].status &&
				l.bytes == cases[i].bytes && l.took_us == cases[i].us &&
				l.cache == cases[i].cache && l.time_s == 1795773287,
			"read: %s", cases[i].line);
	}
}

static void subjects(void)
{
	static const char ver[] = "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *path; /* V stands for a version */
		enum access_family family;
		const char *title, *rendition;
	} cases[] = {
		{"/tv/8/V/720p/17.ts", ACCESS_SEGMENTS, "live-8", "720p"},
		{"/tv/star.live-8/V/audio/17.ts", ACCESS_SEGMENTS, "star.live-8", "audio"},
		{"/api/hls/vod-7/V/source/12.m4s", ACCESS_SEGMENTS, "vod-7", "source"},
		{"/-relay/api/hls/vod-7/V/a0/init.mp4", ACCESS_SEGMENTS, "vod-7", "a0"},
		{"api/hls/vod-7/V/s0/3.vtt", ACCESS_SEGMENTS, "vod-7", "s0"},
		{"/api/hls/vod-7/V/720p.m3u8", ACCESS_PLAYLISTS, "vod-7", "720p"},
		{"/-api/api/hls/8/master.m3u8", ACCESS_PLAYLISTS, "live-8", "master"},
		{"/api/hls/vod-7/V/thumbnails.vtt", ACCESS_ART, "vod-7", ""},
		{"/api/hls/vod-7/V/thumbnails/0.jpg", ACCESS_ART, "vod-7", ""},
		{"/cdn/art/trk-1", ACCESS_ART, "", ""},
		{"/cdn/o/V.mp3", ACCESS_OBJECTS, "", ""},
		{"/cdn/stream/trk-1", ACCESS_OBJECTS, "trk-1", ""},
		{"/cdn/stream/dQw4w9WgXcQ", ACCESS_OBJECTS, "dQw4w9WgXcQ", ""},
		{"/cdn/hls/url-1/picture-720p.mp4", ACCESS_OBJECTS, "url-1", ""},
		{"/cdn/hls/url-1/sound.m3u8", ACCESS_PLAYLISTS, "url-1", ""},
		{"/cdn/hls/x", ACCESS_OBJECTS, "", ""},
		{"/cdn/stream/a%20b", ACCESS_OBJECTS, "", ""},
		{"/proxy", ACCESS_OBJECTS, "", ""},
		{"/api/stream/vod/7", ACCESS_OBJECTS, "vod-7", ""},
		{"/api/stream/vod-7", ACCESS_OBJECTS, "vod-7", ""},
		{"/api/live/8/direct", ACCESS_DIRECT, "live-8", ""},
		{"/api/live/8", ACCESS_API, "", ""},
		{"/api/download/1/file", ACCESS_DOWNLOADS, "", ""},
		{"/prefetch", ACCESS_PREFETCH, "", ""},
		{"/prefetch/x", ACCESS_PREFETCH, "", ""},
		{"/api/hls/8", ACCESS_API, "", ""},
		{"/g/V/720p/1.m4s", ACCESS_SEGMENTS, "", "720p"},
		{"/health", ACCESS_API, "", ""},
		{"/metrics", ACCESS_API, "", ""},
		{"/", ACCESS_PAGES, "", ""},
		{"/watch/live-8", ACCESS_PAGES, "", ""},
		{"/web/V/base.css", ACCESS_PAGES, "", ""},
		{"/-error/404.html", ACCESS_OTHER, "", ""},
		{"/tv/8", ACCESS_OTHER, "", ""},
		{"", ACCESS_OTHER, "", ""},
		{"/a/b/c/d/e/f/g/h/i/j/k", ACCESS_OTHER, "", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *mark = strchr(cases[i].path, 'V');
		struct access_subject s;
		char path[200];

		snprintf(path, sizeof(path), "%.*s%s%s", mark ? (int)(mark - cases[i].path) : 200,
			cases[i].path, mark ? ver : "", mark ? mark + 1 : "");
		access_subject_of(span_of(path), &s);
		is_str(access_family_name(s.family), access_family_name(cases[i].family),
			"%s: its family", cases[i].path);
		is_str(s.title, cases[i].title, "its title");
		is_str(s.rendition, cases[i].rendition, "its rendition");
	}
}

int main(void)
{
	times();
	lines();
	subjects();
	return tap_done();
}
