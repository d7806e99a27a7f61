/* fcgi-app/door/limit.h - at most so many requests at work in a process.
 * SPDX-License-Identifier: BSD-2-Clause
 * Threads come in and leave; one that finds no room may wait for it a little. Where one has waited
 * in vain the next ones do not, until somebody has left. */
#ifndef SLUICE_DOOR_LIMIT_H
#define SLUICE_DOOR_LIMIT_H

#include <pthread.h>
#include <stdbool.h>

struct limit {
	pthread_mutex_t lock; /* guards what follows; nothing is taken under it */
	pthread_cond_t room;  /* at_work became less */
	int at_work, most;
	bool full; /* somebody has waited in vain, and nobody has left since */
};

void limit_open(struct limit *l, int most);

/* True: limit_leave() must follow. */
bool limit_enter(struct limit *l);
bool limit_wait(struct limit *l, int wait_ms);
void limit_leave(struct limit *l);

#endif
