/* lib/io/watch.h - tells when something below a directory has changed.                   inotify(7)
 * SPDX-License-Identifier: BSD-2-Clause
 * Every directory is watched for itself, and the kernel allows so many of them only: what is not
 * watched has to be looked through from time to time. Nothing is kept of a directory but the
 * watch. */
#ifndef SLUICE_IO_WATCH_H
#define SLUICE_IO_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"

struct watch;

/* Fails: FAIL_BUSY when the kernel has no more of them. */
int watch_open(struct watch **out, struct fail *f);
void watch_close(struct watch **w);

/* To be polled: readable when something has happened. */
int watch_fd(const struct watch *w);

/* Watches `top` and what lies below it, as deep as WATCH_DEPTH_MAX, without hidden names and
 * without following links; what is watched already stays so. At most `most` directories. Gives how
 * many; in *all whether these are all. Fails: FAIL_MISSING when there is no such directory. */
enum { WATCH_DEPTH_MAX = 16 };
int64_t watch_tree(struct watch *w, const char *top, int64_t most, bool *all, struct fail *f);

struct watch_news {
	bool changed; /* a file that `wanted` knows, or a directory, is new, another, or gone */
	bool removed; /* one of these was removed or moved away */
	bool lost;    /* more may have happened: the queue ran over, or the top itself is gone */
};

/* Takes what has happened. `wanted` is asked for names of files. */
void watch_take(struct watch *w, bool (*wanted)(const char *name), struct watch_news *news);

#endif
