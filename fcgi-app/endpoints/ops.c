/* fcgi-app/endpoints/ops.c - how the service is: for people, dashboards and orchestrators.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fcgi-app/endpoints/ops.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/base/clock.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/mc.h"
#include "lib/io/proc.h"
#include "lib/svc/catalog.h"
#include "lib/svc/memstat.h"
#include "lib/svc/publish.h"
#include "lib/svc/traffic.h"
#include "lib/svc/source.h"

enum { STATS_MAX = 1024 * 1024, RECENT_MIN = 5, METER_LATE_S = 60 };

enum level { HEALTHY, DEGRADED, UNHEALTHY };

static const char *const level_names[] = {"healthy", "degraded", "unhealthy"};

struct health {
	struct app *app;
	enum level level;
	struct json_object *checks;
};

static void check(struct health *h, const char *name, enum level level, const char *text)
{
	json_text(h->checks, name, text);
	if (level > h->level)
		h->level = level;
}

/* --- the checks ------------------------------------------------------------------------------- */

static void check_memcached(struct health *h)
{
	struct mc_server_state servers[MC_SERVERS_MAX];
	size_t count = mc_state(h->app->mc, servers);
	char text[400];

	if (count == 0) {
		check(h, "memcached", HEALTHY, "none configured");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (servers[i].away) {
			snprintf(text, sizeof(text), "%s: %s", servers[i].name, servers[i].why);
			check(h, "memcached", DEGRADED, text);
			return;
		}
	}
	check(h, "memcached", HEALTHY, "ok");
}

/* What is wrong with a store, in words; `text` stays as it is when it is well. */
static void say_if_full(const char *name, const struct publish_room *room, char *text, size_t size)
{
	int64_t full_s = (clock_real_ms() - room->full_since_ms) / 1000;

	if (room->free < room->floor) {
		snprintf(text, size,
			"%s is full: %lld MB free, %lld MB are to stay free; serving without "
			"keeping",
			name, (long long)(room->free >> 20), (long long)(room->floor >> 20));
	} else if (room->full_since_ms && room->quota) {
		snprintf(text, size,
			"%s is full for %lld s: %lld of %lld MB used, %lld MB free; serving "
			"without keeping",
			name, (long long)full_s, (long long)(room->used >> 20),
			(long long)(room->quota >> 20), (long long)(room->free >> 20));
	} else if (room->full_since_ms) {
		snprintf(text, size, "%s is full for %lld s: %lld MB free; channels stand still",
			name, (long long)full_s, (long long)(room->free >> 20));
	}
}

static void check_disk(struct health *h)
{
	const struct app *app = h->app;
	struct publish_room www, live;
	char text[2][160] = {"", ""}, both[340];

	publish_room(app->conf, app->board, PUBLISH_WWW, &www);
	publish_room(app->conf, app->board, PUBLISH_LIVE, &live);
	if (www.free < 0 || live.free < 0) {
		check(h, "disk", UNHEALTHY, "the directory of published files cannot be read");
		return;
	}
	say_if_full("www", &www, text[0], sizeof(text[0]));
	say_if_full("live", &live, text[1], sizeof(text[1]));
	if (!*text[0] && !*text[1]) {
		check(h, "disk", HEALTHY, "ok");
		return;
	}
	snprintf(both, sizeof(both), "%s%s%s", text[0], *text[0] && *text[1] ? "; " : "", text[1]);
	check(h, "disk", DEGRADED, both);
}

/* Sources whose last import went wrong are the upstreams that we know to be in trouble. */
static void check_catalog(struct health *h)
{
	const struct conf *c = h->app->conf;
	const char *trouble = "ok", *known = "ok";
	enum level upstreams = HEALTHY, catalog = HEALTHY;
	struct catalog_state state = {0};
	struct fail f = {0};
	char text[300];

	for (size_t i = 0; i < c->source_count; i++) {
		if (!source_lists(&c->sources[i]))
			continue;
		if (catalog_state(h->app->catalog, c->sources[i].name, &state, &f) < 0) {
			known = f.text;
			catalog = DEGRADED;
			break;
		}
		if (!state.imported_ms) {
			known = "not every source has been imported yet";
			catalog = DEGRADED;
		}
		if (state.trouble[0] && upstreams == HEALTHY) {
			snprintf(text, sizeof(text), "%s: %s", c->sources[i].name, state.trouble);
			trouble = text;
			upstreams = DEGRADED;
		}
	}
	check(h, "catalog", catalog, c->source_count ? known : "no source is configured");
	check(h, "upstreams", upstreams, trouble);
}

