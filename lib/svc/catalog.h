/* lib/svc/catalog.h - the channels that can be played.
 * SPDX-License-Identifier: BSD-2-Clause
 * Read from SQLite. Each source has a generation of rows; an import (lib/svc/generation.h) writes
 * the next one aside and swaps it in whole, so readers see all of the old list or all of the new
 * one. Only sources that are configured are seen, in the order of the configuration; within a
 * source channels stand by number, then as the source lists them.
 *
 * One `struct catalog` serves all threads of a process: a few connections, opened when first
 * needed, lent to one call at a time. Open it after the fork. No call waits for an import.
 *
 * A database that is not there yet is an empty catalogue. Fails: FAIL_BUSY when it cannot be
 * read. */
#ifndef SLUICE_SVC_CATALOG_H
#define SLUICE_SVC_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/http/ident.h"

struct catalog;
struct conf;

/* Bytes with the NUL. */
enum {
	CHANNEL_NAME_MAX = 161,
	CHANNEL_CATEGORY_MAX = 121,
	CHANNEL_LOGO_MAX = 1025,
	CHANNEL_EPG_MAX = 129,
	CHANNEL_URL_MAX = 2048,
	CHANNEL_AGENT_MAX = 256,
	CHANNEL_REFERRER_MAX = 1024,
	TITLE_SUFFIX_MAX = 9,
	TITLE_PLOT_MAX = 2001,
	CATALOG_CURSOR_MAX = 160,
	CATALOG_LIMIT = 100, /* channels in a page, unless asked otherwise */
	CATALOG_LIMIT_MAX = 1000
};

struct channel {
	struct ident ident; /* source named if and only if several are configured */
	char id[IDENT_MAX]; /* "live-8" or "star.live-8": names directories, keys and links */
	char stream_id[IDENT_MAX];	     /* as answers print it: "8" or "star.live-8" */
	char source[IDENT_SOURCE_MAX];	     /* always named */
	char name[CHANNEL_NAME_MAX];	     /* UTF-8, never empty, no control bytes */
	char category[CHANNEL_CATEGORY_MAX]; /* its name; "" for none */
	char logo[CHANNEL_LOGO_MAX];	     /* http(s) URL, or "" */
	char epg[CHANNEL_EPG_MAX];	     /* the guide's name for it, or "" */
	int64_t number;
	int64_t archive_days; /* how far back the source can play, 0 for not */
	bool adult;
};

/* A film as a source lists it. */
struct film {
	struct ident ident;	       /* source named if and only if several are configured */
	char id[IDENT_MAX];	       /* "vod-101" or "star.vod-101" */
	char source[IDENT_SOURCE_MAX]; /* always named */
	char name[CHANNEL_NAME_MAX];
	char poster[CHANNEL_LOGO_MAX]; /* http(s) URL, or "" */
	char plot[TITLE_PLOT_MAX];
	char suffix[TITLE_SUFFIX_MAX]; /* of its container: "mkv"; "" where the source says none */
	char url[CHANNEL_URL_MAX];     /* of a list, or the path below a directory; a secret */
	int64_t year;
	char series[IDENT_MAX];	 /* "ser-201" of an episode, else "" */
	int64_t season, episode; /* its place there */
};

struct catalog_category {
	const char *name;
	int64_t channels;
};

/* Which page of a list. */
struct page_query {
	struct span category; /* only this category (its name, in any case; or the source's key) */
	struct span q;	      /* only names that hold each word; case and accents ignored */
	struct span cursor;   /* go on after a page that gave this; empty: from the first */
	int64_t limit;	      /* 1 to CATALOG_LIMIT_MAX; 0: CATALOG_LIMIT */
};

struct catalog_query {
	struct page_query page;
	int (*each)(void *ctx, const struct channel *channel); /* not 0: stop here */
	void *ctx;
};

/* Makes a catalogue over `{state_dir}/db/catalog.db`. Borrows `conf`. Opens nothing yet.
 * Fails: no memory. */
int catalog_open(struct catalog **out, const struct conf *conf, struct fail *f);
void catalog_close(struct catalog **c);

/* The channel that `id` names, with or without its source. Fails: FAIL_MISSING for another kind, an
 * unknown channel, or a bare id that several sources know. */
int catalog_channel(struct catalog *c, const struct ident *id, struct channel *out, struct fail *f);

/* Whether it is a file of sound, by its ending. Such a one has an id of its own, "trk-101", too. */
bool film_is_sound(const struct film *film);

/* The film that `id` names, as catalog_channel(). */
int catalog_film(struct catalog *c, const struct ident *id, struct film *out, struct fail *f);

/* One of the addresses of a list's channel, from 0. */
struct channel_entry {
	const char *source, *key;
	int64_t number;
};

/* Where it plays, with what is to be sent there. A secret. Fails: FAIL_MISSING. */
struct channel_address {
	char url[CHANNEL_URL_MAX], agent[CHANNEL_AGENT_MAX], referrer[CHANNEL_REFERRER_MAX];
};
int catalog_address(struct catalog *c, const struct channel_entry *entry,
	struct channel_address *out, struct fail *f);

/* The key of the channel of `source` that is the same as `channel`, by the guide's id or by name
 * (lib/http/alike.h), into `key`; "" when there is none. */
int catalog_alike(struct catalog *c, const char *source, const struct channel *channel,
	char key[IDENT_KEY_MAX], struct fail *f);

/* Calls `each` for a page of channels and sets `next`, which holds CATALOG_CURSOR_MAX bytes, to the
 * cursor of the next page, "" when this was the last one. What an earlier source of the same group
 * has too is left out. A cursor stays good when the list
 * changes: what is unchanged is neither skipped nor given twice. Connections are few: `each` must
 * not block. Fails: FAIL_INPUT for a cursor that is none of ours or a limit out of range. */
int catalog_channels(
	struct catalog *c, const struct catalog_query *query, char *next, struct fail *f);

/* Calls `each` for every category that has channels. Those of one name in several sources are
 * one. */
int catalog_categories(struct catalog *c,
	int (*each)(void *ctx, const struct catalog_category *category), void *ctx, struct fail *f);

struct catalog_state {
	int64_t imported_ms; /* when the current list came in, since the epoch; 0: never */
	int64_t tried_ms;    /* when an import was last begun; 0: never */
	int64_t channels, films, series;
	char trouble[240]; /* why the last import changed nothing; "" when it went well */
};

/* What is known of the imports of a source. One that was never imported is all zeros. */
int catalog_state(struct catalog *c, const char *source, struct catalog_state *out, struct fail *f);

/* When the current list of `source` came in, in ms since the epoch; 0: never, or unreadable. */
int64_t catalog_imported_ms(struct catalog *c, const char *source);

#endif
