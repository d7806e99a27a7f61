/* fcgi-app/processes/crew.h - the master's children: workers of both pools, and the supervisor.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_CREW_H
#define SLUICE_PROCESSES_CREW_H

#include <stdbool.h>

#include "fcgi-app/processes/backoff.h"
#include "fcgi-app/processes/handover.h"
#include "lib/io/child.h"

struct board;
struct conf;

enum crew_role { CREW_API, CREW_RELAY, CREW_SUPERVISOR };

enum { CREW_MAX = HANDOVER_CHILDREN };

struct crew_member {
	enum crew_role role;
	struct child child; /* pid 0: to be started */
	struct backoff backoff;
	bool old;     /* of an image before this one: it ends and is not replaced */
	bool watched; /* it has not been ready yet */
};

struct crew {
	const struct conf *conf;
	struct board *board;
	const struct program *self;
	int listen_fd[2]; /* CREW_API, CREW_RELAY */
	int ours[2];	  /* further descriptors of the master, which no child keeps */
	struct crew_member member[CREW_MAX];
	size_t count;
};

void crew_init(struct crew *c);

/* Takes over a child of an older image: workers as old, the supervisor, which is told to renew
 * itself, as ours. */
void crew_adopt(struct crew *c, const char *role, pid_t pid);

/* All that run, for the next image. */
void crew_list(const struct crew *c, struct handover *h);

/* Starts who is missing and whose back-off is over. Fails: FAIL_INTERNAL; tried again next time. */
int crew_fill(struct crew *c, struct fail *f);

/* Milliseconds until crew_fill() has something to start; at most `most_ms`. */
int crew_wait_ms(const struct crew *c, int most_ms);

/* Takes note of who has ended. True when one did that had not become ready, with *why. */
bool crew_reap(struct crew *c, struct fail *why);

/* Whether all of this image take requests or do their work. */
bool crew_is_ready(struct crew *c);

/* Whether anybody answers requests of that pool. */
bool crew_has_pool(const struct crew *c, enum crew_role role);

/* Tells the old ones to finish and leave. */
void crew_dismiss_old(struct crew *c);

/* Ends the workers, or the supervisor, waiting for them at most `wait_ms`, then by force. */
void crew_end(struct crew *c, bool supervisor, int64_t wait_ms);

#endif
