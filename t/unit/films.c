/* t/unit/films.c - films: their names, their versions, their playlists, the directory they lie in.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hls/vod.h"
#include "lib/io/conf.h"
#include "lib/svc/source_files.h"
#include "lib/svc/title.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static void names(void)
{
	static const struct {
		const char *file, *name;
		int64_t year;
	} cases[] = {
		{"The.Lost.World.1925.1080p.mkv", "The Lost World", 1925},
		{"The Lost World (1925).mp4", "The Lost World", 1925},
		{"1984.avi", "1984", 0},
		{"2012.2009.720p.mkv", "2012", 2009},
		{"home_video_720p.MP4", "home video", 0},
		{"plain.webm", "plain", 0},
		{"720p.mkv", "720p", 0},
		{"....mkv", "....mkv", 0},
		{"Caf\xc3\xa9\x1b[31m.mkv", "Caf\xc3\xa9[31m", 0},
	};
	char name[CHANNEL_NAME_MAX];
	int64_t year;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		source_files_name(span_of(cases[i].file), name, &year);
		is_str(name, cases[i].name, "the name in %s", cases[i].file);
		is_int(year, cases[i].year, "and its year");
	}
	ok(source_files_is_film(span_of("a.MKV")) && source_files_is_film(span_of("b.ts")),
		"a film is known by its ending, in any case");
	ok(!source_files_is_film(span_of(".mkv")) && !source_files_is_film(span_of("a.mkv.part")) &&
			!source_files_is_film(span_of("mkv")),
		"and by nothing else");
}

static void episodes(void)
{
	static const struct {
		const char *path, *series, *name, *shelf; /* series NULL: a film */
		int year, season, number;
	} cases[] = {
		{"TV/Show (2005)/Season 01/Show - S01E02 - The Second.mkv", "Show", "The Second",
			"TV", 2005, 1, 2},
		{"Show/Season 2/03 - Third.1080p.WEB.mkv", "Show", "Third", "", 0, 2, 3},
		{"Show/S03/E04.mkv", "Show", "", "", 0, 3, 4},
		{"Show/Specials/01 Behind.mkv", "Show", "Behind", "", 0, 0, 1},
		{"Downloads/The.Show.S01E05.720p.x264.mkv", "The Show", "", "Downloads", 0, 1, 5},
		{"The Show/S01E05.mkv", "The Show", "", "", 0, 1, 5},
		{"Show.2005.1x07.mkv", "Show", "", "", 2005, 1, 7},
		{"Season 1/Show S01E02.mkv", "Show", "", "Season 1", 0, 1, 2},
		{"Season 1/02.mkv", NULL, "", "", 0, 0, 0},
		{"S01E01.mkv", NULL, "", "", 0, 0, 0},
		{"The.Lost.World.1925.mkv", NULL, "", "", 0, 0, 0},
		{"Show/Season 1/Making of.mkv", NULL, "", "", 0, 0, 0},
	};
	struct files_episode e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = source_files_episode(span_of(cases[i].path), &e);

		is_int(found, cases[i].series != NULL, "%s is an episode: %d", cases[i].path,
			cases[i].series != NULL);
		if (!found || !cases[i].series)
			continue;
		is_str(e.series, cases[i].series, "of this series");
		is_str(e.name, cases[i].name, "called so");
		ok(span_is(e.shelf, cases[i].shelf), "on the shelf \"%.*s\"", (int)e.shelf.len,
			e.shelf.ptr);
		is_int(e.year * 1000000 + e.season * 1000 + e.number,
			cases[i].year * 1000000 + cases[i].season * 1000 + cases[i].number,
			"year, season and number");
	}
}

