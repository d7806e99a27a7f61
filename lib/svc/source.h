/* lib/svc/source.h - where channels come from.
 * SPDX-License-Identifier: BSD-2-Clause
 * A type of source is one file with one `struct source_type` and one line in the table of source.c.
 * It lists what a source has, and makes the address that plays a channel. */
#ifndef SLUICE_SVC_SOURCE_H
#define SLUICE_SVC_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

struct conf;
struct conf_account;
struct conf_source;
struct fetch_request;

/* Rows as a type of source gives them: cleaned UTF-8 within the limits of lib/svc/catalog.h, good
 * during the call. */
enum source_kind { SOURCE_CHANNELS, SOURCE_FILMS, SOURCE_SERIES, SOURCE_KINDS };

struct source_category {
	struct span key, name;
	enum source_kind kind;
};

struct source_channel {
	struct span key; /* the source's own id for it, ident_key_ok() */
	struct span name, logo, category /* a category's key */, epg;
	int64_t number; /* 0: none */
	int64_t archive_days;
	bool adult;
	/* Where a list says that it plays, and what is to be sent there; empty for a gateway's.
	 * Several rows of one key are ways to one channel, the best first. */
	struct span url, agent, referrer;
};

/* A film, or a series without its episodes. */
struct source_title {
	enum source_kind kind;
	struct span key, name, poster, category, plot;
	struct span suffix; /* of a film's container: "mkv" */
	struct span url;    /* of a film in a list */
	int64_t year;	    /* 0: not known */
	int64_t rating;	    /* tenths, of 0 to 100; 0: none */
	int64_t changed_s;  /* when it was added or last changed, since the epoch; 0: not known */
	bool adult;
};

/* An episode of a series. */
struct source_episode {
	struct span key;    /* as a film's */
	struct span series; /* the key of its series */
	struct span name;   /* its own, without that of the series; may be empty */
	struct span poster, plot, suffix, url;
	int64_t season;	    /* 0: specials */
	int64_t number;	    /* within the season */
	int64_t duration_s; /* 0: not known */
};

/* Where the rows go. A callback that returns -1 (with *f set) ends the listing. */
struct source_sink {
	int (*category)(void *ctx, const struct source_category *row, struct fail *f);
	int (*channel)(void *ctx, const struct source_channel *row, struct fail *f);
	int (*title)(void *ctx, const struct source_title *row, struct fail *f);
	int (*episode)(void *ctx, const struct source_episode *row, struct fail *f);
	/* The list of that kind has come in whole (kind FAIL_NONE), or why it has not. */
	void (*listed)(void *ctx, enum source_kind kind, const struct fail *why);
	/* The source waits for more: the next row may be long in coming. May be NULL. */
	int (*rest)(void *ctx, struct fail *f);
	void *ctx;
};

struct source_type {
	const char *name; /* as the configuration says it */
	/* NULL: it lists nothing. */
	int (*import)(
		const struct conf_source *source, const struct source_sink *sink, struct fail *f);
	/* NULL: addresses stand in the catalogue (catalog_address()). */
	int (*live_url)(const struct conf_source *source, const struct conf_account *account,
		const char *key, struct buf *url, struct fail *f);
	/* The address of film `key`, whose file ends in `suffix` ("" for none said). NULL
	 * likewise. */
	int (*film_url)(const struct conf_source *source, const struct conf_account *account,
		const char *key, const char *suffix, struct buf *url, struct fail *f);
	/* The same of an episode. NULL likewise. */
	int (*episode_url)(const struct conf_source *source, const struct conf_account *account,
		const char *key, const char *suffix, struct buf *url, struct fail *f);
	/* Lists the episodes of series `key`. NULL: they come with the import. */
	int (*episodes)(const struct conf_source *source, const char *key,
		const struct source_sink *sink, struct fail *f);
};

/* The type of that name, or NULL. */
const struct source_type *source_type_find(const char *name);

/* Lists all that `source` has: categories and channels, films, series. Blocks, up to some minutes;
 * memory stays small however long the lists are. Films and series that cannot be had are no
 * failure: the sink is told. Fails: FAIL_FORBIDDEN (the account is refused or has ended),
 * FAIL_UPSTREAM (nonsense), FAIL_TIMEOUT, FAIL_INPUT (the configuration), or what the sink failed
 * with. */
int source_import(const struct conf_source *source, const struct source_sink *sink, struct fail *f);

/* For the types: a request for something of `source` at `url`, of at most `max_bytes`, into `rq`,
 * as patient as gateways need. Borrows both. */
void source_request(const struct conf_source *source, const char *url, int64_t max_bytes,
	struct fetch_request *rq);

/* The address of a picture, without blanks around it, if a browser can load it; else "". */
struct span source_picture(struct span text);

/* Whether it can be imported. */
bool source_lists(const struct conf_source *source);

/* Whether more than one of them can: then ids in the catalogue name theirs. */
bool source_several(const struct conf *conf);

/* Whether its addresses stand in the catalogue. */
bool source_is_list(const struct conf_source *source);

/* Adds the address that plays channel `key` with `account` to `url`. It holds the account's name
 * and password: never to be logged, told or stored but in memory and files of mode 0600. Fails:
 * FAIL_INPUT for a source whose address is no http(s) URL or a key that is none. */
int source_live_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, struct buf *url, struct fail *f);

/* The same of film `key`, and of an episode, for sources that make addresses. */
int source_film_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f);
int source_episode_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f);

/* Whether the episodes of its series are asked for series by series; and asks for those of series
 * `key`, which go to sink->episode. Blocks, up to half a minute. Fails as source_import(), and
 * FAIL_MISSING for a series that the source does not know (any more). */
bool source_asks_episodes(const struct conf_source *source);
int source_episodes(const struct conf_source *source, const char *key,
	const struct source_sink *sink, struct fail *f);

#endif
