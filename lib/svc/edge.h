/* lib/svc/edge.h - where a title at a gateway is played from, for a viewer who fetches it there.
 * SPDX-License-Identifier: BSD-2-Clause
 * A gateway answers a title's address, which holds the account's name and password, with a redirect
 * to an edge. That edge's address may be handed to a viewer if it holds neither; then the title
 * costs this server no byte. Only a short-lived child of the supervisor asks the gateway; what it
 * says lies in run_dir/edge/{id} (0600) for those who wait for it. */
#ifndef SLUICE_SVC_EDGE_H
#define SLUICE_SVC_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

struct board;
struct conf;
struct conf_source;
struct title;

/* What the supervisor is asked with; the id is the title's. */
#define EDGE_VERB "edge"

enum { EDGE_URL_BYTES = 2048 };

struct edge {
	char url[EDGE_URL_BYTES]; /* "" where there is none */
	int64_t asked_ms;	  /* when the gateway was asked, since the epoch */
	struct fail why;	  /* kind FAIL_NONE where there is one */
};

/* Asks the gateway anew, or, with `age_ms`, takes an answer that is no older. Waits at most
 * `wait_ms`. Fails: FAIL_BUSY when there is no answer yet, or why there is no such address: the
 * account has no connection left (FAIL_BUSY), the gateway refuses it, sends the title itself, or
 * leads to an address with credentials. */
int edge_ask(const struct conf *conf, const char *id, int64_t age_ms, int64_t wait_ms,
	struct edge *out, struct fail *f);

/* Body of the process that asks, for the title of that id; gives its exit status. */
int edge_run(const struct conf *conf, struct board *board, const char *id);

/* Whether an address holds nothing of what opens the title at its source, `own`: neither a name nor
 * a password of an account, escaped or not, nor, where the source is a list, any part of that
 * address but its file's name. */
bool edge_is_clean(const struct conf_source *source, const char *own, const char *url);

/* The record as text, and back; false for anything that edge_print() does not write. */
void edge_print(const struct edge *e, struct buf *to);
bool edge_parse(struct span text, struct edge *out);

#endif
