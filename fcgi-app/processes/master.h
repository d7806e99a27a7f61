/* fcgi-app/processes/master.h - `sluice serve`: owns the sockets, keeps the processes running.
 * SPDX-License-Identifier: BSD-2-Clause
 * One thread, no requests, no outside bytes. SIGHUP reloads (also to a new program file) without a
 * failed request: the new configuration is checked by a child, then the master becomes the new
 * image, keeping its pid, the listening sockets and all children; new workers start, and only when
 * they are ready the old ones are told to finish. SIGTERM stops. */
#ifndef SLUICE_PROCESSES_MASTER_H
#define SLUICE_PROCESSES_MASTER_H

#include "fcgi-app/processes/handover.h"

struct conf;

/* What waits for the service to be there: called once with NULL when it is ready, or with the
 * reason why it will not be. */
struct master_waiter {
	void (*tell)(void *ctx, const struct fail *why);
	void *ctx;
};

/* Runs until it is stopped; 0 then. `given` is what an older image handed over, or NULL. Takes
 * conf. Fails: when it cannot start, with nothing left behind. */
int master_run(struct conf *conf, const struct program *self, const struct handover *given,
	const struct master_waiter *waiter, struct fail *f);

#endif
