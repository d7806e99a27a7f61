/* fcgi-app/processes/handover.h - a process becomes a newer image of itself and keeps what it has.
 * SPDX-License-Identifier: BSD-2-Clause
 * The pid stays, so all children stay children. Descriptors and the list of children pass through
 * the environment variable SLUICE_HANDOVER, which names the pid it is meant for. */
#ifndef SLUICE_PROCESSES_HANDOVER_H
#define SLUICE_PROCESSES_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"

enum { HANDOVER_FDS = 3, HANDOVER_CHILDREN = 512 };

/* How to start this program again. Both paths are absolute; what is there then is what runs. */
struct program {
	const char *path, *conf_path;
};

struct handover {
	int fd[HANDOVER_FDS]; /* -1: none; what each is, is the taker's business */
	size_t count;
	struct handover_child {
		pid_t pid;
		char role[16];
		char id[72]; /* may be "" */
	} child[HANDOVER_CHILDREN];
};

/* Reads what an older image of this process left, and removes it from the environment. False when
 * there is nothing for us. */
bool handover_take(struct handover *out);

/* Whether there is something for handover_take(). */
bool handover_waits(void);

/* Adds a child; nothing happens when there are too many, or pid is 0. */
void handover_add(struct handover *h, pid_t pid, const char *role, const char *id);

/* Executes `program -c conf_path command word`, without `word` where it is NULL. Returns only when
 * that failed (FAIL_INTERNAL), with everything as it was before. */
int handover_exec(const struct handover *h, const struct program *self, const char *command,
	const char *word, struct fail *f);

#endif
