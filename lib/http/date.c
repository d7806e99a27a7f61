/* lib/http/date.c - times as HTTP writes them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/date.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { YEARS_AHEAD = 50 };

static const int64_t last_s = 253402300799; /* 9999-12-31T23:59:59Z */

/* Names of our own: those of the C library depend on the locale. */
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void date_print(int64_t s, char to[DATE_BYTES])
{
	time_t t = (time_t)(s < 0 ? 0 : s > last_s ? last_s : s);
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(to, DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
		(unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
		(unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
		(unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

/* Reads `text` by `form`, in which d, y, h, m and s stand for a digit of the day, the year and the
 * time, _ for a blank or a digit of the day, bbb for the month's name, and all else for itself. */
static bool read_form(const char *text, const char *form, struct tm *tm)
{
	if (strlen(text) != strlen(form))
		return false;
	for (; *form; form++, text++) {
		int *field = *form == 'd' || *form == '_' ? &tm->tm_mday
			     : *form == 'y'		  ? &tm->tm_year
			     : *form == 'h'		  ? &tm->tm_hour
			     : *form == 'm'		  ? &tm->tm_min
			     : *form == 's'		  ? &tm->tm_sec
							  : NULL;

		if (*form == 'b') {
			while (tm->tm_mon < 12 && strncmp(text, months[tm->tm_mon], 3) != 0)
				tm->tm_mon++;
			form += 2;
			text += 2;
		} else if (*form == '_' && *text == ' ') {
			continue;
		} else if (!field) {
			if (*text != *form)
				return false;
		} else if (*text < '0' || *text > '9') {
			return false;
		} else {
			*field = *field * 10 + (*text - '0');
		}
	}
	return tm->tm_mon < 12;
}

/* What follows the weekday, whose name says nothing new. */
static bool read_any(const char *text, int64_t now_s, struct tm *tm)
{
	const char *comma = strchr(text, ',');
	time_t now = (time_t)now_s;
	struct tm today;

	*tm = (struct tm){0};
	if (!comma)
		return strlen(text) > 3 && read_form(text + 3, " bbb _d hh:mm:ss yyyy", tm);
	if (comma - text == 3 && read_form(comma, ", dd bbb yyyy hh:mm:ss GMT", tm))
		return true;
	*tm = (struct tm){0};
	if (!read_form(comma, ", dd-bbb-yy hh:mm:ss GMT", tm))
		return false;
	gmtime_r(&now, &today);
	tm->tm_year += (today.tm_year + 1900) / 100 * 100;
	if (tm->tm_year > today.tm_year + 1900 + YEARS_AHEAD)
		tm->tm_year -= 100;
	return true;
}

/* The second that these fields name, the year counted from 0; false when there is none such. */
static bool seconds_of(struct tm *tm, int64_t *s)
{
	struct tm made;
	time_t t;

	if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
		return false;
	if (tm->tm_sec == 60)
		tm->tm_sec = 59; /* a leap second, which the epoch's seconds do not count */
	tm->tm_year -= 1900;
	made = *tm;
	t = timegm(&made);
	if (t < 0 || t > last_s || made.tm_mday != tm->tm_mday)
		return false; /* there is no 31st of February */
	*s = t;
	return true;
}

bool date_parse(const char *text, int64_t now_s, int64_t *s)
{
	struct tm tm;

	return text && read_any(text, now_s, &tm) && seconds_of(&tm, s);
}

bool date_parse_log(struct span text, int64_t *s)
{
	static const char form[] = "dd/bbb/yyyy:hh:mm:ss", zone[] = " _hhmm";
	char word[sizeof(form) + sizeof(zone)];
	struct tm tm = {0}, away = {0};
	int64_t local_s, away_s;

	if (text.len != sizeof(form) + sizeof(zone) - 2 || !span_copy(text, word, sizeof(word)))
		return false;
	memmove(word + sizeof(form), word + sizeof(form) - 1, sizeof(zone));
	word[sizeof(form) - 1] = '\0';
	if ((word[sizeof(form) + 1] != '+' && word[sizeof(form) + 1] != '-') ||
		!read_form(word, form, &tm) || !seconds_of(&tm, &local_s))
		return false;
	away_s = word[sizeof(form) + 1] == '-' ? -1 : 1;
	word[sizeof(form) + 1] = ' '; /* a blank is no digit of the day */
	if (!read_form(word + sizeof(form), zone, &away) || away.tm_hour > 14 || away.tm_min > 59)
		return false;
	local_s -= away_s * (away.tm_hour * 3600 + away.tm_min * 60);
	if (local_s < 0 || local_s > last_s)
		return false;
	*s = local_s;
	return true;
}
