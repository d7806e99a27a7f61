/* fcgi-app/endpoints/bandwidth.c - what was sent to viewers, and what it costs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/bandwidth.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/svc/traffic_report.h"

enum { DAY_S = 86400 };

static const double gigabyte = 1 << 30;

/* Days since the epoch, both inclusive. */
struct period {
	const char *name;
	int64_t first, last;
};

/* The first day of this month, and of the next. */
static void month_of(int64_t now_s, int64_t *first, int64_t *next)
{
	time_t now = (time_t)now_s;
	struct tm tm;

	gmtime_r(&now, &tm);
	tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = 1};
	*first = timegm(&tm) / DAY_S;
	tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 1};
	*next = timegm(&tm) / DAY_S;
}

static int read_period(struct request *rq, int64_t now_s, struct period *out, struct fail *f)
{
	static const struct {
		const char *name;
		int64_t days;
	} periods[] = {{"day", 1}, {"week", 7}, {"year", 365}};
	const char *name = request_query(rq, "period");
	int64_t next;

	*out = (struct period){"month", 0, now_s / DAY_S};
	if (!name || strcmp(name, "month") == 0) {
		month_of(now_s, &out->first, &next);
		return 0;
	}
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		if (strcmp(name, periods[i].name) == 0) {
			out->name = periods[i].name;
			out->first = out->last - periods[i].days + 1;
			return 0;
		}
	}
	return fail_set(f, FAIL_INPUT, "period is day, week, month or year");
}

/* --- parts of the answer ---------------------------------------------------------------------- */

/* A part of a whole, 0 to 1; null of nothing. */
static void put_share(struct json_object *to, const char *key, int64_t part, int64_t whole)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4f", whole ? (double)part / (double)whole : 0);
	json_object_object_add(to, key,
		whole ? json_object_new_double_s((double)part / (double)whole, text) : NULL);
}

static void put_money(
	struct json_object *to, const char *key, const struct conf *conf, int64_t bytes)
{
	double money = (double)bytes / gigabyte * (double)conf->cost_per_gb / 1000;
	char text[40];

	snprintf(text, sizeof(text), "%.2f", money);
	json_object_object_add(to, key, json_object_new_double_s(money, text));
}

static void put_day(struct json_object *to, const char *key, int64_t day)
{
	time_t t = (time_t)(day * DAY_S);
	char text[16];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	json_text(to, key, text);
}

static void put_sum(struct json_object *to, const struct traffic_sum *sum)
{
	json_number(to, "bytesServed", sum->bytes);
	json_number(to, "hits", sum->hits);
	json_number(to, "misses", sum->misses);
}

static struct json_object *days_report(const struct traffic_report *report)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < report->day_count; i++) {
		struct json_object *day = json_object_new_object();

		put_day(day, "day", report->days[i].day);
		put_sum(day, &report->days[i].sent);
		json_number(day, "bytesUpstream", report->days[i].upstream);
		json_object_array_add(list, day);
	}
	return list;
}

static struct json_object *names_report(
	const struct traffic_line *lines, size_t count, const char *key)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *line = json_object_new_object();

		json_text(line, key, lines[i].name);
		put_sum(line, &lines[i].sent);
		json_object_array_add(list, line);
	}
	return list;
}

/* Of this month: its bytes so far, and what they would be at its end if it went on like that. */
static struct json_object *budget_report(const struct conf *conf, int64_t used, int64_t now_s)
{
	struct json_object *to = json_object_new_object();
	int64_t first, next, gone_s, whole_s;

	month_of(now_s, &first, &next);
	gone_s = now_s - first * DAY_S + 1;
	whole_s = (next - first) * DAY_S;
	json_number(to, "limit", conf->bandwidth_budget);
	json_number(to, "free", conf->bandwidth_free);
	json_number(to, "used", used);
	put_share(to, "share", used, conf->bandwidth_budget);
	json_number(to, "alertAt", conf->bandwidth_budget / 100 * conf->bandwidth_alert);
	json_number(to, "forecast", (int64_t)((double)used / (double)gone_s * (double)whole_s));
	return to;
}

static void put_report(struct json_object *root, const struct period *period,
	const struct conf *conf, const struct traffic_report *report)
{
	int64_t served = report->all.bytes, upstream = report->upstream, billed = served;
	int64_t saved = served > upstream ? served - upstream : 0;

	/* What is free is so by the month. */
	if (strcmp(period->name, "month") == 0)
		billed = served > conf->bandwidth_free ? served - conf->bandwidth_free : 0;
	json_number(root, "bytesServed", served);
	json_number(root, "bytesUpstream", upstream);
	json_number(root, "bytesSaved", saved);
	put_share(root, "savedShare", saved, served);
	put_share(root, "hitRate", report->streams.hits,
		report->streams.hits + report->streams.misses);
	put_money(root, "cost", conf, billed);
}

/* The report of a period; *used is what was sent in this month. */
static int look_up(const struct conf *conf, const struct period *period, int64_t now_s,
	struct traffic_report *report, int64_t *used, struct fail *f)
{
	int64_t first, next;

	month_of(now_s, &first, &next);
	if (traffic_report(conf, first, now_s / DAY_S, report, f) < 0)
		return -1;
	*used = report->all.bytes;
	if (period->first == first)
		return 0;
	return traffic_report(conf, period->first, period->last, report, f);
}

int bandwidth_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct traffic_report *report = calloc(1, sizeof(*report));
	int64_t now_s = clock_real_ms() / 1000, used;
	struct json_object *root, *span;
	struct period period;

	if (!report)
		return fail_set(f, FAIL_BUSY, "There is no memory for the report");
	if (read_period(rq, now_s, &period, f) < 0 ||
		look_up(app->conf, &period, now_s, report, &used, f) < 0) {
		free(report);
		return -1;
	}
	root = json_object_new_object();
	span = json_object_new_object();
	json_text(span, "name", period.name);
	put_day(span, "from", period.first);
	put_day(span, "to", period.last);
	json_object_object_add(root, "period", span);
	json_object_object_add(
		root, "connected", json_object_new_boolean(*app->conf->access_log != '\0'));
	put_report(root, &period, app->conf, report);
	json_object_object_add(root, "budget", budget_report(app->conf, used, now_s));
	json_object_object_add(root, "byDay", days_report(report));
	json_object_object_add(
		root, "byTitle", names_report(report->titles, report->title_count, "id"));
	json_object_object_add(root, "byRendition",
		names_report(report->renditions, report->rendition_count, "rendition"));
	free(report);
	json_send(r, 200, root);
	reply_cache(r, "no-store");
	return 0;
}
