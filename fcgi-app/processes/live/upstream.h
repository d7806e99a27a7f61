/* fcgi-app/processes/live/upstream.h - one address of a live stream, read: MPEG-TS, or HLS.
 * SPDX-License-Identifier: BSD-2-Clause
 * What it is shows when it answers: a playlist by its type or its first line, whatever the address
 * looks like. Either way MPEG-TS is given, with what lies between two pieces of it. Everything that
 * a playlist names is fetched under the same policy as the address itself. */
#ifndef SLUICE_PROCESSES_LIVE_UPSTREAM_H
#define SLUICE_PROCESSES_LIVE_UPSTREAM_H

#include "fcgi-app/processes/live/segments.h"

struct conf_source;
struct row;
struct token;

struct upstream;

struct upstream_how {
	struct fetcher *fetcher;
	const char *id;	       /* of the channel, for the log */
	int height;	       /* of the picture that is wanted at most; 0: sound is enough */
	const char *languages; /* as for splice_init() */
};

/* Borrows all. NULL without memory. */
struct upstream *upstream_open(const struct upstream_how *how, const struct segments_feed *feed);
void upstream_close(struct upstream **u); /* accepts NULL there */

/* From here on somebody else is given what comes. */
void upstream_feed(struct upstream *u, const struct segments_feed *feed);

/* Connects to the token's address; `source` stays. Fails: as fetcher_start(). */
int upstream_start(struct upstream *u, const struct conf_source *source, const struct token *token,
	struct row *row, struct fail *f);
void upstream_stop(struct upstream *u); /* without on_end; what was fetched goes on being given */

/* The next connection is to another source. */
void upstream_forget(struct upstream *u);

/* Does what is due, connected or not; gives the time until it wants to be called again, at most
 * `most_ms`. Callbacks come from here and from fetcher_poll(). */
int upstream_step(struct upstream *u, int most_ms);

/* Whether something was fetched that waits for its time; and giving that at once. */
bool upstream_waits(const struct upstream *u);
void upstream_flush(struct upstream *u);

bool upstream_is_on(const struct upstream *u);	     /* connected, or between two requests */
bool upstream_is_proven(const struct upstream *u);   /* media has come with this token */
const char *upstream_kind(const struct upstream *u); /* "ts", "hls" */

#endif
