/* t/unit/m3u.c - lists of channels, as awkward as lists are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"
#include "lib/http/alike.h"
#include "lib/svc/source_m3u.h"
#include "t/unit/tap.h"

static char key[3][64];
static size_t keys;

static int put_category(void *ctx, const struct source_category *row, struct fail *f)
{
	(void)ctx;
	(void)row;
	(void)f;
	return 0;
}

#define SPAN(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static int put_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	(void)f;
	if (keys < 3)
		span_copy(row->key, key[keys++], sizeof(key[0]));
	buf_printf(ctx, "%.*s|%.*s|%.*s|%.*s|%lld|%.*s|%.*s|%.*s", SPAN(row->name), SPAN(row->epg),
		SPAN(row->category), SPAN(row->logo), (long long)row->number, SPAN(row->url),
		SPAN(row->agent), SPAN(row->referrer));
	if (row->archive_days)
		buf_printf(ctx, "|%lld days", (long long)row->archive_days);
	buf_putc(ctx, ';');
	return 0;
}

static int put_title(void *ctx, const struct source_title *row, struct fail *f)
{
	(void)f;
	buf_printf(ctx, "film %.*s|%.*s|%.*s;", SPAN(row->name), SPAN(row->suffix), SPAN(row->url));
	return 0;
}

#define URL "http://h/1.ts"

static const struct {
	const char *what, *list;
	enum fail_kind kind;
	const char *rows;
} lists[] = {
	{"a plain list", "#EXTM3U\n#EXTINF:-1,One\n" URL "\n", FAIL_NONE, "One||||0|" URL "||;"},
	{"all attributes",
		"#EXTM3U\n#EXTINF:-1 tvg-id=\"one.uk\" tvg-name=\"1\" tvg-logo=\"http://l/1.png\" "
		"tvg-chno=\"7\" group-title=\"News\",One\n" URL "\n",
		FAIL_NONE, "One|one.uk|News|http://l/1.png|7|" URL "||;"},
	{"upper case, CR LF and a byte order mark",
		"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:-1 TVG-ID=\"x\" Group-Title=\"G\",One\r\n" URL
		"\r\n",
		FAIL_NONE, "One|x|G||0|" URL "||;"},
	{"values with '=' and without quotes",
		"#EXTINF:-1 tvg-id=a=b group-title='A = B' tvg-logo=http://l/?a=b,One\n" URL "\n",
		FAIL_NONE, "One|a=b|A = B|http://l/?a=b|0|" URL "||;"},
	{"quotes in values",
		"#EXTINF:-1 tvg-id=\"a\" group-title=\"The \"Best\" TV\" x=\"\",One\n" URL,
		FAIL_NONE, "One|a|The \"Best\" TV||0|" URL "||;"},
	{"a comma in a value and in the name", "#EXTINF:-1 group-title=\"A, B\",One, two\n" URL,
		FAIL_NONE, "One, two||A, B||0|" URL "||;"},
	{"a value that never ends", "#EXTINF:-1 group-title=\"A,One\n" URL, FAIL_NONE,
		"One||A||0|" URL "||;"},
	{"#EXTGRP", "#EXTINF:-1,One\n#EXTGRP:G\n" URL "\n#EXTINF:-1,Two\n" URL, FAIL_NONE,
		"One||G||0|" URL "||;Two||||0|" URL "||;"},
	{"several groups", "#EXTINF:-1 group-title=\"A;B\",One\n" URL, FAIL_NONE,
		"One||A||0|" URL "||;"},
	{"a player's name and a referrer",
		"#EXTINF:-1,One\n#EXTVLCOPT:http-user-agent=VLC=3\n"
		"#EXTVLCOPT:http-referrer=http://r/\n#EXTVLCOPT:network-caching=1\n" URL,
		FAIL_NONE, "One||||0|" URL "|VLC=3|http://r/;"},
	{"the same as Kodi says it",
		"#EXTINF:-1,One\n#KODIPROP:inputstream.adaptive.manifest_type=hls\n"
		"#KODIPROP:http-user-agent=Kodi\n#KODIPROP:http-referrer=http://r/\n" URL
		"\n#EXTINF:-1,Two\n#KODIPROP:inputstream.adaptive.stream_headers=User-Agent=My%20TV"
		"&Referer=http://s/\n" URL,
		FAIL_NONE, "One||||0|" URL "|Kodi|http://r/;Two||||0|" URL "|My TV|http://s/;"},
	{"what the head says for all",
		"#EXTM3U url-tvg=\"http://g/a.xml,http://g/b.xml\" tvg-shift=2 catchup=\"append\" "
		"catchup-days=\"7\" user-agent=\"All\" http-referrer=\"http://r/\"\n"
		"#EXTINF:-1 tvg-shift=1,One\n" URL "\n#EXTINF:-1 catchup-days=2,Two\n"
		"#EXTVLCOPT:http-user-agent=Own\n" URL,
		FAIL_NONE,
		"One||||0|" URL "|All|http://r/|7 days;Two||||0|" URL "|Own|http://r/|2 days;"},
	{"a head that says nothing of use",
		"#EXTM3U x-tvg-url=http://g/ m3uautoload=1 cache=500\n"
		"#EXTINF:-1,One\n" URL,
		FAIL_NONE, "One||||0|" URL "||;"},
	{"fields behind the address",
		"#EXTINF:-1,One\n" URL "|User-Agent=My%20TV&Referer=http://r/&X=1", FAIL_NONE,
		"One||||0|" URL "|My TV|http://r/;"},
	{"fields do not stay for the next one",
		"#EXTINF:-1,One\n" URL "|User-Agent=a\n#EXTINF:-1,Two\n" URL, FAIL_NONE,
		"One||||0|" URL "|a|;Two||||0|" URL "||;"},
	{"a header in a field", "#EXTINF:-1,One\n" URL "|User-Agent=a%0d%0aX:%20y", FAIL_NONE,
		"One||||0|" URL "||;"},
	{"relative addresses", "#EXTINF:-1,A\nb.ts\n#EXTINF:-1,B\n/c.ts\n#EXTINF:-1,C\n//o/d.ts\n",
		FAIL_NONE,
		"A||||0|http://base/dir/b.ts||;B||||0|http://base/c.ts||;C||||0|http://o/d.ts||;"},
	{"addresses that are not ours",
		"#EXTINF:-1,A\nudp://@239.0.0.1:1234\n#EXTINF:-1,B\nfile:///etc/passwd\n"
		"#EXTINF:-1,C\nrtmp://h/x\n#EXTINF:-1,D\njavascript:x\n",
		FAIL_NONE, ""},
	{"films by their ending",
		"#EXTINF:-1,F\nhttp://h/movie/u/p/1.MKV?x=.ts\n#EXTINF:-1,C\n" URL, FAIL_NONE,
		"film F|mkv|http://h/movie/u/p/1.MKV?x=.ts;C||||0|" URL "||;"},
	{"a name where there is none", "#EXTINF:-1 tvg-name=\"N\",\n" URL "\n" URL, FAIL_NONE,
		"N||||0|" URL "||;/1.ts||||0|" URL "||;"},
	{"control characters", "#EXTINF:-1,a\tb\x01\n" URL, FAIL_NONE, "a b||||0|" URL "||;"},
	{"only a header", "#EXTM3U\n", FAIL_NONE, ""},
	{"a web page", "<!doctype html>\n<html>", FAIL_UPSTREAM, ""},
	{"an answer in JSON", "{\"user_info\":{\"auth\":0}}", FAIL_UPSTREAM, ""},
	{"a refusal in words", "Access denied\n", FAIL_UPSTREAM, ""},
	{"a song", "ID3\x03\n\nTIT2 song\n", FAIL_UPSTREAM, ""},
	{"addresses alone", URL "\n# a remark\nb.ts\n", FAIL_NONE,
		"/1.ts||||0|" URL "||;/dir/b.ts||||0|http://base/dir/b.ts||;"},
	{"a head, and addresses that are relative", "#EXTM3U\nb.ts\n", FAIL_NONE,
		"/dir/b.ts||||0|http://base/dir/b.ts||;"},
};

static void rows(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct fail f = {0};
		struct buf got;
		struct source_sink sink = {.category = put_category,
			.channel = put_channel,
			.title = put_title,
			.ctx = &got};

		buf_init(&got, 8192);
		source_m3u_rows(span_of(lists[i].list), "http://base/dir/list.m3u?x=/y", &sink, &f);
		is_int(f.kind, lists[i].kind, "%s is %s", lists[i].what,
			lists[i].kind ? "refused" : "read");
		is_str(buf_str(&got), lists[i].rows, "%s gives these rows", lists[i].what);
		buf_release(&got);
	}
}

static void keys_of(const char *list)
{
	struct fail f = {0};
	struct buf got;
	struct source_sink sink = {
		.category = put_category, .channel = put_channel, .title = put_title, .ctx = &got};

	keys = 0;
	buf_init(&got, 8192);
	source_m3u_rows(span_of(list), "http://base/", &sink, &f);
	buf_release(&got);
}

static void stable(void)
{
	char first[64];

	keys_of("#EXTINF:-1 tvg-id=\"a\",One\nhttp://h/token1/1.ts\n");
	memcpy(first, key[0], sizeof(first));
	keys_of("#EXTINF:-1,Zero\nhttp://h/0\n#EXTINF:0 group-title=\"G\" tvg-id=\"a\",One\n"
		"https://other/token2/2.ts\n");
	is_str(key[1], first,
		"with a guide's id a channel keeps its own wherever it stands and plays");
	keys_of("#EXTINF:-1,One\nhttp://a/live/u/p/5.ts\n#EXTINF:-1,One\nhttp://b/live/u/p/5.ts\n"
		"#EXTINF:-1,Two\nhttp://a/live/u/p/5.ts\n");
	is_str(key[0], key[1], "without one, the path and the name tell");
	ok(strcmp(key[0], key[2]) != 0, "both of them");
}

static bool add_name(void *ctx, const struct m3u_entry *e)
{
	buf_printf(ctx, "%.*s=%.*s;", SPAN(e->name), SPAN(e->url));
	return true;
}

/* The same entries, however the list is cut; and a line without an end costs only itself. */
static void pieces(void)
{
	static const char list[] =
		"#EXTM3U\r\n#EXTINF:-1 tvg-id=\"a\" group-title=\"G\",One\r\n" URL
		"\r\n#EXTINF:-1,Two\r\nhttp://h/2.ts";
	static char endless[3 * M3U_LINE_MAX];
	size_t wrong = 0;
	struct buf got;
	struct m3u m;

	buf_init(&got, 4096);
	for (size_t cut = 0; cut < sizeof(list) - 1; cut++) {
		buf_clear(&got);
		m3u_init(&m, add_name, &got);
		m3u_feed(&m, list, cut);
		m3u_feed(&m, list + cut, sizeof(list) - 1 - cut);
		wrong += !m3u_end(&m) ||
			 strcmp(buf_str(&got), "One=" URL ";Two=http://h/2.ts;") != 0;
		m3u_release(&m);
	}
	is_int((int64_t)wrong, 0, "a list may come in any pieces");
	memset(endless, 'x', sizeof(endless));
	buf_clear(&got);
	m3u_init(&m, add_name, &got);
	m3u_feed(&m, "#EXTINF:-1,One\n", 15);
	m3u_feed(&m, endless, sizeof(endless));
	m3u_feed(&m, "\n" URL "\n", sizeof(URL) + 1);
	is_str(buf_str(&got), "One=" URL ";", "a line without end is passed over");
	m3u_release(&m);
	buf_release(&got);
}

static void names(void)
{
	static const char *const cases[][2] = {{"UK | BBC One FHD", "ukbbcone"},
		{"uk: bbc one (HD)", "ukbbcone"}, {"UK: BBC One", "ukbbcone"},
		{"Canal+ 4K", "canal+"}, {"Élan  TV", "elantv"}, {"HD", "hd"},
		{"Первый канал HD", "первыиканал"}, {"Sky Sports 1080", "skysports"},
		{"HDTV", "hdtv"}};
	char to[161];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		alike_name(span_of(cases[i][0]), to, sizeof(to));
		is_str(to, cases[i][1], "\"%s\" is compared as", cases[i][0]);
	}
}

int main(void)
{
	rows();
	stable();
	pieces();
	names();
	return tap_done();
}