static void versions(void)
{
	static const struct conf_source source = {.name = "films", .type = "files", .url = "/srv"};
	struct title t = {
		.film = {.id = "vod-1", .source = "films", .url = "a.mkv"}, .source = &source};
	struct record_validator bytes = {1000, 5}, longer = {1001, 5}, later = {1000, 6};
	unsigned char key[SIGN_SIZE] = {1}, other[SIGN_SIZE] = {2};
	char ver[TITLE_VER_BYTES], again[TITLE_VER_BYTES];

	title_version(&t, &bytes, "720p", key, ver);
	is_int(strlen(ver), 32, "a version is 32 digits");
	title_version(&t, &bytes, "720p", key, again);
	is_str(again, ver, "the same for the same film");
	title_version(&t, &longer, "720p", key, again);
	ok(strcmp(again, ver) != 0, "another for another size");
	title_version(&t, &later, "720p", key, again);
	ok(strcmp(again, ver) != 0, "for another time");
	title_version(&t, &bytes, "480p", key, again);
	ok(strcmp(again, ver) != 0, "for another ladder");
	title_version(&t, &bytes, "720p", other, again);
	ok(strcmp(again, ver) != 0, "and for another server");
}

static void opening(const char *dir)
{
	struct conf_source source = {.name = "films", .type = "files", .url = dir};
	struct title t = {.source = &source};
	static const struct {
		const char *path;
		enum fail_kind kind;
		const char *text;
	} cases[] = {
		{"a.mkv", FAIL_NONE, "a film is opened"},
		{"none.mkv", FAIL_MISSING, "one that is gone is missing"},
		{"out.mkv", FAIL_UPSTREAM, "a link out of the directory is refused"},
		{"../secret", FAIL_UPSTREAM, "so is a path out of it"},
		{"pipe.mkv", FAIL_UPSTREAM, "and what is no file"},
		{"sub", FAIL_UPSTREAM, "such as a directory"},
	};
	struct record_validator now;
	struct fail f;

	is_int(shell("mkdir -p sub && printf 12345 > a.mkv && printf x > ../secret && "
		     "ln -sf ../secret out.mkv && mkfifo pipe.mkv",
		       dir),
		0, "a directory of films");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = -1;

		f = (struct fail){0};
		snprintf(t.film.url, sizeof(t.film.url), "%s", cases[i].path);
		if (title_open(&t, &fd, &now, &f) == 0)
			close(fd);
		is_int(f.kind, cases[i].kind, "%s", cases[i].text);
	}
	snprintf(t.film.url, sizeof(t.film.url), "a.mkv");
	int fd = -1;
	ok(title_open(&t, &fd, &now, &f) == 0 && now.size == 5 && now.stamp > 0,
		"and what it is now is known");
	close(fd);
}

static struct record film(void)
{
	static int64_t t[] = {0, 2000, 8500};
	static uint64_t pos[] = {0, 10, 20};
	struct record r = {.flags = RECORD_COPY,
		.timescale = 1000,
		.peak_bps = 3000000,
		.average_bps = 2000000,
		.audio_count = 2,
		.text_count = 1,
		.segments = 2,
		.t = t,
		.pos = pos};

	r.video = (struct record_video){.codec = "h264",
		.codecs = "avc1.640028",
		.width = 854,
		.height = 480,
		.sar_n = 1,
		.sar_d = 1,
		.rate_n = 24000,
		.rate_d = 1001};
	r.audio[0] = (struct record_audio){.codecs = "mp4a.40.2", .language = "eng", .channels = 2};
	r.audio[1] = (struct record_audio){
		.codecs = "mp4a.40.2", .title = "Comments", .channels = 1, .is_default = true};
	r.text[0] = (struct record_text){.language = "deu", .flags = RECORD_TEXT_FORCED};
	return r;
}

static void set_codec(struct record *r, const char *codec)
{
	snprintf(r->video.codec, sizeof(r->video.codec), "%s", codec);
}

static void print_listed(const struct record *r, const struct ladder *l, struct buf *to)
{
	struct rendition list[VOD_LISTED_MAX];
	size_t count = vod_listed(r, l, list);
	char name[RENDITION_NAME_BYTES];

	for (size_t i = 0; i < count; i++) {
		rendition_print(&list[i], name);
		buf_printf(to, "%s ", name);
	}
}

