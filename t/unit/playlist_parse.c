/* t/unit/playlist_parse.c - playlists that others wrote.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/hls/playlist.h"
#include "t/unit/tap.h"

static struct playlist p;

/* --- what a list is read as ------------------------------------------------------------------- */

/* A segment in words: number, milliseconds, what is before it, what it is. */
static void put_part(struct buf *b, const struct playlist_part *part)
{
	buf_printf(b, "%.*s", (int)part->uri.len, part->uri.len ? part->uri.ptr : "");
	if (part->length)
		buf_printf(b, "[%lld+%lld]", (long long)part->offset, (long long)part->length);
	if (part->key.on)
		buf_printf(b, " %s(%.*s,%02x%02x%02x)", part->key.known ? "key" : "locked",
			(int)part->key.uri.len, part->key.uri.len ? part->key.uri.ptr : "",
			part->key.iv[0], part->key.iv[14], part->key.iv[15]);
}

static void put_segment(struct buf *b, const struct playlist_segment *s)
{
	buf_printf(b, "%s%s%lld:%lld ", s->discontinuity ? "! " : "", s->gap ? "gap " : "",
		(long long)s->n, (long long)(s->duration_us / 1000));
	if (s->date_ms)
		buf_printf(b, "@%lld ", (long long)s->date_ms);
	put_part(b, &s->part);
	if (s->map.uri.len) {
		buf_puts(b, " map ");
		put_part(b, &s->map);
	}
	buf_puts(b, "; ");
}

#define M "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"

static const struct {
	const char *what, *text, *want;
} lists[] = {
	{"the least", M "#EXTINF:6,\na.ts\n", "6000 | 0:6000 a.ts; "},
	{"no segment yet", M "#EXT-X-MEDIA-SEQUENCE:7\n", "6000 | "},
	{"CR LF, a byte order mark, a title, no newline at the end",
		"\xef\xbb\xbf#EXTM3U\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-MEDIA-SEQUENCE:7\r\n"
		"#EXTINF:5.96,News, at \"nine\"\r\na.ts\r\n#EXTINF:6\r\nb.ts",
		"6000 | 7:5960 a.ts; 8:6000 b.ts; "},
	{"junk",
		M "\n \nhello\n#hello\n#EXT-X-NEWS:1\n#EXTINF:six,\nb.ts\n#EXTINF:6,\n  "
		  "a.ts\t\n<b>\n",
		"6000 | 0:6000 a.ts; "},
	{"no target", "#EXTM3U\n#EXTINF:3.5,\na.ts\n#EXTINF:4.25,\nb.ts\n",
		"4250 | 0:3500 a.ts; 1:4250 b.ts; "},
	{"a discontinuity, a gap, the end",
		M "#EXT-X-DISCONTINUITY-SEQUENCE:4\n#EXTINF:6,\na.ts\n#EXT-X-DISCONTINUITY\n#"
		  "EXTINF:2,\nb.ts\n"
		  "#EXT-X-GAP\n#EXTINF:2,\nc.ts\n#EXT-X-ENDLIST\n",
		"6000 | 0:6000 a.ts; ! 1:2000 b.ts; gap 2:2000 c.ts; end"},
	{"dates",
		M "#EXT-X-PROGRAM-DATE-TIME:2025-11-21T02:09:41.123Z\n#EXTINF:6,\na.ts\n"
		  "#EXT-X-PROGRAM-DATE-TIME:2025-11-21T03:09:47.123+01:00\n#EXTINF:6,\nb.ts\n"
		  "#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:00-0530\n#EXTINF:6,\nc.ts\n"
		  "#EXT-X-PROGRAM-DATE-TIME:soon\n#EXTINF:6,\nd.ts\n",
		"6000 | 0:6000 @1763690981123 a.ts; 1:6000 @1763690987123 b.ts; "
		"2:6000 @1709227800000 c.ts; 3:6000 d.ts; "},
	{"ranges",
		M
		"#EXTINF:6,\n#EXT-X-BYTERANGE:100@50\na.ts\n#EXTINF:6,\n#EXT-X-BYTERANGE:10\na.ts\n"
		"#EXTINF:6,\n#EXT-X-BYTERANGE:10\nb.ts\n#EXTINF:6,\nb.ts\n"
		"#EXTINF:6,\n#EXT-X-BYTERANGE:9223372036854775807@9\nc.ts\n",
		"6000 | 0:6000 a.ts[50+100]; 1:6000 a.ts[150+10]; 2:6000 b.ts[0+10]; 3:6000 b.ts; "
		"4:6000 c.ts; "},
	{"a key, its vector, another one, none",
		M "#EXT-X-MEDIA-SEQUENCE:258\n#EXT-X-KEY:METHOD=AES-128,URI=\"k?a=1,2\"\n#EXTINF:6,"
		  "\na.ts\n"
		  "#EXTINF:6,\nb.ts\n"
		  "#EXT-X-KEY:METHOD=AES-128,URI=\"l\",IV=0xAB000000000000000000000000000Fe1,"
		  "KEYFORMAT=\"identity\"\n"
		  "#EXTINF:6,\nc.ts\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\nd.ts\n",
		"6000 | 258:6000 a.ts key(k?a=1,2,000102); 259:6000 b.ts key(k?a=1,2,000103); "
		"260:6000 c.ts key(l,ab0fe1); 261:6000 d.ts; "},
	{"locks that are not ours",
		M "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://"
		  "x\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n"
		  "#EXTINF:6,\na.ts\n#EXT-X-KEY:METHOD=AES-128\n#EXTINF:6,\nb.ts\n"
		  "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x12345678901234567890123456789012345\n#"
		  "EXTINF:6,\nc.ts\n",
		"6000 | 0:6000 a.ts locked(skd://x,000000); 1:6000 b.ts locked(,000001); "
		"2:6000 c.ts locked(k,000002); "},
	{"two locks side by side, one of which we know",
		M "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"x\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"
		  "#EXT-X-KEY:METHOD=AES-128,URI=\"y\",KEYFORMAT=\"other\"\n#EXTINF:6,\na.ts\n"
		  "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"x\"\n#EXTINF:6,\nb.ts\n",
		"6000 | 0:6000 a.ts key(k,000000); 1:6000 b.ts locked(x,000001); "},
	{"an initialization section",
		M "#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"700@8\"\n#EXTINF:6,\na.m4s\n#EXTINF:6,\nb."
		  "m4s\n"
		  "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"j.mp4\"\n#EXTINF:6,\nc.m4s\n",
		"6000 | 0:6000 a.m4s map i.mp4[8+700]; 1:6000 b.m4s map i.mp4[8+700]; "
		"! 2:6000 c.m4s map j.mp4; "},
	{"numbers beyond all",
		"#EXTM3U\n#EXT-X-TARGETDURATION:99999999999999999999\n#EXT-X-MEDIA-SEQUENCE:"
		"9223372036854775807\n"
		"#EXTINF:6,\na.ts\n#EXTINF:1e9,\nb.ts\n#EXTINF:-4,\nc.ts\n",
		"6000 | 0:6000 a.ts; "},
};

