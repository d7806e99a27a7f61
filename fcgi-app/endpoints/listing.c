/* fcgi-app/endpoints/listing.c - a page of a list, as an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/listing.h"

#include <json-c/json.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/svc/catalog_movies.h"

void listing_open(struct listing *l, const struct app *app, const char *name)
{
	*l = (struct listing){.app = app,
		.items = json_object_new_array(),
		.categories = json_object_new_array(),
		.root = json_object_new_object()};
	json_object_object_add(l->root, name, l->items);
	json_object_object_add(l->root, "categories", l->categories);
}

int listing_asked(struct request *rq, struct page_query *to, struct fail *f)
{
	to->category = span_of(request_query(rq, "category"));
	to->q = span_of(request_query(rq, "q"));
	to->cursor = span_of(request_query(rq, "cursor"));
	return find_limit(rq, &to->limit, f);
}

int listing_add_categories(struct listing *l, enum ident_kind kind, struct fail *f)
{
	const struct catalog_names names = {json_add_name, l->categories};

	return catalog_title_categories(l->app->catalog, kind, &names, f);
}

int listing_send(struct listing *l, struct reply *r, int result)
{
	if (result < 0) {
		json_object_put(l->root);
		return -1;
	}
	json_text(l->root, "nextCursor", l->next);
	json_send(r, 200, l->root);
	reply_public(r, 1);
	return result;
}
