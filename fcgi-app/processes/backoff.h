/* fcgi-app/processes/backoff.h - when a process that ended is started again.
 * SPDX-License-Identifier: BSD-2-Clause
 * At once, unless it died soon after its start: then after 100 ms, doubled each time, up to 10 s.
 * One that had got to work is there again after 20 ms, for the next will get there too. */
#ifndef SLUICE_PROCESSES_BACKOFF_H
#define SLUICE_PROCESSES_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_LIVED_MS = 1000,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MOST_MS = 10000,
	BACKOFF_WORKED_MS = 20
};

struct backoff {
	int64_t started_ms, due_ms; /* monotonic */
	int early;		    /* deaths in a row that came soon */
};

static inline void backoff_start(struct backoff *b, int64_t now_ms)
{
	b->started_ms = now_ms;
}

/* `worked`: it had told that it is ready. */
static inline void backoff_end(struct backoff *b, int64_t now_ms, bool worked)
{
	int64_t wait_ms = BACKOFF_FIRST_MS;

	b->due_ms = now_ms;
	if (now_ms - b->started_ms >= BACKOFF_LIVED_MS) {
		b->early = 0;
		return;
	}
	if (worked) {
		b->early = 0;
		b->due_ms += BACKOFF_WORKED_MS;
		return;
	}
	for (int i = 0; i < b->early && wait_ms < BACKOFF_MOST_MS; i++)
		wait_ms *= 2;
	b->early++;
	b->due_ms += wait_ms < BACKOFF_MOST_MS ? wait_ms : BACKOFF_MOST_MS;
}

#endif
