/* fcgi-app/door/route.c - which handler answers which method and path.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/route.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-app/endpoints/cdn.h"
#include "fcgi-app/endpoints/bandwidth.h"
#include "fcgi-app/endpoints/art.h"
#include "fcgi-app/endpoints/hls.h"
#include "fcgi-app/endpoints/joined.h"
#include "fcgi-app/endpoints/live.h"
#include "fcgi-app/endpoints/live_direct.h"
#include "fcgi-app/endpoints/metrics.h"
#include "fcgi-app/endpoints/movies.h"
#include "fcgi-app/endpoints/ops.h"
#include "fcgi-app/endpoints/pages.h"
#include "fcgi-app/endpoints/series.h"
#include "fcgi-app/endpoints/prefetch.h"
#include "fcgi-app/endpoints/purge.h"
#include "fcgi-app/endpoints/sources.h"
#include "fcgi-app/endpoints/stream.h"
#include "fcgi-app/endpoints/video_info.h"
#include "fcgi-app/endpoints/vod.h"
#include "lib/base/must.h"

static const struct sharing by_nothing = {"", NULL};
static const struct sharing by_page = {"category q limit cursor", NULL};
static const struct sharing by_season = {"season limit cursor", NULL};
static const struct sharing by_quality = {"quality", NULL};
static const struct sharing by_quality_noted = {"quality format", hls_note};

static const struct route routes[] = {
	{METHOD_GET, "/", pages_index, POOL_API, "index", NULL},
	{METHOD_GET, "/watch/{id}", pages_watch, POOL_API, "watch", NULL},
	{METHOD_GET, "/offline", pages_offline, POOL_API, "offline", NULL},
	{METHOD_GET, "/manifest.webmanifest", pages_manifest, POOL_API, "manifest", NULL},
	{METHOD_GET, "/sw.js", pages_worker, POOL_API, "service_worker", NULL},
	{METHOD_GET, "/web/{version}/{file}", pages_asset, POOL_API, "asset", NULL},
	{METHOD_GET, "/api/live", live_list, POOL_API, "live_list", &by_page},
	{METHOD_GET, "/api/live/{id}", live_show, POOL_API, "live_show", &by_quality},
	{METHOD_GET, "/api/live/{id}/refresh", live_refresh, POOL_API, "live_refresh", NULL},
	{METHOD_GET, "/api/movies", movies_list, POOL_API, "movies", &by_page},
	{METHOD_GET, "/api/live/{id}/direct", live_direct, POOL_RELAY, "live_direct", NULL},
	{METHOD_GET, "/api/hls/{id}/master.m3u8", hls_master, POOL_API, "hls_master",
		&by_quality_noted},
	{METHOD_GET, "/api/hls/{id}/{rendition}.m3u8", hls_media, POOL_API, "hls_media", NULL},
	{METHOD_GET, "/api/hls/{id}/{ver}/{rendition}.m3u8", vod_media, POOL_RELAY, "vod_media",
		NULL},
	{METHOD_GET, "/api/hls/{id}/{ver}/thumbnails.vtt", vod_thumbnails, POOL_RELAY,
		"vod_thumbnails", NULL},
	{METHOD_GET, "/api/hls/{id}/{ver}/{rendition}/{file}", vod_part, POOL_RELAY, "vod_part",
		NULL},
	{METHOD_GET, "/api/hls/{id}/thumbnails.vtt", vod_latest_thumbnails, POOL_API,
		"vod_latest_thumbnails", NULL},
	{METHOD_GET, "/api/hls/{id}/{rendition}/{file}", vod_latest_part, POOL_API,
		"vod_latest_part", NULL},
	{METHOD_GET, "/api/stream/vod/{id}", stream_vod, POOL_RELAY, "stream_vod", NULL},
	{METHOD_GET, "/api/stream/series/{series}/{season}/{episode}", stream_episode, POOL_RELAY,
		"stream_episode", NULL},
	{METHOD_GET, "/api/stream/{id}", stream_bytes, POOL_RELAY, "stream_bytes", NULL},
	{METHOD_GET, "/api/series", series_list, POOL_API, "series_list", &by_page},
	{METHOD_GET, "/api/series/{id}", series_show, POOL_API, "series_show", &by_season},
	{METHOD_GET, "/cdn/art/{id}", art_show, POOL_RELAY, "art", NULL},
	{METHOD_GET, "/prefetch", prefetch_query, POOL_API, "prefetch", NULL},
	{METHOD_POST, "/prefetch/{id}", prefetch_id, POOL_API, "prefetch_id", NULL},
	{METHOD_POST, "/api/video-info", video_info, POOL_RELAY, "video_info", NULL},
	{METHOD_GET, "/cdn/stream/{id}", cdn_stream, POOL_RELAY, "cdn_stream", NULL},
	{METHOD_GET, "/cdn/hls/{id}/{file}", joined_show, POOL_RELAY, "cdn_hls", NULL},
	{METHOD_GET, "/proxy", cdn_proxy, POOL_RELAY, "proxy", NULL},
	{METHOD_GET, "/proxy/{id}", cdn_stream, POOL_RELAY, "proxy_id", NULL},
	{METHOD_GET, "/metrics", metrics_show, POOL_API, "metrics", NULL},
	{METHOD_POST, "/api/cache/purge", purge_post, POOL_API, "cache_purge", NULL},
	{METHOD_GET, "/api/stats/bandwidth", bandwidth_show, POOL_API, "stats_bandwidth", NULL},
	{METHOD_GET, "/api/stats/cache", ops_stats_cache, POOL_API, "stats_cache", NULL},
	{METHOD_GET, "/status", pages_status, POOL_API, "status", NULL},
	{METHOD_GET, "/api/status", sources_status, POOL_API, "status_json", &by_nothing},
	{METHOD_GET, "/health", ops_health, POOL_API, "health", NULL},
	{METHOD_GET, "/health/live", ops_health_live, POOL_API, "health_live", NULL},
	{METHOD_GET, "/health/ready", ops_health_ready, POOL_API, "health_ready", NULL},
	{METHOD_OTHER, NULL, NULL, POOL_API, NULL, NULL},
};

const struct route *route_table(void)
{
	return routes;
}

/* One part of a pattern against one part of a path; what {name} stood for goes to *arg. */
static bool match_part(struct span pattern, struct span part, struct span *arg)
{
	struct span suffix;
	const char *end;

	if (pattern.len == 0 || pattern.ptr[0] != '{')
		return span_eq(pattern, part);
	end = memchr(pattern.ptr, '}', pattern.len);
	must(end);
	suffix = span_make(end + 1, pattern.len - (size_t)(end + 1 - pattern.ptr));
	if (part.len <= suffix.len ||
		!span_eq(span_make(part.ptr + part.len - suffix.len, suffix.len), suffix))
		return false;
	*arg = span_make(part.ptr, part.len - suffix.len);
	return true;
}

