/* fcgi-app/processes/census.h - counts what is published, a little at a time.
 * SPDX-License-Identifier: BSD-2-Clause
 * Corrects the counters of the board, which drift when processes are killed and are lost when the
 * machine starts anew. What is published meanwhile is counted by who publishes it. Files that this
 * process did not remove itself while counting may make the result too large until the next time.
 * A file whose life ended without having been deleted (its list was lost) is deleted here. */
#ifndef SLUICE_PROCESSES_CENSUS_H
#define SLUICE_PROCESSES_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/svc/publish.h"
#include "lib/svc/store.h"

struct board;

struct census {
	bool running;
	enum publish_store store; /* which one is walked */
	struct store_walk walk;
	struct timespec began;	    /* by the clock that stamps files; they are new from then on */
	struct publish_count seen;  /* so far, of what was there when it began */
	struct publish_count then;  /* the counters when it began */
	struct publish_count freed; /* by this process since; the owner adds its own */
	int64_t lost;		    /* files without a life that were deleted */
};

/* Whether it is time: never counted, or a day ago, or the clock went back behind the last time. */
bool census_due(const struct board *board, int64_t now_ms);

/* False when the store cannot be read now. */
bool census_begin(struct census *c, struct publisher *p, struct board *board);

/* Goes on for about `budget_ms`. True when it has just ended and the counters are right. */
bool census_step(struct census *c, struct publisher *p, struct board *board, int64_t budget_ms);

/* Gives up without a result; accepts a zeroed one. */
void census_stop(struct census *c);

#endif
