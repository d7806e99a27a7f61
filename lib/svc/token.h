/* lib/svc/token.h - a channel's resolved live URL: who asks the gateway, and what it said.
 * SPDX-License-Identifier: BSD-2-Clause
 * A gateway answers a live URL with a redirect to an edge, good for some minutes: that is the
 * token. It is kept in memcached (`tok`) for the cluster and in live/work/{id}/token (0600) for
 * this host, and is a secret: no answer and no log shows its url. A refusal is kept too, for a
 * while.
 * A channel's origins are asked in their order (lib/svc/token_resolve.h); the first that gives one
 * is it.
 * Only the resolver, a short-lived child of the supervisor, asks the gateway; all others look here,
 * and ask for it by live_ask_token() (live.h). */
#ifndef SLUICE_SVC_TOKEN_H
#define SLUICE_SVC_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/svc/origin.h"

struct board;
struct conf;
struct mc;

enum {
	TOKEN_URL_BYTES = 4096,
	TOKEN_AGENT_BYTES = 256,
	TOKEN_REFERRER_BYTES = 1024,
	TOKEN_REFRESH_MS = 5000,
	TOKEN_REPLACE_MS = 1000, /* once, where for so long before it nobody was asked: */
	TOKEN_CALM_MS = 10000,
	/* A refusal: most pass, and what is buffered is short. Twice as long each time. */
	TOKEN_NEGATIVE_MS = 1000,
	TOKEN_NEGATIVE_MAX_MS = 10000,
	TOKEN_FULL_MS = 500 /* a refusal of our own: no connection is free */
};

struct token {
	char url[TOKEN_URL_BYTES]; /* where the stream is fetched; "" when the gateway refused */
	char origin[ORIGIN_NAME_BYTES]; /* whose it is (lib/svc/origin.h) */
	char agent[TOKEN_AGENT_BYTES], referrer[TOKEN_REFERRER_BYTES]; /* to be sent; or "" */
	/* the gateway sends the stream itself: asking again would be a second stream */
	bool direct;
	struct fail why;     /* kind FAIL_NONE when there is a url */
	int64_t resolved_ms; /* when the gateway answered, since the epoch */
	int64_t before_ms;   /* and the time before; 0: never */
	int64_t expires_ms;  /* good (or refused) until then */
};

enum token_state {
	TOKEN_NONE,   /* nothing known, or no longer good */
	TOKEN_GOOD,   /* t->url may be used */
	TOKEN_REFUSED /* the gateway said no a moment ago: t->why */
};

/* What is known now, this host's file first, then memcached (NULL: without). Where that is
 * TOKEN_NONE, *t may be what was known before. Never waits for the gateway. */
enum token_state token_look(
	const struct conf *conf, struct mc *mc, const char *id, struct token *t);

/* Whether the gateway may be asked again because somebody wishes it: at most once in 5 s. Before
 * that, this one is the answer for all, unless its origin has failed meanwhile. */
bool token_refresh_due(const struct token *t, int64_t now_ms);

/* Whether it may because this one has stopped working: then also after 1 s, if nobody was asked in
 * the 10 s before. What viewers have in hand is a few seconds. */
bool token_replace_due(const struct token *t, int64_t now_ms);

/* How long another refusal is kept, where `before` was known before it. */
int64_t token_refusal_ms(const struct token *before, int64_t now_ms);

/* Body of the resolver process: asks the gateways for channel `id` unless a good token (with
 * `refresh`: one that is not yet to be replaced, of an origin that is well) is there by the time it
 * is alone, and stores the answer. One at a time on this host by a lock, in the cluster by the
 * lease "tok:{id}". 0: there is an answer now, which may be a refusal; 1: it could not be stored.
 * `board` (may be NULL) counts. */
int token_run(const struct conf *conf, struct board *board, const char *id, bool refresh);

/* The record as text, and back; false for anything that token_print() does not write. */
void token_print(const struct token *t, struct buf *to);
bool token_parse(struct span text, struct token *out);

#endif
