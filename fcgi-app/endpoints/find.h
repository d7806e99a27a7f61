/* fcgi-app/endpoints/find.h - from what a request names to a channel and a quality.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_FIND_H
#define SLUICE_ENDPOINTS_FIND_H

#include "fcgi-app/door/request.h"
#include "lib/base/fail.h"
#include "lib/hls/ladder.h"
#include "lib/http/ident.h"
#include "lib/svc/catalog.h"

struct app;

/* The id in the path ({id} is the route's first argument); a bare number is a channel.
 * Fails: FAIL_INPUT for what can be no id. */
int find_ident(const struct request *rq, struct ident *out, struct fail *f);

/* Whether it is a film's or an episode's, which are played alike. */
bool find_is_title(const struct ident *id);

/* Fails: FAIL_MISSING for an unknown channel, FAIL_BUSY when the catalogue cannot be read. */
int find_channel(struct app *app, const struct ident *id, struct channel *out, struct fail *f);

/* find_ident() and find_channel(). */
int find_asked_channel(
	struct app *app, const struct request *rq, struct channel *out, struct fail *f);

struct asked_quality {
	struct ladder ladder;	  /* what may be played: the asked rung first, none above it */
	const struct rung *first; /* the asked rung, or what comes nearest */
	bool said;		  /* the request names a quality */
	bool sound_alone;	  /* no picture is wanted */
	bool hinted;		  /* the answer depends on what the client's headers hint */
};

/* Reads ?quality= and, for `auto`, the client's hints. Fails: FAIL_INPUT for an unknown word. */
int find_quality(struct app *app, struct request *rq, struct asked_quality *out, struct fail *f);

/* The same for films, whose ladder is another setting. */
int find_film_quality(
	struct app *app, struct request *rq, struct asked_quality *out, struct fail *f);

#define FIND_HINTS "Save-Data, ECT, Downlink, CMCD-Request"

/* What the client's network can carry, in kb/s, as it hints by the headers FIND_HINTS; INT64_MAX
 * when it says nothing. */
int64_t find_hinted_kbps(struct request *rq);

/* Reads ?limit=, how many a page shall hold; untouched when it is not said. Fails: FAIL_INPUT for
 * what is none from 1 to CATALOG_LIMIT_MAX. */
int find_limit(struct request *rq, int64_t *limit, struct fail *f);

/* A number for who asks, by address and program (lib/svc/viewers.h). */
uint64_t find_viewer(const struct request *rq);

#endif
