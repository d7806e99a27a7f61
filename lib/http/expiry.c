/* lib/http/expiry.c - when a URL itself says that it ends.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/expiry.h"

#include <string.h>
#include <time.h>

#include "lib/base/num.h"

enum {
	YEAR_MIN = 2000,
	YEAR_MAX = 2099,
	LIFE_MAX_S = 366 * 86400,
	MARGIN_MIN_MS = 5000,
	MARGIN_MAX_MS = 300000,
	MARGIN_PARTS = 20 /* of the life */
};

static const int64_t century_s = 946684800, century_end_s = 4102444800; /* 2000-01-01, 2100-01-01 */

/* The soonest end seen so far, and the two halves of one that is told apart. */
struct ends {
	int64_t soonest_s, made_s, life_s;
};

static void take_end(struct ends *e, int64_t at_s)
{
	if (at_s < century_s || at_s >= century_end_s)
		return;
	if (!e->soonest_s || at_s < e->soonest_s)
		e->soonest_s = at_s;
}

/* Seconds since the epoch, or milliseconds. */
static void take_number(struct ends *e, struct span text)
{
	int64_t at = 0;

	if (!num_parse(text, 0, INT64_MAX, &at))
		return;
	take_end(e, at >= century_end_s ? at / 1000 : at);
}

/* Two or four digits from the front of *text, behind `skip` (0: nothing). */
static bool take_digits(struct span *text, size_t count, char skip, int64_t max, int64_t *out)
{
	if (skip && text->len && text->ptr[0] == skip)
		*text = span_make(text->ptr + 1, text->len - 1);
	if (text->len < count || !num_parse(span_make(text->ptr, count), 0, max, out))
		return false;
	*text = span_make(text->ptr + count, text->len - count);
	return true;
}

/* ISO 8601 in UTC: "20251113T100000Z", "2025-11-13T10:00:00Z", with ':' as %3A too; 0 for none. */
static int64_t date_s(struct span text)
{
	int64_t year, month, day, hour = 0, minute = 0, second = 0;
	char plain[40];
	struct tm tm;
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < sizeof(plain); i++) {
		if (text.len - i >= 3 && strncasecmp(text.ptr + i, "%3A", 3) == 0) {
			plain[len++] = ':';
			i += 2;
		} else {
			plain[len++] = text.ptr[i];
		}
	}
	text = span_make(plain, len);
	if (!take_digits(&text, 4, 0, YEAR_MAX, &year) || !take_digits(&text, 2, '-', 12, &month) ||
		!take_digits(&text, 2, '-', 31, &day) || year < YEAR_MIN || month < 1 || day < 1)
		return 0;
	if (text.len && (!take_digits(&text, 2, 'T', 23, &hour) ||
				!take_digits(&text, 2, ':', 59, &minute) ||
				(!take_digits(&text, 2, ':', 60, &second) && !span_is(text, "Z"))))
		return 0;
	tm = (struct tm){.tm_year = (int)year - 1900,
		.tm_mon = (int)month - 1,
		.tm_mday = (int)day,
		.tm_hour = (int)hour,
		.tm_min = (int)minute,
		.tm_sec = (int)second};
	return timegm(&tm);
}

static bool is_one_of(struct span name, const char *const *names)
{
	for (; *names; names++) {
		if (span_is_nocase(name, *names))
			return true;
	}
	return false;
}

static void take_param(struct ends *e, struct span name, struct span value)
{
	static const char *const ends[] = {
		"expires", "expire", "exp", "e", "expiry", "validto", NULL};
	static const char *const made[] = {"x-amz-date", "x-goog-date", "x-oss-date", NULL};
	static const char *const lives[] = {
		"x-amz-expires", "x-goog-expires", "x-oss-expires", NULL};

	if (is_one_of(name, ends)) {
		take_number(e, value);
	} else if (is_one_of(name, made)) {
		e->made_s = date_s(value);
	} else if (is_one_of(name, lives)) {
		if (!num_parse(value, 0, LIFE_MAX_S, &e->life_s))
			e->life_s = -1;
	} else if (span_is_nocase(name, "se")) {
		take_end(e, date_s(value));
	}
}

/* "st=…~exp=1763000000~hmac=…" as the value of a parameter, its '=' maybe escaped. */
static void take_token(struct ends *e, struct span value)
{
	static const char name[] = "exp", escaped[] = "%3D";
	struct span part;

	while (span_next(&value, '~', &part)) {
		size_t skip = sizeof(name) - 1;

		if (!span_starts(part, name))
			continue;
		part = span_make(part.ptr + skip, part.len - skip);
		skip = span_starts(part, "=") ? 1 : span_starts(part, escaped) ? 3 : 0;
		if (skip)
			take_number(e, span_make(part.ptr + skip, part.len - skip));
	}
}

static void read_query(struct ends *e, struct span query)
{
	struct span param, name;

	while (span_next(&query, '&', &param)) {
		span_next(&param, '=', &name);
		take_param(e, name, param);
		take_token(e, param);
	}
}

static void read_path(struct ends *e, struct span path)
{
	struct span part;
	bool follows = false;

	while (span_next(&path, '/', &part)) {
		if (follows)
			take_number(e, part);
		follows = span_is_nocase(part, "expire") || span_is_nocase(part, "expires");
	}
}

int64_t expiry_of_url(struct span url)
{
	struct ends e = {0, 0, -1};
	struct span path, whole;

	span_next(&url, '#', &whole);
	span_next(&whole, '?', &path);
	read_path(&e, path);
	read_query(&e, whole);
	if (e.made_s && e.life_s >= 0)
		take_end(&e, e.made_s + e.life_s);
	return e.soonest_s * 1000;
}

int64_t expiry_with_margin(int64_t now_ms, int64_t end_ms, int64_t usual_ms)
{
	int64_t life_ms = end_ms - now_ms, margin_ms;

	if (!end_ms || life_ms > usual_ms)
		return now_ms + usual_ms;
	margin_ms = life_ms / MARGIN_PARTS;
	if (margin_ms < MARGIN_MIN_MS)
		margin_ms = MARGIN_MIN_MS;
	if (margin_ms > MARGIN_MAX_MS)
		margin_ms = MARGIN_MAX_MS;
	return life_ms > margin_ms ? end_ms - margin_ms : now_ms;
}
