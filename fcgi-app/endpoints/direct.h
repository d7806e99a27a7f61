/* fcgi-app/endpoints/direct.h - whether a title is played as it is, and from where.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_DIRECT_H
#define SLUICE_ENDPOINTS_DIRECT_H

#include "fcgi-app/door/reply.h"
#include "fcgi-app/endpoints/film.h"

struct app;

/* Whether who asks plays the film's container and codecs: those that `plays` names, or those of
 * every browser. */
bool direct_plays(struct request *rq, const struct film_seen *film);

enum direct_way {
	DIRECT_NOT,   /* by a playlist alone */
	DIRECT_BYTES, /* its bytes are at hand, in a file or by the byte cache */
	DIRECT_EDGE   /* at the address of a gateway's edge */
};

/* From where its bytes come, whatever they are. For a title at a gateway that is asked (or an
 * answer not older than `age_ms` taken), unless the setting direct_play is "proxy"; `*url`, in the
 * request's arena, is the edge's address then. One that does not suit the page that asks, a plain
 * one for a page by https, is none. */
enum direct_way direct_from(struct app *app, struct request *rq, const struct title *t,
	int64_t age_ms, const char **url);

/* A redirect to the edge, that nobody keeps. Fails: FAIL_INPUT. */
int direct_redirect(struct reply *r, const char *url, struct fail *f);

#endif