static int count_role(const struct board *board, const char *role)
{
	const struct board_slot *slot;
	size_t at = 0;
	int count = 0;

	while ((slot = board_each(board, &at)))
		count += strcmp(slot->role, role) == 0;
	return count;
}

static void check_encoders(struct health *h)
{
	int64_t max = h->app->conf->live_max;
	int count = count_role(h->app->board, "live");
	char text[80];

	if (max)
		snprintf(text, sizeof(text), "%d of %lld channels are on", count, (long long)max);
	else
		snprintf(
			text, sizeof(text), "%d channel%s on", count, count == 1 ? " is" : "s are");
	check(h, "encoders", max && count >= max ? DEGRADED : HEALTHY, text);
}

/* The front server begins its log when it starts, which may be after us. */
static void check_meter(struct health *h)
{
	int64_t read_ms = board_get(h->app->board, BOARD_ACCESS_READ_MS);
	int64_t since_ms = read_ms ? read_ms : board_started_ms(h->app->board);
	int64_t behind_s = (clock_real_ms() - since_ms) / 1000;
	char text[120];

	if (!*h->app->conf->access_log) {
		check(h, "meter", HEALTHY,
			"no access log is connected: hits and streams are not counted");
	} else if (behind_s > METER_LATE_S) {
		snprintf(text, sizeof(text),
			"the access log has not been read for %lld s; see the log",
			(long long)behind_s);
		check(h, "meter", DEGRADED, text);
	} else {
		check(h, "meter", HEALTHY,
			read_ms ? "ok" : "the front server's access log is waited for");
	}
}

/* --- the figures ------------------------------------------------------------------------------ */

static void add_megabytes(struct json_object *to, const char *key, int64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%lldMB", (long long)((bytes + (1 << 19)) >> 20));
	json_text(to, key, text);
}

/* Of all our processes together: resident memory, and of it what is theirs alone. */
static struct json_object *memory_report(const struct board *board)
{
	struct json_object *to = json_object_new_object();
	const struct board_slot *slot;
	struct proc_memory one, sum = {0};
	size_t at = 0;

	while ((slot = board_each(board, &at))) {
		proc_memory(slot->pid, false, &one);
		sum.resident += one.resident;
		sum.own += one.own;
		sum.data += one.data;
	}
	add_megabytes(to, "rss", sum.resident);
	add_megabytes(to, "heapUsed", sum.own);
	add_megabytes(to, "heapTotal", sum.data);
	return to;
}

/* A family of addresses as the meter counts it, since a log was connected first. */
static struct traffic_sum sent(const struct board *board, enum access_family family)
{
	const char *name = access_family_name(family);
	struct traffic_sum sum = {0};
	char found[ROW_NAME_BYTES];
	const struct row *row;
	size_t at = 0;

	while ((row = rows_each(board_rows(board), ROW_TRAFFIC, &at))) {
		row_name(row, found);
		if (strcmp(found, name) != 0)
			continue;
		sum.hits += row_get(row, TRAFFIC_HITS);
		sum.misses += row_get(row, TRAFFIC_MISSES);
		sum.others += row_get(row, TRAFFIC_OTHERS);
	}
	return sum;
}

/* NULL while nothing has been sent: that is no bad rate. */
static struct json_object *hit_rate(const struct traffic_sum *streams)
{
	int64_t all = streams->hits + streams->misses, share;
	char text[32];

	if (!all)
		return NULL;
	share = streams->hits * 10000 / all;
	snprintf(text, sizeof(text), "%lld.%02lld%%", (long long)(share / 100),
		(long long)(share % 100));
	return json_object_new_string(text);
}

/* Hits and streams are known from the front server's log: without one they are null, and
 * checks.meter says why. */
static struct json_object *cache_report(const struct app *app, int64_t started_ms)
{
	static const char *const counted[] = {"streamHits", "streamMisses", "thumbnailHits",
		"thumbnailMisses", "prefetchRequests"};
	struct json_object *to = json_object_new_object(), *stats = json_object_new_object();
	struct traffic_sum segments = sent(app->board, ACCESS_SEGMENTS);
	struct traffic_sum streams = sent(app->board, ACCESS_OBJECTS);
	struct traffic_sum art = sent(app->board, ACCESS_ART);
	struct traffic_sum prefetch = sent(app->board, ACCESS_PREFETCH);
	bool known = *app->conf->access_log != '\0';

