/* fcgi-app/processes/live_feed.h - the one connection to a channel's source, kept up.
 * SPDX-License-Identifier: BSD-2-Clause
 * Takes the channel's token, fetches the stream, hands out whole transport packets, and when it
 * ends, stalls or was never one, tries again with growing pauses and, where that may help, a new
 * token. */
#ifndef SLUICE_PROCESSES_LIVE_FEED_H
#define SLUICE_PROCESSES_LIVE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/ts.h"
#include "lib/io/fetch.h"
#include "lib/svc/token.h"

struct conf;
struct mc;

struct feed {
	const struct conf *conf;
	struct mc *mc;
	const char *id;
	struct fetcher *fetcher;
	struct transfer *transfer; /* NULL: none runs */
	struct ts ts;
	struct buf out;	 /* whole packets that the encoder has not taken yet */
	struct fail why; /* what is wrong now; FAIL_NONE while bytes come */
	struct token token;
	bool stale_token;		       /* it stopped working: another one is needed */
	int64_t stale_resolved_ms;	       /* of that one */
	int64_t retry_ms;		       /* monotonic: not before */
	int64_t pause_ms;		       /* the next one's length */
	int64_t started_ms, data_ms, asked_ms; /* monotonic */
	int head_status;
};

/* Borrows all. Fails: FAIL_INTERNAL. */
int feed_open(
	struct feed *d, const struct conf *conf, struct mc *mc, const char *id, struct fail *f);
void feed_close(struct feed *d);

/* Starts a transfer when it is time and there is a token; asks for one otherwise. To be called
 * often. */
void feed_step(struct feed *d);

/* Writes what there is into `fd`, which does not block. False when nobody reads there any more. */
bool feed_drain(struct feed *d, int fd);

#endif
