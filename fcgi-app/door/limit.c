/* fcgi-app/door/limit.c - at most so many requests at work in a process.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/limit.h"

#include <time.h>

#include "lib/base/must.h"

void limit_open(struct limit *l, int most)
{
	pthread_condattr_t attr;

	*l = (struct limit){.most = most};
	must(pthread_mutex_init(&l->lock, NULL) == 0);
	must(pthread_condattr_init(&attr) == 0);
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(&l->room, &attr) == 0);
	pthread_condattr_destroy(&attr);
}

bool limit_enter(struct limit *l)
{
	bool room;

	pthread_mutex_lock(&l->lock);
	room = l->at_work < l->most;
	l->at_work += room;
	pthread_mutex_unlock(&l->lock);
	return room;
}

bool limit_wait(struct limit *l, int wait_ms)
{
	struct timespec until;
	bool room;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&l->lock);
	while (!l->full && l->at_work >= l->most)
		l->full = pthread_cond_timedwait(&l->room, &l->lock, &until) != 0 &&
			  l->at_work >= l->most;
	room = l->at_work < l->most;
	l->at_work += room;
	pthread_mutex_unlock(&l->lock);
	return room;
}

void limit_leave(struct limit *l)
{
	pthread_mutex_lock(&l->lock);
	l->at_work--;
	l->full = false;
	pthread_cond_signal(&l->room);
	pthread_mutex_unlock(&l->lock);
}
