/* t/unit/edge.c - which addresses may be shown to viewers, and how they are noted.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "lib/io/conf.h"
#include "lib/svc/edge.h"
#include "t/unit/tap.h"

static void secrets(void)
{
	static struct conf_account accounts[] = {{.user = "viewer.one", .password = "pa/ss word"},
		{.user = "two", .password = "zwei"}};
	static const struct conf_source gateway = {
		.type = "xtream", .accounts = accounts, .account_count = 2};
	static struct conf_account nobody[] = {{.user = "", .password = ""}};
	static const struct conf_source list = {
		.type = "m3u", .accounts = nobody, .account_count = 1};
	static const char own[] = "http://gw/movie/viewer.one/pa%2Fss%20word/7.mp4";
	static const struct {
		const struct conf_source *source;
		const char *own, *url;
		bool want;
	} cases[] = {
		{&gateway, own, "http://edge.example/vauth/0123456789abcdef", true},
		{&gateway, own, "https://edge.example/f/7.mp4?token=abc&expires=1", true},
		{&gateway, own, "http://edge.example/viewer.one/7.mp4", false},
		{&gateway, own, "http://edge.example/7.mp4?u=viewer%2Eone", false},
		{&gateway, own, "http://edge.example/7.mp4?p=pa%2Fss%20word", false},
		{&gateway, own, "http://edge.example/7.mp4?p=pa%252Fss%2520word", false},
		{&gateway, own, "http://edge.example/7.mp4?x=zwei", false},
		{&gateway, own, "http://a:b@edge.example/7.mp4", false},
		{&gateway, own, "http://edge.example/a@b.mp4", true},
		{&gateway, own, own, false},
		{&list, "http://gw/movie/me/secret/7.mp4", "http://edge/x/7.mp4", true},
		{&list, "http://gw/movie/me/secret/7.mp4", "http://edge/secret/7.mp4", false},
		{&list, "http://gw/f/7.mp4?key=abc", "http://edge/7.mp4?k=abc", false},
		{&list, "http://gw/f/7.mp4?key=abc", "http://edge/7.mp4?k=xyz", true},
		{&list, "http://gw/7.mp4", "http://gw/7.mp4", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(edge_is_clean(cases[i].source, cases[i].own, cases[i].url), cases[i].want,
			"%s may %sbe shown", cases[i].url, cases[i].want ? "" : "not ");
}

static void records(void)
{
	static const char *const wrong[] = {"", "edge 1\n", "edge 2\n5 0\nhttp://a\n\n",
		"edge 1\nx 0\nhttp://a\n\n", "edge 1\n5 0\n\n\n", "edge 1\n5 7\nhttp://a\nno\n",
		"edge 1\n5 0\nhttp://a\n\nmore\n", "edge 1\n5 99\n\nno\n"};
	struct edge e = {.url = "http://edge/7", .asked_ms = 5}, back = {0};
	struct buf text;

	buf_init(&text, 4096);
	edge_print(&e, &text);
	ok(edge_parse(buf_span(&text), &back), "an answer is read back");
	is_str(back.url, e.url, "with its address");
	buf_clear(&text);
	e = (struct edge){.asked_ms = 6, .why = {FAIL_BUSY, "no connection is free"}};
	edge_print(&e, &text);
	ok(edge_parse(buf_span(&text), &back), "so is a refusal");
	is_str(back.why.text, e.why.text, "with its reason");
	buf_release(&text);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(!edge_parse(span_of(wrong[i]), &back), "what is wrong in case %zu is seen", i);
}

int main(void)
{
	secrets();
	records();
	return tap_done();
}
