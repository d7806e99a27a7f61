/* fcgi-app/processes/live/slate.h - when a channel shows why it has nothing else to show.
 * SPDX-License-Identifier: BSD-2-Clause
 * A slate is repeated in real time as long as its reason lasts, each time as a segment of its own,
 * and stands between discontinuities. */
#ifndef SLUICE_PROCESSES_LIVE_SLATE_H
#define SLUICE_PROCESSES_LIVE_SLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/live/playout.h"

struct slate {
	enum live_reason shown; /* LIVE_WELL: none */
	int64_t times;		/* that it was shown */
	int64_t due_ms, end_ms; /* monotonic: the next one; when all that were listed are over */
	bool missing;		/* there are no files of it; said once */
};

/* Milliseconds until slate_step() has something to do, at most `most_ms`. `since_ms`: when the
 * channel began; `hopeful`: media comes and will be out soon. */
int slate_wait(const struct slate *s, const struct playout *p, enum live_reason reason,
	int64_t since_ms, bool hopeful, int most_ms);

/* Adds the slate for `reason` to the list when it is due. */
void slate_step(struct slate *s, struct playout *p, enum live_reason reason, int64_t since_ms,
	bool hopeful);

/* The channel has something better: the next slate is a new one. */
void slate_end(struct slate *s);

#endif
