/* fcgi-app/door/tally.h - counts every answer on the board, for /metrics and /health.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_DOOR_TALLY_H
#define SLUICE_DOOR_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/door/reply.h"

struct board;

/* The upper bounds of the histogram's ROUTE_BUCKETS - 1 buckets, in seconds, as text. */
extern const char *const tally_bounds[];

/* Counts the answer `r`, which took `us` microseconds, for the route of that log name ("none" where
 * there is none). `busy`: it was refused because the pool's limit was reached. Adds to a dozen
 * words of shared memory; takes no lock. */
void tally_request(
	struct board *b, const char *route, const struct reply *r, bool busy, int64_t us);

#endif
