/* lib/svc/source_xtream_episodes.c - the episodes of a gateway's series.
 * SPDX-License-Identifier: BSD-2-Clause
 * They stand in an object by season, an array of arrays, or one array, as gateways please. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/http/episode.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_xtream_inside.h"

enum { REPLY_MAX = 16 * 1024 * 1024, CONNECT_MS = 5000, TOTAL_MS = 30000 };

struct listing {
	struct span series;
	const struct source_sink *sink;
	struct fail *f;
};

/* "The Series - S01E02 - The Second" is "The Second"; a title that is no more than its number,
 * none. */
static size_t own_name(struct span title, char to[CHANNEL_NAME_MAX])
{
	struct episode_mark m;

	if (episode_find(title, &m))
		title = m.after;
	return text_clean(title, to, CHANNEL_NAME_MAX);
}

/* "00:42:10", where the seconds are not told. */
static int64_t duration_of(struct json_object *info)
{
	struct span rest = span_trim(xtream_text(info, "duration")), part;
	int64_t s = xtream_number(info, "duration_secs"), value;

	if (s > 0 || rest.len == 0)
		return s;
	while (span_next(&rest, ':', &part)) {
		if (!num_parse(part, 0, 1000, &value) || s > 1000000)
			return 0;
		s = s * 60 + value;
	}
	return s;
}

static int give_episode(const struct listing *l, struct json_object *item, int64_t season)
{
	char name[CHANNEL_NAME_MAX], plot[TITLE_PLOT_MAX];
	struct json_object *info = NULL;
	struct source_episode row = {.key = span_trim(xtream_text(item, "id")),
		.series = l->series,
		.season = xtream_number(item, "season"),
		.number = xtream_number(item, "episode_num"),
		.suffix = xtream_suffix(item)};

	if (!ident_key_ok(row.key))
		return 0;
	json_object_object_get_ex(item, "info", &info);
	if (!span_trim(xtream_text(item, "season")).len)
		row.season = season;
	row.name = span_make(name, own_name(xtream_text(item, "title"), name));
	row.poster = source_picture(xtream_text(info, "movie_image"));
	row.plot = span_make(plot, text_clean(xtream_text(info, "plot"), plot, sizeof(plot)));
	row.duration_s = duration_of(info);
	return l->sink->episode(l->sink->ctx, &row, l->f);
}

/* An array of episodes, or of seasons; an episode by itself. */
static int give_all(const struct listing *l, struct json_object *value, int64_t season)
{
	if (json_object_is_type(value, json_type_object))
		return give_episode(l, value, season);
	if (!json_object_is_type(value, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		bool nested = json_object_is_type(item, json_type_array) && season < 0;

		/* Seasons without a name count from 1. */
		if ((nested || json_object_is_type(item, json_type_object)) &&
			give_all(l, item,
				nested	     ? (int64_t)i + 1
				: season < 0 ? 1
					     : season) < 0)
			return -1;
	}
	return 0;
}

static int give_seasons(const struct listing *l, struct json_object *episodes)
{
	if (!json_object_is_type(episodes, json_type_object))
		return give_all(l, episodes, -1);
	json_object_object_foreach(episodes, name, value)
	{
		int64_t season = 1;

		num_parse(span_of(name), 0, EPISODE_SEASON_MAX, &season);
		if (give_all(l, value, season) < 0)
			return -1;
	}
	return 0;
}

int source_xtream_episodes(
	struct span json, struct span series, const struct source_sink *sink, struct fail *f)
{
	const struct listing l = {series, sink, f};
	struct json_object *root = xtream_parse(json, f), *episodes = NULL, *user = NULL;
	int result;

	if (!root)
		return -1;
	if (json_object_is_type(root, json_type_object)) {
		json_object_object_get_ex(root, "episodes", &episodes);
		json_object_object_get_ex(root, "user_info", &user);
	}
	result = !episodes && user ? source_xtream_login(json, f) : give_seasons(&l, episodes);
	json_object_put(root);
	return result;
}

int source_xtream_fetch_episodes(const struct conf_source *s, const char *key,
	const struct source_sink *sink, struct fail *f)
{
	struct fetch_result res = {0};
	struct fetch_request rq;
	char action[80];
	struct buf url;
	int result;

	if (!ident_key_ok(span_of(key)))
		return fail_set(f, FAIL_INPUT, "This is nothing of the source %s", s->name);
	snprintf(action, sizeof(action), "get_series_info&series_id=%s", key);
	buf_init(&url, 4096);
	result = xtream_action(s, action, &url, f);
	if (result == 0) {
		source_request(s, buf_str(&url), REPLY_MAX, &rq);
		rq.connect_ms = CONNECT_MS;
		rq.total_ms = TOTAL_MS;
		result = fetch_get(&rq, false, &res, f);
	}
	if (result == 0)
		result = xtream_status(res.head.status, f);
	if (result == 0)
		result = source_xtream_episodes(buf_span(&res.body), span_of(key), sink, f);
	buf_release(&res.body);
	buf_release(&url);
	return result;
}