	streams.hits += segments.hits;
	streams.misses += segments.misses;
	const int64_t counts[] = {streams.hits, streams.misses, art.hits, art.misses,
		prefetch.hits + prefetch.misses + prefetch.others};

	json_number(to, "streamCacheSize",
		board_get(app->board, BOARD_STREAM_FILES) +
			board_get(app->board, BOARD_STREAM_OBJECTS));
	json_number(to, "thumbnailCacheSize", board_get(app->board, BOARD_PICTURE_FILES));
	json_number(to, "prefetchCacheSize", board_get(app->board, BOARD_WARM_STREAMS));
	json_object_object_add(to, "streamHitRate", known ? hit_rate(&streams) : NULL);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		json_object_object_add(
			stats, counted[i], known ? json_object_new_int64(counts[i]) : NULL);
	json_object_object_add(
		stats, "activeStreams", json_object_new_int(count_role(app->board, "live")));
	json_object_object_add(stats, "startTime", json_object_new_int64(started_ms));
	json_object_object_add(to, "stats", stats);
	return to;
}

static void add_times(struct json_object *to, int64_t started_ms, int64_t now_ms)
{
	int64_t up_s = (now_ms - started_ms) / 1000;
	char text[40];

	json_number(to, "uptime", up_s);
	snprintf(text, sizeof(text), "%lldh %lldm", (long long)(up_s / 3600),
		(long long)(up_s / 60 % 60));
	json_text(to, "uptimeFormatted", text);
	json_time(to, "timestamp", now_ms);
}

/* Of all workers since the board was made, and of the last minutes. */
static struct json_object *requests_report(const struct board *board)
{
	struct json_object *to = json_object_new_object();
	int64_t recent, recent_errors;

	board_minutes(board, RECENT_MIN, &recent, &recent_errors);
	json_number(to, "total", board_get(board, BOARD_REQUESTS));
	json_number(to, "errors", board_get(board, BOARD_ERRORS));
	json_number(to, "busy", board_get(board, BOARD_BUSY));
	json_number(to, "last5Minutes", recent);
	json_number(to, "errorsLast5Minutes", recent_errors);
	return to;
}

int ops_health(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct health h = {app, HEALTHY, json_object_new_object()};
	struct json_object *root = json_object_new_object();
	int64_t started_ms = board_started_ms(app->board);

	(void)rq;
	(void)f;
	check_memcached(&h);
	check_disk(&h);
	check_catalog(&h);
	check_encoders(&h);
	check_meter(&h);
	json_text(root, "status", level_names[h.level]);
	json_text(root, "service", "sluice");
	json_text(root, "version", PACKAGE_VERSION);
	add_times(root, started_ms, clock_real_ms());
	json_object_object_add(root, "memory", memory_report(app->board));
	json_object_object_add(root, "requests", requests_report(app->board));
	json_object_object_add(root, "cache", cache_report(app, started_ms));
	json_object_object_add(root, "checks", h.checks);
	json_send(r, h.level == UNHEALTHY ? 503 : 200, root);
	reply_cache(r, "no-store");
	return 0;
}

static int send_status(struct reply *r, int status, const char *text)
{
	struct json_object *root = json_object_new_object();

	json_text(root, "status", text);
	json_send(r, status, root);
	reply_cache(r, "no-store");
	return 0;
}

/* A thread answers: this process lives. */
int ops_health_live(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	(void)app;
	(void)rq;
	(void)f;
	return send_status(r, 200, "live");
}

/* Files can be published, or at least be read. */
bool ops_is_ready(const struct app *app)
{
	return access(app->conf->www_dir, R_OK | X_OK) == 0;
}

int ops_health_ready(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	(void)rq;
	(void)f;
	if (!ops_is_ready(app))
		return send_status(r, 503, "not ready");
	return send_status(r, 200, "ready");
}

int ops_stats_cache(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct buf text;

	(void)rq;
	(void)f;
	buf_init(&text, STATS_MAX);
	memstat_json(app->mc, app->board, &text);
	reply_text(r, 200, "application/json", buf_span(&text));
	buf_release(&text);
	reply_cache(r, "no-store");
	return 0;
}
