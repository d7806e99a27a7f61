/* lib/svc/catalog_series.h - the catalogue's series and their episodes.
 * SPDX-License-Identifier: BSD-2-Clause
 * Series come with an import. Their episodes do so too where a source lists them (a directory); of
 * a gateway they are asked for series by series (lib/svc/episodes.h), and stay known then. An
 * episode is played like a film: catalog_film() knows its id. Fails as the rest of the
 * catalogue. */
#ifndef SLUICE_SVC_CATALOG_SERIES_H
#define SLUICE_SVC_CATALOG_SERIES_H

#include "lib/svc/catalog.h"

struct series {
	struct ident ident;	       /* source named if and only if several are configured */
	char id[IDENT_MAX];	       /* "ser-201" or "star.ser-201" */
	char source[IDENT_SOURCE_MAX]; /* always named */
	char name[CHANNEL_NAME_MAX];
	char category[CHANNEL_CATEGORY_MAX]; /* its name; "" for none */
	char poster[CHANNEL_LOGO_MAX];	     /* http(s) URL, or "" */
	char plot[TITLE_PLOT_MAX];
	int64_t year;	   /* 0: not known */
	int64_t rating;	   /* tenths, of 0 to 100; 0: none */
	int64_t changed_s; /* 0: not known */
};

struct episode {
	char id[IDENT_MAX]; /* "ep-77123" or "star.ep-77123" */
	char key[IDENT_KEY_MAX];
	char name[CHANNEL_NAME_MAX];   /* its own, may be "" */
	char poster[CHANNEL_LOGO_MAX]; /* or "" */
	char plot[TITLE_PLOT_MAX];
	char suffix[TITLE_SUFFIX_MAX];
	int64_t season, number, duration_s;
};

/* The series that `id` names, as catalog_channel(). */
int catalog_series(struct catalog *c, const struct ident *id, struct series *out, struct fail *f);

/* Calls `each` for a page of series, in their sources' order; as catalog_channels(). */
struct series_query {
	struct page_query page;
	void (*each)(void *ctx, const struct series *series);
	void *ctx;
};
int catalog_series_page(
	struct catalog *c, const struct series_query *query, char *next, struct fail *f);

/* Calls `each` for a page of a series' episodes, by season and number. */
struct episode_query {
	int64_t season; /* -1: all */
	int64_t number; /* -1: all */
	struct span cursor;
	int64_t limit; /* 0: CATALOG_LIMIT_MAX */
	int (*each)(void *ctx, const struct episode *episode);
	void *ctx;
};
int catalog_episodes(struct catalog *c, const struct series *series, const struct episode_query *q,
	char *next, struct fail *f);

/* When a series' episodes were last asked for, in ms since the epoch (0: never), and why that came
 * to nothing (kind FAIL_NONE: it did not). */
struct series_asked {
	int64_t asked_ms;
	struct fail why;
};
int catalog_series_asked(
	struct catalog *c, const struct series *series, struct series_asked *out, struct fail *f);

#endif
