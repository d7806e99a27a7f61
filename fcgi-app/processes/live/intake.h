/* fcgi-app/processes/live/intake.h - a channel's upstream: found, fetched, and fetched again.
 * SPDX-License-Identifier: BSD-2-Clause
 * Puts one clean MPEG-TS into a ring, whatever happens upstream: cuts, refusals, dead tokens,
 * silence, a web page, clocks that jump. One connection at a time; the old one is closed before the
 * next begins. */
#ifndef SLUICE_PROCESSES_LIVE_INTAKE_H
#define SLUICE_PROCESSES_LIVE_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/live/probe.h"
#include "fcgi-app/processes/live/supply.h"
#include "fcgi-app/processes/live/upstream.h"
#include "lib/base/fail.h"
#include "lib/hls/ring.h"
#include "lib/hls/splice.h"
#include "lib/hls/ts.h"
#include "lib/io/spool.h"
#include "lib/svc/live_reason.h"

struct conf;
struct live_state;
struct mc;

struct intake {
	const struct conf *conf;
	const char *id;
	struct supply supply;
	struct probe probe; /* of an origin that comes first, while another one is read */
	struct fetcher *fetcher;
	struct ring *ring;
	struct spool *spool; /* gets the same, for viewers of the stream itself; NULL: nobody */
	bool encoded;	     /* the ring has a reader */
	int64_t joining_ms;  /* since when it waits for what a decoder can begin with; 0: not */
	int64_t zero_us;     /* of the stream, when it began */
	struct ts ts;
	struct splice splice;
	struct splice_shape packed; /* what the packets in the ring are packets of */

	int height; /* of the picture that is wanted at most: no variant above it is of use */
	struct upstream *upstream;		   /* owned */
	const struct origin *joined;		   /* of the last connection; NULL: none yet */
	struct row *row;			   /* counts for the source that it asks */
	int64_t next_try_ms, backoff_ms, tried_ms; /* the last one: real */
	int64_t began_ms, flowing_ms, last_ms; /* of the connection; first and latest media; or 0 */
	int64_t giving_ms, given_ms; /* what went into the ring: since the last pause; latest */
	int64_t skipped_before;
	int failures;				     /* in a row */
	bool hopeless;				     /* begun with a token that was dead already */
	int in_vain;				     /* attempts since media came */
	char told[sizeof(((struct fail *)0)->text)]; /* in the log, last */
	struct fail refused;			     /* why this transfer was stopped by us */
	struct fail lost;	 /* why the last connection ended; FAIL_NONE: it flows */
	struct fail why;	 /* what keeps media from coming; FAIL_NONE while it comes */
	enum live_reason reason; /* the same in a word */
};

/* Borrows all; the caller sets in->fetcher, ring and height before the first step, and before each
 * one `spool` and `encoded`. Fails: as
 * supply_open(). */
int intake_open(struct intake *in, const struct conf *conf, const struct lease_env *env,
	const char *id, struct fail *f);

/* Does what is due: asks for a token, connects. Gives the time until it wants to be called again,
 * at most `most_ms`. Transfers go on in fetcher_poll(). */
int intake_step(struct intake *in, int most_ms);

/* From where it comes, into the channel's record. */
void intake_tell(const struct intake *in, struct live_state *s);

void intake_stop(struct intake *in);

/* Ends it for good. Accepts a zeroed one. */
void intake_release(struct intake *in);

#endif
