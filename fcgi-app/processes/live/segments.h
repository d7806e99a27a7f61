/* fcgi-app/processes/live/segments.h - an HLS upstream, given on as MPEG-TS in real time.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: RFC 8216. Its playlists are asked for again and again, its segments fetched in order. One
 * request at a time, each on a connection of its own. What was fetched goes on being given when the
 * connection has failed, and the next one goes on where it ended: viewers do not see it as long as
 * something is there. */
#ifndef SLUICE_PROCESSES_LIVE_SEGMENTS_H
#define SLUICE_PROCESSES_LIVE_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/live/errand.h"
#include "lib/hls/reservoir.h"
#include "lib/io/fetch.h"

struct segments_feed {
	struct reservoir_feed to;
	void (*on_end)(void *ctx, const struct upstream_end *end); /* ctx of `to` */
};

struct segments;

/* `id` names the channel in the log; pictures of more than `height` lines are of no use (0: sound
 * is enough); `languages` as for splice_init(). Borrows all. NULL without memory. */
struct segments *segments_open(struct fetcher *fetcher, const char *id, int height,
	const char *languages, const struct segments_feed *feed);
void segments_close(struct segments **s); /* accepts NULL there */

/* A connection begins. `text` is the playlist that `base` answered when `url` was asked for; `like`
 * says how to ask, and what it points to stays until the connection ends. May end it at once. */
void segments_begin(struct segments *s, const struct fetch_request *like, const char *url,
	const char *base, struct span text);

/* Does what is due; gives the time until there is something again, at most `most_ms`. Not to be
 * called from within its callbacks. */
int segments_step(struct segments *s, int most_ms);

void segments_stop(struct segments *s);	  /* the connection, without on_end */
void segments_forget(struct segments *s); /* the next one is to another list */
void segments_flush(struct segments *s);  /* gives all that waits, at once */

bool segments_waits(const struct segments *s);	   /* something was fetched and not yet given */
bool segments_is_proven(const struct segments *s); /* the connection has given a segment */

#endif
