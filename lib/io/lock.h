/* lib/io/lock.h - one process at a time, by a locked file that names it.                  flock(2)
 * SPDX-License-Identifier: BSD-2-Clause
 * The lock lasts as long as the descriptor (and its copies in children) is open: a process that
 * died holds nothing, whatever its file says. */
#ifndef SLUICE_IO_LOCK_H
#define SLUICE_IO_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/fail.h"

/* Locks `path`, made if it is missing, and writes our pid into it.
 * Fails: FAIL_CONFLICT when another process has it, naming its pid; FAIL_INTERNAL. */
int lock_take(const char *path, int *fd, struct fail *f);

/* Goes on with `fd`, which whoever started us opened at `path` and locked: our pid is written into
 * it. False when it is no such descriptor; it is left alone then. */
bool lock_adopt(const char *path, int fd);

/* Removes the file and gives the lock back. */
void lock_drop(const char *path, int *fd);

/* The pid of the process that has the lock now; 0 when none has. */
pid_t lock_holder(const char *path);

#endif