static void print_master(const struct record *r, const struct ladder *l,
	enum rendition_format format, size_t beside_count, struct buf *to)
{
	static const struct vod_text beside[] = {{"s0123456789a", "en", "", RECORD_TEXT_DEAF},
		{"s0123456789b", "en", "Director", 0}};
	const struct vod_master m = {r, l, "0a", format, beside, beside_count};

	vod_master_print(&m, to);
}

static void masters(void)
{
	struct record r = film();
	struct ladder l;
	struct fail f;
	struct buf b;

	buf_init(&b, VOD_MAX_BYTES);
	ladder_parse("1080p 480p 360p", "1080p", "480p", &l, &f);
	print_master(&r, &l, RENDITION_FMP4, 0, &b);
	is_str(buf_str(&b),
		"#EXTM3U\n#EXT-X-VERSION:7\n"
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"eng (1)\",LANGUAGE=\"eng\","
		"DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"0a/a0.m3u8\"\n"
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Comments\","
		"DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"1\",URI=\"0a/a1.m3u8\"\n"
		"#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"deu (1)\",LANGUAGE=\"deu\","
		"DEFAULT=NO,AUTOSELECT=NO,FORCED=YES,URI=\"0a/s0.m3u8\"\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=3160000,AVERAGE-BANDWIDTH=2132000,"
		"CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=854x480,FRAME-RATE=23.976,"
		"AUDIO=\"sound\",SUBTITLES=\"text\",CLOSED-CAPTIONS=NONE\n0a/source.m3u8\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=830000,"
		"CODECS=\"avc1.4D401F,mp4a.40.2\",RESOLUTION=854x480,FRAME-RATE=23.976,"
		"AUDIO=\"sound\",SUBTITLES=\"text\",CLOSED-CAPTIONS=NONE\n0a/480p.m3u8\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=600000,AVERAGE-BANDWIDTH=490000,"
		"CODECS=\"avc1.4D401F,mp4a.40.2\",RESOLUTION=640x360,FRAME-RATE=23.976,"
		"AUDIO=\"sound\",SUBTITLES=\"text\",CLOSED-CAPTIONS=NONE\n0a/360p.m3u8\n"
		"#EXT-X-STREAM-INF:BANDWIDTH=160000,AVERAGE-BANDWIDTH=132000,CODECS=\"mp4a.40.2\","
		"AUDIO=\"sound\",SUBTITLES=\"text\"\n0a/a1.m3u8\n"
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,CODECS=\"avc1.4D401F\","
		"RESOLUTION=640x360,URI=\"0a/iframes.m3u8\"\n",
		"a master lists all there is, the film's own picture first, no higher rung");
	buf_clear(&b);
	print_master(&r, &l, RENDITION_TS, 0, &b);
	ok(strstr(buf_str(&b), "LANGUAGE=\"eng\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\"\n") &&
			strstr(buf_str(&b), "URI=\"0a/a1.ts.m3u8\"\n"),
		"in MPEG-TS the first sound stands in the variants, the other beside them");
	ok(strstr(buf_str(&b), "BANDWIDTH=1100000,AVERAGE") &&
			strstr(buf_str(&b), "\n0a/480p.ts.m3u8\n") &&
			strstr(buf_str(&b), "\n0a/source.ts.m3u8\n") &&
			strstr(buf_str(&b), "URI=\"0a/s0.ts.m3u8\"") &&
			!strstr(buf_str(&b), "iframes"),
		"which have lists of their own, and take a little more");
	buf_clear(&b);
	print_master(&r, &l, RENDITION_FMP4, 2, &b);
	ok(strstr(buf_str(&b), "NAME=\"en (2)\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=NO,FORCED=NO,"
			       "CHARACTERISTICS=\"public.accessibility.describes-music-and-sound\","
			       "URI=\"0a/s0123456789a.m3u8\"\n") &&
			strstr(buf_str(&b), "NAME=\"Director (3)\",LANGUAGE=\"en\","),
		"subtitles that lie beside a film stand behind its own");
	set_codec(&r, "hevc");
	buf_clear(&b);
	print_master(&r, &l, RENDITION_TS, 0, &b);
	ok(!strstr(buf_str(&b), "source.ts") && strstr(buf_str(&b), "480p.ts"),
		"a picture that is no H.264 is not copied into it");
	set_codec(&r, "h264");
	buf_clear(&b);
	print_listed(&r, &l, &b);
	is_str(buf_str(&b), "source a1 480p 360p a0 s0 iframes ",
		"and all of it is listed, as a player comes to want it");
	buf_clear(&b);
	r.flags = RECORD_FIXED_GRID;
	r.audio_count = r.text_count = 0;
	print_master(&r, &l, RENDITION_FMP4, 0, &b);
	ok(!strstr(buf_str(&b), "source.m3u8") && !strstr(buf_str(&b), "AUDIO") &&
			strstr(buf_str(&b), "CODECS=\"avc1.4D401F\",RES"),
		"without what it has not: a copy, sound");
	buf_release(&b);
}