static void read_lists(void)
{
	struct fail f = {0};
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		buf_clear(&b);
		if (playlist_parse(span_of(lists[i].text), &p, &f) < 0)
			buf_puts(&b, f.text);
		else
			buf_printf(&b, "%lld | ", (long long)(p.target_us / 1000));
		for (size_t k = 0; k < p.count; k++)
			put_segment(&b, &p.segments[k]);
		if (p.ended)
			buf_puts(&b, "end");
		is_str(buf_str(&b), lists[i].want, "%s", lists[i].what);
	}
	buf_release(&b);
}

static const struct {
	const char *text, *want;
} refusals[] = {
	{"", "is none"},
	{"<html><body>#EXTM3U", "is none"},
	{"#EXTM3", "is none"},
	{"#EXTM3U\n", "lists nothing to play"},
	{"#EXTM3U\n#EXTINF:-1 tvg-id=\"a\",One\nhttp://gw/1.ts\n", "is a list of channels"},
	{"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "lists no variant"},
	{"#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:0,\na.ts\n", "lists nothing to play"},
};

static void refuse(void)
{
	char *long_text = malloc(PLAYLIST_BYTES + 1);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct fail f = {0};
		ok(playlist_parse(span_of(refusals[i].text), &p, &f) < 0 &&
				f.kind == FAIL_UPSTREAM && strstr(f.text, refusals[i].want),
			"refused: it %s", refusals[i].want);
	}
	if (long_text) {
		memset(long_text, '\n', PLAYLIST_BYTES + 1);
		memcpy(long_text, M, sizeof(M) - 1);
		ok(playlist_parse(span_make(long_text, PLAYLIST_BYTES + 1), &p, NULL) < 0,
			"one that is too long is refused");
		ok(playlist_parse(span_make(long_text, PLAYLIST_BYTES), &p, NULL) == 0,
			"a long one is not");
	}
	free(long_text);
}

static void read_long(void)
{
	struct buf b;

	buf_init(&b, PLAYLIST_BYTES);
	buf_puts(&b, M "#EXT-X-MEDIA-SEQUENCE:1000\n");
	for (int i = 0; i < 30000; i++)
		buf_printf(&b, "#EXTINF:6,\nsegment-%d.ts?token=abcdef\n", i);
	ok(playlist_parse(buf_span(&b), &p, NULL) == 0, "30,000 segments are read");
	is_int(p.segments[p.count - 1].n, 1000 + 30000 - 1, "to the last one");
	ok(p.count >= PLAYLIST_SEGMENTS / 2 && p.segments[0].n == 31000 - (int64_t)p.count,
		"and only the last ones are kept");
	buf_release(&b);
}

/* --- what a body begins with ------------------------------------------------------------------ */

static const struct {
	const char *text;
	bool is, sure;
} begins[] = {
	{"#EXTM3U\n", true, true},
	{"\xef\xbb\xbf\r\n #EXTM3U", true, true},
	{"#EXT", false, false},
	{"\xef\xbb", false, false},
	{"", false, false},
	{"#EXTINF:6,\n", false, true},
	{"G@\1\20", false, true},
	{"<html>", false, true},
};

