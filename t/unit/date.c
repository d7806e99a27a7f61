/* t/unit/date.c - times as HTTP writes them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/date.h"

#include "t/unit/tap.h"

static const int64_t now_s = 1795750000; /* in November 2026 */

static const struct {
	const char *text;
	int64_t s; /* -1: no date */
} reads[] = {
	{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	{"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	{"Sun Nov  6 08:49:37 1994", 784111777},
	{"Sun Nov 16 08:49:37 1994", 784975777},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"Mon, 29 Feb 2016 23:59:59 GMT", 1456790399},
	{"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
	{"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799},
	{"Monday, 01-Jan-70 00:00:00 GMT", 3155760000}, /* 44 years ahead: 2070 */
	{"Monday, 01-Jan-76 00:00:00 GMT", 3345062400}, /* 50 years ahead: 2076 */
	{"Saturday, 01-Jan-77 00:00:00 GMT", 220924800},
	{"Friday, 31-Dec-99 23:59:59 GMT", 946684799},
	{NULL, -1},
	{"", -1},
	{"yesterday", -1},
	{"Sun, 06 Nov 1994 08:49:37", -1},
	{"Sun, 06 Nov 1994 08:49:37 UTC", -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
	{"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 24:00:00 GMT", -1},
	{"Sun, 06 Nov 1994 08:60:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:49:61 GMT", -1},
	{"Sun, 31 Feb 2026 08:49:37 GMT", -1},
	{"Sun, 29 Feb 2026 08:49:37 GMT", -1},
	{"Sun, 00 Nov 1994 08:49:37 GMT", -1},
	{"Wed, 31 Dec 1969 23:59:59 GMT", -1},
	{"Sun, -6 Nov 1994 08:49:37 GMT", -1},
	{"784111777", -1},
	{"Sun", -1},
	{",", -1},
};

static const struct {
	int64_t s;
	const char *text;
} prints[] = {
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
	{253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
	{-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
};

int main(void)
{
	char text[DATE_BYTES];
	int64_t s;

	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		bool good;

		s = -7;
		good = date_parse(reads[i].text, now_s, &s);
		ok(good == (reads[i].s >= 0), "'%s' is %s",
			reads[i].text ? reads[i].text : "(none)",
			reads[i].s >= 0 ? "a time" : "none");
		is_int(s, good ? reads[i].s : -7, "and the right one");
	}
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		date_print(prints[i].s, text);
		is_str(text, prints[i].text, "%lld is printed", (long long)prints[i].s);
	}
	for (s = 0; s < 4102444800; s += 86400 * 13 + 3601) {
		int64_t back = -1;

		date_print(s, text);
		if (!date_parse(text, now_s, &back) || back != s)
			break;
	}
	ok(s >= 4102444800, "what is printed is read back, through 130 years");
	return tap_done();
}