static void media(void)
{
	struct rendition x;
	struct record r = film();
	struct buf b;

	buf_init(&b, VOD_MAX_BYTES);
	rendition_parse(span_of("360p"), &x);
	vod_media_print(&r, &x, &b);
	is_str(buf_str(&b),
		"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE:0\n"
		"#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
		"#EXT-X-MAP:URI=\"360p/init.mp4\"\n#EXTINF:2.000000,\n360p/0.m4s\n"
		"#EXTINF:6.500000,\n360p/1.m4s\n#EXT-X-ENDLIST\n",
		"a media playlist has every segment with its duration");
	buf_clear(&b);
	rendition_parse(span_of("source"), &x);
	r.flags |= RECORD_OPEN_GOP;
	vod_media_print(&r, &x, &b);
	ok(!strstr(buf_str(&b), "INDEPENDENT"), "a copy with open groups does not claim more");
	buf_clear(&b);
	rendition_parse_list(span_of("360p.ts"), &x);
	vod_media_print(&r, &x, &b);
	ok(strstr(buf_str(&b), "\n360p/1.ts\n") && strstr(buf_str(&b), "VERSION:4\n") &&
			!strstr(buf_str(&b), "MAP"),
		"MPEG-TS needs nothing to begin with");
	buf_clear(&b);
	rendition_parse(span_of("s0"), &x);
	vod_media_print(&r, &x, &b);
	ok(strstr(buf_str(&b), "s0/1.vtt") && !strstr(buf_str(&b), "MAP"),
		"subtitles need nothing to begin with");
	buf_clear(&b);
	rendition_parse(span_of("iframes"), &x);
	vod_media_print(&r, &x, &b);
	ok(strstr(buf_str(&b), "#EXT-X-I-FRAMES-ONLY\n"), "keyframes alone are said to be that");
	buf_clear(&b);
	vod_thumbnails_print(&r, &b);
	is_str(buf_str(&b),
		"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nthumbnails/0.jpg#xywh=0,0,160,90\n"
		"\n00:00:02.000 --> 00:00:08.500\nthumbnails/0.jpg#xywh=160,0,160,90\n",
		"and each segment has a small picture");
	buf_release(&b);
}

int main(void)
{
	char dir[] = "/tmp/sluice-films-XXXXXX", films[64];

	if (!mkdtemp(dir))
		return 1;
	snprintf(films, sizeof(films), "%s/films", dir);
	mkdir(films, 0755);
	names();
	episodes();
	versions();
	opening(films);
	masters();
	media();
	shell("rm -rf films secret", dir);
	rmdir(dir);
	return tap_done();
}
