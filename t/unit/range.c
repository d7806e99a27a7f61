/* t/unit/range.c - one byte range of a known size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/range.h"

#include "t/unit/tap.h"

static const struct {
	const char *header;
	int64_t size;
	enum range_result want;
	int64_t first, last;
} cases[] = {
	{NULL, 100, RANGE_NONE, 0, 0},
	{"", 100, RANGE_NONE, 0, 0},
	{"bytes=0-99", 100, RANGE_OK, 0, 99},
	{"bytes=10-19", 100, RANGE_OK, 10, 19},
	{"bytes=0-0", 100, RANGE_OK, 0, 0},
	{"bytes=99-", 100, RANGE_OK, 99, 99},
	{"bytes=0-", 100, RANGE_OK, 0, 99},
	{"bytes=50-1000", 100, RANGE_OK, 50, 99},
	{"bytes=-10", 100, RANGE_OK, 90, 99},
	{"bytes=-100", 100, RANGE_OK, 0, 99},
	{"bytes=-1000", 100, RANGE_OK, 0, 99},
	{"BYTES=1-2", 100, RANGE_OK, 1, 2},
	{"bytes = 1-2 ", 100, RANGE_OK, 1, 2},
	{"bytes=1-9223372036854775807", 100, RANGE_OK, 1, 99},
	{"bytes=1-99999999999999999999", 100, RANGE_OK, 1, 99},
	{"bytes=-99999999999999999999", 100, RANGE_OK, 0, 99},
	{"bytes=0-1", 1, RANGE_OK, 0, 0},
	{"bytes=9223372036854775806-", INT64_MAX, RANGE_OK, INT64_MAX - 1, INT64_MAX - 1},
	/* nothing of it is there */
	{"bytes=100-", 100, RANGE_UNSATISFIABLE, 0, 0},
	{"bytes=100-200", 100, RANGE_UNSATISFIABLE, 0, 0},
	{"bytes=-0", 100, RANGE_UNSATISFIABLE, 0, 0},
	{"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
	{"bytes=99999999999999999999-", 100, RANGE_UNSATISFIABLE, 0, 0},
	/* the field is ignored */
	{"bytes=-5", 0, RANGE_NONE, 0, 0},
	{"bytes=5-2", 100, RANGE_NONE, 0, 0},
	{"bytes=0-1,5-6", 100, RANGE_NONE, 0, 0},
	{"bytes=0-1,", 100, RANGE_NONE, 0, 0},
	{"bytes=-", 100, RANGE_NONE, 0, 0},
	{"bytes=", 100, RANGE_NONE, 0, 0},
	{"bytes", 100, RANGE_NONE, 0, 0},
	{"bytes=5", 100, RANGE_NONE, 0, 0},
	{"bytes=a-b", 100, RANGE_NONE, 0, 0},
	{"bytes=+1-2", 100, RANGE_NONE, 0, 0},
	{"bytes=1--2", 100, RANGE_NONE, 0, 0},
	{"bytes=1 - 2", 100, RANGE_NONE, 0, 0},
	{"bytes=0x1-0x2", 100, RANGE_NONE, 0, 0},
	{"lines=0-1", 100, RANGE_NONE, 0, 0},
	{"0-1", 100, RANGE_NONE, 0, 0},
};

static void content(void)
{
	static const struct {
		const char *header;
		bool good;
		int64_t first, last, size;
	} of[] = {
		{"bytes 0-99/1000", true, 0, 99, 1000},
		{"Bytes 5-5/6", true, 5, 5, 6},
		{" bytes  0-0/1 ", true, 0, 0, 1},
		{"bytes 0-99/*", false, 0, 0, 0},
		{"bytes */1000", false, 0, 0, 0},
		{"bytes 0-1000/1000", false, 0, 0, 0},
		{"bytes 9-8/1000", false, 0, 0, 0},
		{"bytes -1-8/1000", false, 0, 0, 0},
		{"bytes 0-8", false, 0, 0, 0},
		{"bytes=0-8/9", false, 0, 0, 0},
		{"lines 0-8/9", false, 0, 0, 0},
		{"bytes 0-99999999999999999999/99999999999999999999", false, 0, 0, 0},
		{"", false, 0, 0, 0},
		{NULL, false, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct range r = {0, 0};
		int64_t size = 0;
		const char *name = of[i].header ? of[i].header : "(none)";

		ok(range_of_content(of[i].header, &r, &size) == of[i].good, "'%s'", name);
		ok(r.first == of[i].first && r.last == of[i].last && size == of[i].size,
			"is read rightly, or not at all");
	}
}

int main(void)
{
	content();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct range r = {-7, -7};
		const char *name = cases[i].header ? cases[i].header : "(none)";
		enum range_result got = range_parse(cases[i].header, cases[i].size, &r);

		is_int(got, cases[i].want, "'%s' of %lld bytes is read rightly", name,
			(long long)cases[i].size);
		is_int(r.first, got == RANGE_OK ? cases[i].first : -7, "its first byte");
		is_int(r.last, got == RANGE_OK ? cases[i].last : -7, "and its last");
	}
	return tap_done();
}
