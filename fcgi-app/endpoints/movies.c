/* fcgi-app/endpoints/movies.c - the films of all sources.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/movies.h"

#include <json-c/json.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/json.h"
#include "fcgi-app/endpoints/listing.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_movies.h"

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
	json_art(item, "poster", list->app->conf, m->id, m->poster);
	json_url(item, "url", list->app->conf, "/api/stream/vod/%s", m->id);
	json_url(item, "page", list->app->conf, "/watch/%s", m->id);
	json_object_array_add(list->items, item);
}

int movies_list(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct listing list;
	struct movie_query query = {.each = add_movie, .ctx = &list};
	int result = -1;

	listing_open(&list, app, "movies");
	if (listing_asked(rq, &query.page, f) == 0 &&
		catalog_movies(app->catalog, &query, list.next, f) == 0)
		result = listing_add_categories(&list, IDENT_VOD, f);
	return listing_send(&list, r, result);
}
