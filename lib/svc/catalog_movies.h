/* lib/svc/catalog_movies.h - the films that can be played, a page at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_CATALOG_MOVIES_H
#define SLUICE_SVC_CATALOG_MOVIES_H

#include "lib/svc/catalog.h"

/* A film as a list shows it. */
struct movie {
	char id[IDENT_MAX];
	char name[CHANNEL_NAME_MAX];
	char category[CHANNEL_CATEGORY_MAX]; /* its name; "" for none */
	char poster[CHANNEL_LOGO_MAX];	     /* http(s) URL, or "" */
	int64_t year, rating;		     /* 0: not known; tenths of 0 to 10 */
};

struct movie_query {
	struct page_query page;
	void (*each)(void *ctx, const struct movie *movie);
	void *ctx;
};

/* Calls `each` for a page of films in the order of the sources, and sets `next` as
 * catalog_channels(). Fails: as that. */
int catalog_movies(struct catalog *c, const struct movie_query *query, char *next, struct fail *f);

/* Tells the name of every category that has films (IDENT_VOD) or series (IDENT_SER), each once.
 * Fails: FAIL_BUSY. */
struct catalog_names {
	void (*each)(void *ctx, const char *name);
	void *ctx;
};
int catalog_title_categories(
	struct catalog *c, enum ident_kind kind, const struct catalog_names *to, struct fail *f);

#endif
