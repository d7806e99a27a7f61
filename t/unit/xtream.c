/* t/unit/xtream.c - a gateway's JSON, as awkward as gateways are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"
#include "lib/svc/source_xtream.h"
#include "t/unit/tap.h"

static int put_category(void *ctx, const struct source_category *row, struct fail *f)
{
	(void)f;
	buf_printf(ctx, "%.*s=%.*s;", (int)row->key.len, row->key.ptr, (int)row->name.len,
		row->name.ptr);
	return 0;
}

static int put_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	(void)f;
	buf_printf(ctx, "%.*s|%.*s|%.*s|%.*s|%lld|%lld|%d;", (int)row->key.len, row->key.ptr,
		(int)row->name.len, row->name.ptr, (int)row->category.len, row->category.ptr,
		(int)row->logo.len, row->logo.ptr, (long long)row->number,
		(long long)row->archive_days, row->adult);
	return 0;
}

static int put_title(void *ctx, const struct source_title *row, struct fail *f)
{
	(void)f;
	buf_printf(ctx, "%.*s|%.*s|%.*s|%.*s|%lld|%lld|%lld;", (int)row->key.len, row->key.ptr,
		(int)row->name.len, row->name.ptr, (int)row->suffix.len,
		row->suffix.ptr ? row->suffix.ptr : "", (int)row->plot.len, row->plot.ptr,
		(long long)row->year, (long long)row->rating, (long long)row->changed_s);
	return 0;
}

static const struct {
	const char *what, *json;
	enum fail_kind kind;
	const char *rows;
} channels[] = {
	{"a plain list", "[{\"num\":1,\"name\":\"One\",\"stream_id\":8,\"category_id\":\"3\"}]",
		FAIL_NONE, "8|One|3||1|0|0;"},
	{"numbers as texts",
		"[{\"num\":\"2\",\"name\":\"Two\",\"stream_id\":\"9\",\"category_id\":3,"
		"\"is_adult\":\"1\",\"tv_archive\":1,\"tv_archive_duration\":\"7\"}]",
		FAIL_NONE, "9|Two|3||2|7|1;"},
	{"ids above 31 bits", "[{\"name\":\"x\",\"stream_id\":2356443347}]", FAIL_NONE,
		"2356443347|x|||0|0|0;"},
	{"null everywhere",
		"[{\"num\":null,\"name\":\"x\",\"stream_id\":1,\"stream_icon\":null,"
		"\"epg_channel_id\":null,\"category_id\":null}]",
		FAIL_NONE, "1|x|||0|0|0;"},
	{"an object for the list", "{\"1\":{\"name\":\"x\",\"stream_id\":1},\"2\":5}", FAIL_NONE,
		"1|x|||0|0|0;"},
	{"an empty object", "{}", FAIL_NONE, ""},
	{"an empty list", "[]", FAIL_NONE, ""},
	{"rows that are none", "[1,null,\"x\",[],{}]", FAIL_NONE, ""},
	{"a row without a name", "[{\"stream_id\":1,\"name\":\" \"}]", FAIL_NONE, ""},
	{"an id that breaks paths", "[{\"stream_id\":\"../1\",\"name\":\"x\"}]", FAIL_NONE, ""},
	{"control characters", "[{\"stream_id\":1,\"name\":\"a\\u0000b\\r\\nc\"}]", FAIL_NONE,
		"1|ab c|||0|0|0;"},
	{"a script for a logo",
		"[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"javascript:x\"}]", FAIL_NONE,
		"1|x|||0|0|0;"},
	{"a logo", "[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"http://a/b.png\"}]",
		FAIL_NONE, "1|x||http://a/b.png|0|0|0;"},
	{"a logo with a quote",
		"[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"http://a/\\\"\"}]", FAIL_NONE,
		"1|x|||0|0|0;"},
	{"a web page", "<html>no</html>", FAIL_UPSTREAM, ""},
	{"nothing", "", FAIL_UPSTREAM, ""},
	{"half of it", "[{\"stream_id\":1,\"name\":\"x\"", FAIL_UPSTREAM, ""},
	{"too deep", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", FAIL_UPSTREAM, ""},
};

static void lists(void)
{
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		struct fail f = {0};
		struct buf rows;

		buf_init(&rows, 4096);
		struct source_sink sink = {.category = put_category,
			.channel = put_channel,
			.title = put_title,
			.ctx = &rows};
		source_xtream_channels(span_of(channels[i].json), &sink, &f);
		is_int(f.kind, channels[i].kind, "%s is %s", channels[i].what,
			channels[i].kind ? "refused" : "read");
		is_str(buf_str(&rows), channels[i].rows, "%s gives these rows", channels[i].what);
		buf_release(&rows);
	}

	struct fail f = {0};
	struct buf rows;
	buf_init(&rows, 4096);
	struct source_sink sink = {
		.category = put_category, .channel = put_channel, .title = put_title, .ctx = &rows};
	is_int(source_xtream_categories(span_of("[{\"category_id\":3,\"category_name\":\"News\"},"
						"{\"category_id\":\"4\",\"category_name\":\"\"}]"),
		       &sink, &f),
		0, "categories are read");
	is_str(buf_str(&rows), "3=News;", "but for those without a name");
	buf_release(&rows);
}

static int put_episode(void *ctx, const struct source_episode *row, struct fail *f)
{
	(void)f;
	buf_printf(ctx, "%.*s|%.*s|%lld.%lld|%.*s|%.*s|%lld;", (int)row->series.len,
		row->series.ptr, (int)row->key.len, row->key.ptr, (long long)row->season,
		(long long)row->number, (int)row->name.len, row->name.ptr, (int)row->suffix.len,
		row->suffix.ptr, (long long)row->duration_s);
	return 0;
}

static void episodes(void)
{
	static const struct {
		const char *what, *json;
		enum fail_kind kind;
		const char *rows;
	} cases[] = {
		{"an object by season",
			"{\"episodes\":{\"2\":[{\"id\":\"5\",\"episode_num\":\"3\",\"title\":"
			"\"S - S02E03 - Third\",\"container_extension\":\"mkv\",\"info\":"
			"{\"duration_secs\":\"61\"}}]}}",
			FAIL_NONE, "9|5|2.3|Third|mkv|61;"},
		{"an array of seasons",
			"{\"episodes\":[[{\"id\":5,\"episode_num\":1,\"season\":1}],[{\"id\":6,"
			"\"episode_num\":1,\"info\":[]}]]}",
			FAIL_NONE, "9|5|1.1|||0;9|6|2.1|||0;"},
		{"one array",
			"{\"episodes\":[{\"id\":5,\"episode_num\":4,\"season\":3,\"title\":\"X\","
			"\"info\":{\"duration\":\"00:02:03\"}}]}",
			FAIL_NONE, "9|5|3.4|X||123;"},
		{"what is no episode",
			"{\"episodes\":{\"1\":[{\"id\":null},{\"id\":\"a/b\"},7,[[1]],null]}}",
			FAIL_NONE, ""},
		{"a series without any", "{\"episodes\":[],\"info\":[]}", FAIL_NONE, ""},
		{"an unknown series", "[]", FAIL_NONE, ""},
		{"a refusal", "{\"user_info\":{\"auth\":0}}", FAIL_FORBIDDEN, ""},
		{"a web page", "<html>", FAIL_UPSTREAM, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fail f = {0};
		struct buf rows;

		buf_init(&rows, 4096);
		struct source_sink sink = {.episode = put_episode, .ctx = &rows};
		source_xtream_episodes(span_of(cases[i].json), span_of("9"), &sink, &f);
		is_int(f.kind, cases[i].kind, "%s is %s", cases[i].what,
			cases[i].kind ? "refused" : "read");
		is_str(buf_str(&rows), cases[i].rows, "%s gives these rows", cases[i].what);
		buf_release(&rows);
	}
}

static void titles(void)
{
	static const char films[] =
		"[{\"stream_id\":\"5\",\"name\":\"F\",\"container_extension\":\"mkv\","
		"\"rating\":\"7.5\",\"year\":\"2021\",\"added\":\"1700000000\",\"plot\":\"a] } "
		"\\\"b\"},"
		"{\"stream_id\":6,\"name\":\"G\",\"container_extension\":\"../x\",\"rating\":\"N/"
		"A\","
		"\"plot\":null,\"release_date\":\"1999-05-01\"},{\"stream_id\":7,\"name\":null},[],"
		"5]";
	static const char series[] = "\xef\xbb\xbf{\"a\":{\"series_id\":9,\"name\":\"S\","
				     "\"last_modified\":\"1700000001\",\"rating\":8,"
				     "\"releaseDate\":\"2020-01-01\",\"x\":[{\"series_id\":1}]}}";
	struct fail f = {0};
	struct buf rows;
	buf_init(&rows, 4096);
	struct source_sink sink = {
		.category = put_category, .channel = put_channel, .title = put_title, .ctx = &rows};

	is_int(source_xtream_films(span_of(films), &sink, &f), 0, "films are read");
	is_str(buf_str(&rows), "5|F|mkv|a] } \"b|2021|75|1700000000;6|G|||1999|0|0;",
		"with brackets and quotes in their texts, and without what makes no sense");
	buf_clear(&rows);
	is_int(source_xtream_series(span_of(series), &sink, &f), 0, "and series");
	is_str(buf_str(&rows), "9|S|||2020|80|1700000001;", "one row each");
	is_int(source_xtream_films(span_of("[{\"stream_id\":1 \"x\"}]"), &sink, &f), -1,
		"a row that is no JSON ends it");
	is_int(f.kind, FAIL_UPSTREAM, "and is the gateway's fault");
	buf_release(&rows);
}

static void logins(void)
{
	static const struct {
		const char *json;
		enum fail_kind kind;
	} cases[] = {
		{"{\"user_info\":{\"auth\":1,\"status\":\"Active\"}}", FAIL_NONE},
		{"{\"user_info\":{\"auth\":\"1\",\"status\":\"active\"}}", FAIL_NONE},
		{"{\"user_info\":{\"auth\":1,\"status\":null}}", FAIL_NONE},
		{"{\"user_info\":{\"auth\":0}}", FAIL_FORBIDDEN},
		{"{\"user_info\":{\"auth\":\"0\"}}", FAIL_FORBIDDEN},
		{"{\"user_info\":{\"auth\":1,\"status\":\"Expired\"}}", FAIL_FORBIDDEN},
		{"{\"user_info\":{\"auth\":1,\"status\":\"Banned\"}}", FAIL_FORBIDDEN},
		{"{}", FAIL_UPSTREAM},
		{"[]", FAIL_UPSTREAM},
		{"<html>", FAIL_UPSTREAM},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fail f = {0};

		source_xtream_login(span_of(cases[i].json), &f);
		is_int(f.kind, cases[i].kind, "a login answered by %s", cases[i].json);
	}
}

int main(void)
{
	lists();
	titles();
	episodes();
	logins();
	return tap_done();
}
