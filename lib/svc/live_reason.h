/* lib/svc/live_reason.h - why a channel has nothing to show, as viewers tell it apart.
 * SPDX-License-Identifier: BSD-2-Clause
 * A `struct fail` beside it says the same in a sentence, for this one time. */
#ifndef SLUICE_SVC_LIVE_REASON_H
#define SLUICE_SVC_LIVE_REASON_H

#include <stdbool.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum live_reason {
	LIVE_WELL,	  /* there is something */
	LIVE_BEGINS,	  /* nothing is wrong: it is too early */
	LIVE_SOURCE_DOWN, /* the source is silent, sends nonsense or says that it is broken */
	LIVE_LIMIT,	  /* the account has no connection left */
	LIVE_REFUSED,	  /* the account may not see it, or may see nothing any more */
	LIVE_UNKNOWN,	  /* the source does not know the channel */
	LIVE_MACHINE_BUSY /* this machine encodes as many channels as it can, or its disk is full */
};
enum { LIVE_REASONS = LIVE_MACHINE_BUSY + 1 };

/* "well", "starting", "source_down", "limit_reached", "not_allowed", "unknown", "machine_busy": in
 * JSON, in the log and in names of files. */
const char *live_reason_name(enum live_reason r);

/* The reason of that name; false for any other word. */
bool live_reason_parse(struct span word, enum live_reason *out);

/* What a failure to fetch from a source means. */
enum live_reason live_reason_of(const struct fail *f);

#endif
