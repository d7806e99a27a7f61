/* fcgi-app/processes/live/probe.h - whether an earlier origin is well again, while another plays.
 * SPDX-License-Identifier: BSD-2-Clause
 * A second connection, on an account's connection of its own, is read beside the first. When media
 * has come for two seconds it can be taken over, from its first byte on: viewers never see the
 * attempt. */
#ifndef SLUICE_PROCESSES_LIVE_PROBE_H
#define SLUICE_PROCESSES_LIVE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/live/supply.h"
#include "fcgi-app/processes/live/upstream.h"
#include "lib/base/buf.h"
#include "lib/hls/ts.h"

enum { PROBE_SEAMS = 64 };

struct probe {
	struct supply *supply;
	struct fetcher *fetcher;
	const struct origin *origin; /* that is tried; NULL: none */
	struct token token;
	struct lease *slot;
	int height;		   /* of the picture that is wanted at most */
	struct upstream *upstream; /* owned; NULL: none */
	struct ts ts;
	struct buf bytes; /* all that has come */
	struct {	  /* and what lay before it */
		size_t at;
		enum seam seam;
	} seams[PROBE_SEAMS];
	size_t seam_count;
	struct fail why; /* of an attempt that failed */
	int64_t began_ms, asked_ms, flowing_ms, next_ms;
};

void probe_init(struct probe *p, struct supply *supply);
void probe_pause(struct probe *p); /* gives an attempt up: nothing plays that it is better than */
void probe_stop(struct probe *p);  /* for good; accepts a zeroed one */

/* Does what is due, while a later origin plays; `fetcher` runs its transfers. True when the attempt
 * has succeeded: p->origin, p->token and p->slot are there to be taken, by probe_take(). */
bool probe_step(struct probe *p, struct fetcher *fetcher, int height);

/* Hands the connection over, which the caller owns from here on: all that comes is given to `feed`.
 * The caller takes the slot. */
struct upstream *probe_take(struct probe *p, const struct segments_feed *feed);

/* Gives what had come by then. */
void probe_give(const struct probe *p, const struct reservoir_feed *to);

#endif
