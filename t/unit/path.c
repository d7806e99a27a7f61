/* t/unit/path.c - request targets and queries are decoded once or refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/path.h"
#include "lib/http/query.h"
#include "t/unit/tap.h"

static const struct {
	const char *target;
	enum fail_kind kind;
	const char *joined; /* the decoded parts, each behind a '|' */
} targets[] = {
	{"/", FAIL_NONE, ""},
	{"/?x=1", FAIL_NONE, ""},
	{"/api/live", FAIL_NONE, "|api|live"},
	{"/api/live/", FAIL_NONE, "|api|live|"},
	{"//api", FAIL_NONE, "||api"},
	{"/a%20b/%C3%A9", FAIL_NONE, "|a b|\xc3\xa9"},
	{"/a+b", FAIL_NONE, "|a+b"},
	{"http://evil.example/api/live?x", FAIL_NONE, "|api|live"},
	{"https://evil.example", FAIL_NONE, ""},
	{"/a?u=http://x/y", FAIL_NONE, "|a"},
	{"http://evil.example/a?u=http://x/y", FAIL_NONE, "|a"},
	{"/a/...", FAIL_NONE, "|a|..."},
	{"", FAIL_INPUT, NULL},
	{"*", FAIL_INPUT, NULL},
	{"api", FAIL_INPUT, NULL},
	{"http://evil.example?u=/api/live", FAIL_INPUT, NULL},
	{"http://evil.example#/api/live", FAIL_INPUT, NULL},
	{"x?u=http://evil.example/api/live", FAIL_INPUT, NULL},
	{"x/http://evil.example/api/live", FAIL_INPUT, NULL},
	{"/a/../b", FAIL_INPUT, NULL},
	{"/a/%2e%2E/b", FAIL_INPUT, NULL},
	{"/a/./b", FAIL_INPUT, NULL},
	{"/a%2fb", FAIL_INPUT, NULL},
	{"/a%00", FAIL_INPUT, NULL},
	{"/a%0d%0aX: y", FAIL_INPUT, NULL},
	{"/a\r\nb", FAIL_INPUT, NULL},
	{"/a\x7f", FAIL_INPUT, NULL},
	{"/a%", FAIL_INPUT, NULL},
	{"/a%4", FAIL_INPUT, NULL},
	{"/a%zz", FAIL_INPUT, NULL},
	{"/a%ff", FAIL_INPUT, NULL},
	{"/%c0%af", FAIL_INPUT, NULL},
	{"/%ed%a0%80", FAIL_INPUT, NULL},
	{"/%f4%90%80%80", FAIL_INPUT, NULL},
	{"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", FAIL_MISSING, NULL},
};

static void read_targets(void)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		char joined[200] = "";
		struct fail f = {0};
		struct arena a;
		struct path p;

		arena_init(&a, 65536);
		int bad = path_parse(&p, targets[i].target, &a, &f);
		is_int(f.kind, targets[i].kind, "target '%s' is %s", targets[i].target,
			targets[i].kind ? "refused" : "read");
		for (size_t k = 0; !bad && k < p.count; k++) {
			size_t at = strlen(joined);
			snprintf(joined + at, sizeof(joined) - at, "|%.*s", (int)p.parts[k].len,
				p.parts[k].ptr);
		}
		if (targets[i].joined)
			is_str(joined, targets[i].joined, "target '%s' has these parts",
				targets[i].target);
		arena_release(&a);
	}
}

static void long_targets(void)
{
	char target[PATH_MAX_TARGET + 2];
	struct fail f = {0};
	struct arena a;
	struct path p;

	memset(target, 'a', sizeof(target));
	target[0] = '/';
	target[PATH_MAX_TARGET + 1] = '\0';
	arena_init(&a, 65536);
	is_int(path_parse(&p, target, &a, &f), -1, "a target above the limit is refused");
	target[PATH_MAX_TARGET] = '\0';
	is_int(path_parse(&p, target, &a, &f), 0, "one at the limit is read");
	arena_release(&a);
}

static const struct {
	const char *query, *name;
	bool good, there;
	const char *want;
} queries[] = {
	{"", "a", true, false, NULL},
	{"a=1&b=2", "b", true, true, "2"},
	{"a=1&a=2", "a", true, true, "1"},
	{"a", "a", true, true, ""},
	{"&&a=x&", "a", true, true, "x"},
	{"a=b=c", "a", true, true, "b=c"},
	{"q=t%C3%A9l%C3%A9+2%2B", "q", true, true, "t\xc3\xa9l\xc3\xa9 2+"},
	{"q=%", "q", false, false, NULL},
	{"q=%00", "q", false, false, NULL},
	{"q=%ff", "q", false, false, NULL},
};

static void read_queries(void)
{
	struct query q;
	struct arena a;
	struct span value;

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		char text[50] = "";
		struct fail f = {0};

		arena_init(&a, 65536);
		bool good = query_parse(&q, span_of(queries[i].query), &a, &f) == 0;
		bool there = good && query_get(&q, queries[i].name, &value);
		ok(good == queries[i].good, "query '%s' is %s", queries[i].query,
			queries[i].good ? "read" : "refused");
		ok(there == queries[i].there, "query '%s' %s '%s'", queries[i].query,
			queries[i].there ? "has" : "lacks", queries[i].name);
		if (there && span_copy(value, text, sizeof(text)))
			is_str(text, queries[i].want, "query '%s' gives its value",
				queries[i].query);
		arena_release(&a);
	}
}

static void many_parameters(void)
{
	char text[4 * QUERY_MAX + 8] = "";
	struct fail f = {0};
	struct query q;
	struct arena a;

	for (int i = 0; i < QUERY_MAX; i++)
		memcpy(text + 3 * i, "a=&", 4);
	arena_init(&a, 65536);
	is_int(query_parse(&q, span_of(text), &a, &f), 0, "a hundred parameters are read");
	memcpy(text + strlen(text), "b=1", 4);
	is_int(query_parse(&q, span_of(text), &a, &f), -1, "one more is refused");
	is_int(f.kind, FAIL_INPUT, "as bad input");
	arena_release(&a);
}

int main(void)
{
	read_targets();
	long_targets();
	read_queries();
	many_parameters();
	return tap_done();
}
