/* fcgi-app/door/aside.c - a thread for one answer that lasts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/aside.h"

#include <pthread.h>
#include <stdlib.h>

enum { STACK_BYTES = 512 * 1024 };

struct aside {
	atomic_int *count;
	void (*run)(void *ctx);
	void *ctx;
};

static void *thread_main(void *arg)
{
	struct aside a = *(struct aside *)arg;

	free(arg);
	a.run(a.ctx);
	atomic_fetch_sub(a.count, 1);
	return NULL;
}

bool aside_start(atomic_int *count, void (*run)(void *ctx), void *ctx)
{
	struct aside *a = malloc(sizeof(*a));
	pthread_attr_t attr;
	pthread_t thread;
	bool good;

	if (!a)
		return false;
	*a = (struct aside){count, run, ctx};
	atomic_fetch_add(count, 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	good = pthread_create(&thread, &attr, thread_main, a) == 0;
	pthread_attr_destroy(&attr);
	if (!good) {
		atomic_fetch_sub(count, 1);
		free(a);
	}
	return good;
}