static bool match(const char *pattern, const struct path *path, struct span *args, size_t max)
{
	struct span rest = span_of(pattern + 1), part;
	size_t i = 0, named = 0;

	if (!pattern[1])
		return path->count == 0;
	while (span_next(&rest, '/', &part)) {
		struct span arg = {NULL, 0};

		if (i == path->count || !match_part(part, path->parts[i++], &arg))
			return false;
		if (arg.ptr) {
			must(named < max);
			args[named++] = arg;
		}
	}
	return i == path->count;
}

static void put_text(struct buf *to, struct span text)
{
	buf_printf(to, " %zu:", text.len);
	buf_add(to, text.ptr, text.len);
}

static void add_method(char *allow, size_t size, const char *name)
{
	size_t len = strlen(allow);

	if (!strstr(allow, name))
		snprintf(allow + len, size - len, "%s%s", len ? ", " : "", name);
}

bool route_key(const struct route *route, struct request *rq, struct buf *to)
{
	struct span names, name, value;

	if (!route->sharing || (rq->method != METHOD_GET && rq->method != METHOD_HEAD) ||
		request_header(rq, "HTTP_AUTHORIZATION") ||
		request_header(rq, "HTTP_X_SLUICE_TOKEN"))
		return false;
	/* Each text with its length, so that none can pass for two. */
	buf_puts(to, route->name);
	for (size_t i = 0; i < sizeof(rq->args) / sizeof(rq->args[0]) && rq->args[i].ptr; i++)
		put_text(to, rq->args[i]);
	names = span_of(route->sharing->parameters);
	while (span_next(&names, ' ', &name)) {
		char word[32];

		must(span_copy(name, word, sizeof(word)));
		if (query_get(&rq->query, word, &value)) {
			put_text(to, name);
			put_text(to, value);
		}
	}
	return !to->failed;
}

enum route_result route_find(struct request *rq, const struct route **out, char *allow, size_t size)
{
	enum method want = rq->method == METHOD_HEAD ? METHOD_GET : rq->method;
	const size_t max = sizeof(rq->args) / sizeof(rq->args[0]);
	struct span args[sizeof(rq->args) / sizeof(rq->args[0])] = {{0}};
	bool found = false;

	allow[0] = '\0';
	for (const struct route *r = routes; r->pattern; r++) {
		if (!match(r->pattern, &rq->path, args, max))
			continue;
		add_method(allow, size, method_name(r->method));
		if (r->method == METHOD_GET)
			add_method(allow, size, "HEAD");
		if (r->method == want && !found) {
			memcpy(rq->args, args, sizeof(args));
			*out = r;
			found = true;
		}
	}
	if (!allow[0])
		return ROUTE_MISSING;
	add_method(allow, size, "OPTIONS");
	return found ? ROUTE_OK : ROUTE_METHOD;
}
