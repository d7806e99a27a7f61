/* fcgi-app/endpoints/listing.h - a page of a list, as an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_LISTING_H
#define SLUICE_ENDPOINTS_LISTING_H

#include "fcgi-app/door/reply.h"
#include "lib/svc/catalog.h"

struct app;
struct json_object;

struct listing {
	const struct app *app;
	struct json_object *root, *items, *categories; /* the whole, and the arrays in it */
	char next[CATALOG_CURSOR_MAX];		       /* "" on the last page */
};

/* An empty one whose items are called `name`. listing_send() must follow. */
void listing_open(struct listing *l, const struct app *app, const char *name);

/* Reads which page of it is asked for. Fails: FAIL_INPUT for a limit that is none. */
int listing_asked(struct request *rq, struct page_query *to, struct fail *f);

/* Lists the categories of titles of a kind (IDENT_VOD, IDENT_SER). Fails: FAIL_BUSY. */
int listing_add_categories(struct listing *l, enum ident_kind kind, struct fail *f);

/* Makes it the answer, which is the same for everyone, and gives `result`, that of reading it:
 * after a failure there is no answer. */
int listing_send(struct listing *l, struct reply *r, int result);

#endif
