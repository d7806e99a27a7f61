/* fcgi-app/endpoints/series.c - series: the list, and one with its episodes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/series.h"

#include <json-c/json.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "fcgi-app/endpoints/listing.h"
#include "lib/base/num.h"
#include "lib/http/episode.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_movies.h"
#include "lib/svc/catalog_series.h"
#include "lib/svc/episodes.h"

enum { WAIT_MS = 3000 };

static int read_season(struct request *rq, int64_t *season, struct fail *f)
{
	const char *text = request_query(rq, "season");

	if (text && !num_parse(span_of(text), 0, EPISODE_SEASON_MAX, season))
		return fail_set(
			f, FAIL_INPUT, "season takes a number from 0 to %d", EPISODE_SEASON_MAX);
	return 0;
}

/* What a list and a page tell alike. */
static void put_series(struct json_object *to, const struct app *app, const struct series *s)
{
	json_text(to, "id", s->id);
	json_text(to, "name", s->name);
	json_text(to, "category", s->category);
	json_art(to, "poster", app->conf, s->id, s->poster);
	json_object_object_add(to, "year", s->year ? json_object_new_int64(s->year) : NULL);
	json_object_object_add(
		to, "rating", s->rating ? json_object_new_double((double)s->rating / 10) : NULL);
	json_url(to, "url", app->conf, "/api/series/%s", s->id);
	json_url(to, "page", app->conf, "/?series=%s", s->id);
}

/* --- the list --------------------------------------------------------------------------------- */

static void add_series(void *ctx, const struct series *s)
{
	struct listing *list = ctx;
	struct json_object *item = json_object_new_object();

	put_series(item, list->app, s);
	json_object_array_add(list->items, item);
}

int series_list(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct listing list;
	struct series_query query = {.each = add_series, .ctx = &list};
	int result = -1;

	listing_open(&list, app, "series");
	if (listing_asked(rq, &query.page, f) == 0 &&
		catalog_series_page(app->catalog, &query, list.next, f) == 0)
		result = listing_add_categories(&list, IDENT_SER, f);
	return listing_send(&list, r, result);
}

/* --- one of them ------------------------------------------------------------------------------ */

/* Its source may have to be asked for the episodes first. */
static int know_episodes(struct app *app, struct reply *r, const struct series *series,
	int64_t wait_ms, struct fail *f)
{
	int result;

	if (episodes_await(app->conf, app->catalog, series, 0, f) == 0)
		return 0;
	if (f->kind != FAIL_BUSY)
		return -1;
	r->retry_after_s = 1;
	if (!app_wait_begin(app, r->rq->client, f))
		return -1;
	result = episodes_await(app->conf, app->catalog, series, wait_ms, f);
	app_wait_end(app, r->rq->client);
	return result;
}

static int find_series(struct app *app, struct request *rq, struct series *out, struct fail *f)
{
	struct ident id;

	if (!ident_parse(rq->args[0], IDENT_SER, &id))
		return fail_set(f, FAIL_INPUT,
			"This is no id: they look like 201, ser-201 or star.ser-201");
	return catalog_series(app->catalog, &id, out, f);
}

struct telling {
	const struct app *app;
	const struct series *series;
	struct json_object *seasons, *episodes; /* of the last season */
	int64_t season;
};

static void begin_season(struct telling *t, int64_t season)
{
	struct json_object *item = json_object_new_object();

	t->season = season;
	t->episodes = json_object_new_array();
	json_number(item, "season", season);
	json_object_object_add(item, "episodes", t->episodes);
	json_object_array_add(t->seasons, item);
}

static int add_episode(void *ctx, const struct episode *e)
{
	struct telling *t = ctx;
	struct json_object *item = json_object_new_object();

	if (!t->episodes || t->season != e->season)
		begin_season(t, e->season);
	json_text(item, "id", e->id);
	json_number(item, "episode", e->number);
	json_text(item, "title", e->name);
	json_text(item, "plot", e->plot);
	json_art(item, "poster", t->app->conf, e->id, e->poster);
	json_object_object_add(
		item, "duration", e->duration_s ? json_object_new_int64(e->duration_s) : NULL);
	json_url(item, "url", t->app->conf, "/api/stream/series/%s/%lld/%lld", t->series->id,
		(long long)e->season, (long long)e->number);
	json_url(item, "page", t->app->conf, "/watch/%s", e->id);
	json_object_array_add(t->episodes, item);
	return 0;
}

int series_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct series *series = arena_alloc(&rq->arena, sizeof(*series));
	struct telling t = {.app = app, .series = series};
	struct episode_query q = {.season = -1,
		.number = -1,
		.cursor = span_of(request_query(rq, "cursor")),
		.each = add_episode,
		.ctx = &t};
	char next[CATALOG_CURSOR_MAX];
	struct json_object *root;

	if (!series)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (read_season(rq, &q.season, f) < 0 || find_limit(rq, &q.limit, f) < 0 ||
		find_series(app, rq, series, f) < 0 ||
		know_episodes(app, r, series, WAIT_MS, f) < 0)
		return -1;
	t.seasons = json_object_new_array();
	if (catalog_episodes(app->catalog, series, &q, next, f) < 0) {
		json_object_put(t.seasons);
		return -1;
	}
	root = json_object_new_object();
	put_series(root, app, series);
	json_text(root, "plot", series->plot);
	json_object_object_add(root, "seasons", t.seasons);
	json_text(root, "nextCursor", next);
	json_send(r, 200, root);
	reply_public(r, 1);
	return 0;
}

/* --- an episode by its place ------------------------------------------------------------------ */

struct finding {
	struct ident *out;
	bool found;
};

static int take_episode(void *ctx, const struct episode *e)
{
	struct finding *found = ctx;

	found->found = ident_parse(span_of(e->id), IDENT_EP, found->out);
	return 1;
}

int series_find_episode(struct app *app, struct request *rq, struct reply *r, int64_t wait_ms,
	struct ident *out, struct fail *f)
{
	struct series *series = arena_alloc(&rq->arena, sizeof(*series));
	struct finding finding = {out, false};
	struct episode_query q = {.limit = 1, .each = take_episode, .ctx = &finding};
	char next[CATALOG_CURSOR_MAX];

	if (!series)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (!num_parse(rq->args[1], 0, EPISODE_SEASON_MAX, &q.season) ||
		!num_parse(rq->args[2], 0, EPISODE_NUMBER_MAX, &q.number))
		return fail_set(f, FAIL_INPUT, "Seasons and episodes are numbers");
	if (find_series(app, rq, series, f) < 0 || know_episodes(app, r, series, wait_ms, f) < 0 ||
		catalog_episodes(app->catalog, series, &q, next, f) < 0)
		return -1;
	return finding.found ? 0 : fail_set(f, FAIL_MISSING, "The series has no such episode");
}