static void look(void)
{
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		bool sure, is = playlist_begins(span_of(begins[i].text), &sure);
		ok(is == begins[i].is && sure == begins[i].sure, "body %zu %s a playlist%s", i,
			begins[i].is ? "is" : "is not", begins[i].sure ? "" : ", so far");
	}
}

/* --- variants --------------------------------------------------------------------------------- */

#define V(size, rate, codecs, name)                                                                \
	"#EXT-X-STREAM-INF:BANDWIDTH=" rate ",RESOLUTION=" size ",CODECS=\"" codecs "\"\n" name "\n"

static const char usual[] = "#EXTM3U\n" V("640x360", "800000", "avc1.4d401f,mp4a.40.2", "360") V(
	"1280x720", "2800000", "avc1.4d401f,mp4a.40.2", "720")
	V("1280x720", "3200000", "hvc1.1.6.L93.B0,mp4a.40.2", "720h") V("1920x1080", "5000000",
		"avc1.640028,mp4a.40.2", "1080") V("1280x720", "2400000", "avc1.4d401f", "720low")
		V("1920x1080", "4000000", "av01.0.08M.08",
			"av1") "#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\nsound\n"
			       "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"\n";
static const char unsized[] = "#EXTM3U\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=800000\nlow\n"
			      "#EXT-X-STREAM-INF:PROGRAM-ID=1, BANDWIDTH=2800000\nhigh\n";
static const char foreign[] = "#EXTM3U\n" V("640x360", "800000", "vp09.00", "v");

static const struct {
	const char *text;
	int height;
	unsigned skip;
	const char *want;
} choices[] = {
	{usual, 720, 0, "720"},
	{usual, 720, 1, "720low"},
	{usual, 720, 2, "720h"},
	{usual, 720, 3, "360"},
	{usual, 720, 4, "1080"},
	{usual, 720, 5, "sound"},
	{usual, 720, 6, "720"},
	{usual, 1080, 0, "1080"},
	{usual, 2160, 0, "1080"},
	{usual, 719, 0, "360"},
	{usual, 240, 0, "360"},
	{usual, 240, 1, "720low"},
	{usual, 0, 0, "sound"},
	{unsized, 720, 0, "high"},
	{unsized, 720, 1, "low"},
	{foreign, 720, 0, ""},
};

static void choose(void)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct playlist_variant *v;
		char got[32] = "";

		playlist_parse(span_of(choices[i].text), &p, NULL);
		v = playlist_choose(&p, choices[i].height, choices[i].skip);
		if (v)
			span_copy(v->uri, got, sizeof(got));
		is_str(got, choices[i].want, "choice %zu: for %d lines, %u left out", i,
			choices[i].height, choices[i].skip);
	}
	playlist_parse(span_of(usual), &p, NULL);
	is_int(p.variants[1].width, 1280, "a width");
	is_int(p.variants[1].height, 720, "a height");
	is_int(p.variants[1].bandwidth, 2800000, "a bandwidth");
	playlist_parse(
		span_of("#EXTM3U\n#EXT-X-STREAM-INF:FRAME-RATE=29.970,BANDWIDTH=1\na\n"), &p, NULL);
	is_int(p.variants[0].rate_milli, 29970, "a rate");
}

static const char sounds[] =
	"#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"D\",LANGUAGE=\"de\",URI=\"de\"\n"
	"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"E\",LANGUAGE=\"en-GB\",DEFAULT=YES,URI="
	"\"en\"\n"
	"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"F\",LANGUAGE=\"fra\",DEFAULT=NO,URI=\"fr\"\n"
	"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"M\",DEFAULT=YES\n"
	"#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"S\",LANGUAGE=\"de\",URI=\"sub\"\n"
	"#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nA\n#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="
	"\"b\"\nB\n"
	"#EXT-X-STREAM-INF:BANDWIDTH=3\nC\n";

static const struct {
	size_t variant;
	const char *languages, *want;
} sound_choices[] = {
	{0, "", "en"},
	{0, "deu eng", "de"},
	{0, "fra deu", "fr"},
	{0, "eng", "en"},
	{0, "ita", "en"},
	{1, "", ""},
	{2, "deu", ""},
};

static void choose_sound(void)
{
	for (size_t i = 0; i < sizeof(sound_choices) / sizeof(sound_choices[0]); i++) {
		const struct playlist_rendition *m;
		char got[32] = "";

		playlist_parse(span_of(sounds), &p, NULL);
		m = playlist_sound(
			&p, &p.variants[sound_choices[i].variant], sound_choices[i].languages);
		if (m)
			span_copy(m->uri, got, sizeof(got));
		is_str(got, sound_choices[i].want, "sound %zu", i);
	}
}

int main(void)
{
	read_lists();
	refuse();
	read_long();
	look();
	choose();
	choose_sound();
	return tap_done();
}
