/* fcgi-app/endpoints/listing.c - a page of a list, as an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/listing.h"

#include <json-c/json.h>

#include "fcgi-app/endpoints/json.h"

void listing_open(struct listing *l, const struct app *app, const char *name)
{
	*l = (struct listing){
		.app = app, .items = json_object_new_array(), .root = json_object_new_object()};
	json_object_object_add(l->root, name, l->items);
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
