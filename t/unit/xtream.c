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

static const struct {
	const char *what, *json;
	enum fail_kind kind;
	const char *rows;
} channels[] = {
	{"a plain list", "[{\"num\":1,\"name\":\"One\",\"stream_id\":8,\"category_id\":\"3\"}]", FAIL_NONE,
		"8|One|3||1|0|0;"},
	{"numbers as texts", "[{\"num\":\"2\",\"name\":\"Two\",\"stream_id\":\"9\",\"category_id\":3,"
			     "\"is_adult\":\"1\",\"tv_archive\":1,\"tv_archive_duration\":\"7\"}]",
		FAIL_NONE, "9|Two|3||2|7|1;"},
	{"ids above 31 bits", "[{\"name\":\"x\",\"stream_id\":2356443347}]", FAIL_NONE,
		"2356443347|x|||0|0|0;"},
	{"null everywhere", "[{\"num\":null,\"name\":\"x\",\"stream_id\":1,\"stream_icon\":null,"
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
	{"a script for a logo", "[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"javascript:x\"}]",
		FAIL_NONE, "1|x|||0|0|0;"},
	{"a logo", "[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"http://a/b.png\"}]", FAIL_NONE,
		"1|x||http://a/b.png|0|0|0;"},
	{"a logo with a quote", "[{\"stream_id\":1,\"name\":\"x\",\"stream_icon\":\"http://a/\\\"\"}]",
		FAIL_NONE, "1|x|||0|0|0;"},
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
		struct source_sink sink = {put_category, put_channel, &rows};
		source_xtream_channels(span_of(channels[i].json), &sink, &f);
		is_int(f.kind, channels[i].kind, "%s is %s", channels[i].what,
			channels[i].kind ? "refused" : "read");
		is_str(buf_str(&rows), channels[i].rows, "%s gives these rows", channels[i].what);
		buf_release(&rows);
	}

	struct fail f = {0};
	struct buf rows;
	buf_init(&rows, 4096);
	struct source_sink sink = {put_category, put_channel, &rows};
	is_int(source_xtream_categories(span_of("[{\"category_id\":3,\"category_name\":\"News\"},"
						"{\"category_id\":\"4\",\"category_name\":\"\"}]"),
		       &sink, &f),
		0, "categories are read");
	is_str(buf_str(&rows), "3=News;", "but for those without a name");
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
	logins();
	return tap_done();
}
