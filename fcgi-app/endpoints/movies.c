/* fcgi-app/endpoints/movies.c - the films of all sources.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/movies.h"

#include <json-c/json.h>
#include <stdio.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_movies.h"

struct listing {
	const struct app *app;
	struct json_object *movies;
};

static void add_movie(void *ctx, const struct movie *m)
{
	struct json_object *item = json_object_new_object();
	struct listing *list = ctx;

	json_text(item, "id", m->id);
	json_text(item, "name", m->name);
	json_object_object_add(item, "year", m->year ? json_object_new_int64(m->year) : NULL);
	json_object_object_add(
		item, "rating", m->rating ? json_object_new_double((double)m->rating / 10) : NULL);
	json_text(item, "category", m->category);
	json_text(item, "poster", m->poster);
	json_url(item, "url", list->app->conf, "/api/stream/vod/%s", m->id);
	json_url(item, "page", list->app->conf, "/watch/%s", m->id);
	json_object_array_add(list->movies, item);
}

static void add_category(void *ctx, const char *name)
{
	json_object_array_add(ctx, json_object_new_string(name));
}

int movies_list(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct json_object *root = json_object_new_object();
	struct json_object *categories = json_object_new_array();
	struct listing list = {app, json_object_new_array()};
	struct movie_query query = {
		.category = span_of(request_query(rq, "category")),
		.q = span_of(request_query(rq, "q")),
		.cursor = span_of(request_query(rq, "cursor")),
		.each = add_movie,
		.ctx = &list,
	};
	char next[CATALOG_CURSOR_MAX];

	json_object_object_add(root, "movies", list.movies);
	json_object_object_add(root, "categories", categories);
	if (find_limit(rq, &query.limit, f) < 0 ||
		catalog_movies(app->catalog, &query, next, f) < 0 ||
		catalog_movie_categories(app->catalog, add_category, categories, f) < 0) {
		json_object_put(root);
		return -1;
	}
	json_text(root, "nextCursor", next);
	json_send(r, 200, root);
	reply_public(r, 1);
	return 0;
}
