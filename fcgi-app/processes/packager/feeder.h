/* fcgi-app/processes/packager/feeder.h - a film at a gateway, fetched for all jobs that read it.
 * SPDX-License-Identifier: BSD-2-Clause
 * A process of its own, the only one that knows the film's address and account. It holds one of the
 * account's connections for as long as it lives (lib/svc/slot.h) and makes one request at a time:
 * an absolute part of the film, from the address that the source gives, never from where that led
 * the last time. Of what comes, status, part, size and validator must be right before a byte is
 * used. The parts read last are kept in memory, so that picture and sound of a segment are fetched
 * once. */
#ifndef SLUICE_PROCESSES_PACKAGER_FEEDER_H
#define SLUICE_PROCESSES_PACKAGER_FEEDER_H

#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/svc/title.h"

struct board;
struct conf;

/* What the packager says to a feeder that has said what the film is, a byte each. It ends, too,
 * when nobody has read for FEEDER_IDLE_MS, when the film has changed, or the packager is gone. */
enum feeder_order {
	FEEDER_JOB = 'j',	/* with the socket of one that reads (lib/io/feed.h) */
	FEEDER_NOTED_JOB = 'n', /* the same; what it reads is noted, */
	FEEDER_KEEP = 'k',	/* and kept here: others will read it again */
	FEEDER_GIVE_WAY = 'w'	/* end, if nobody reads just now */
};

/* The first message from a feeder: what the film is, or why it cannot be had. */
struct feeder_news {
	struct record_validator film;
	uint32_t kind; /* enum fail_kind */
	char text[200];
};

enum { FEEDER_IDLE_MS = 8000, FEEDER_CHANGED = 3 /* exit status */ };

struct feeder_start {
	const struct conf *conf;
	struct board *board;
	struct title title;
	uint64_t viewer; /* a number for who wants it: lib/svc/viewers.h; 0: not known */
	uint64_t first;	 /* where in the film reading will begin, as far as one can tell */
	int control;	 /* SOCK_SEQPACKET to the packager */
};

/* Its body; gives the exit status. */
int feeder_run(const struct feeder_start *start);

#endif
