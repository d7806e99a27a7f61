/* lib/io/child.h - child processes that cannot outlive us.              prctl(2), pidfd_open(2)
 * SPDX-License-Identifier: BSD-2-Clause
 * Every child is killed by the kernel when its parent dies, however that happens, leads a process
 * group of its own, and starts with all signals unblocked and at their defaults. Only processes
 * with a single thread start children: the kernel's rule is about the thread that forked. */
#ifndef SLUICE_IO_CHILD_H
#define SLUICE_IO_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"

struct child {
	pid_t pid;
	int pidfd; /* readable when it has ended; -1 when there is none */
};

struct child_fd {
	int from, to; /* ours, and the number the child sees, 3 or more */
};

struct child_limits {
	int64_t as_bytes, cpu_s, fsize_bytes, nofile; /* 0: as we have it ourselves */
	int64_t data_bytes; /* of memory of its own that it can write to; what it only reserves is
			     * free, as programs need that run JavaScript */
};

struct child_spec {
	const char *const
		*argv;		/* ends in NULL; argv[0] is looked up in PATH unless it has a '/' */
	const char *const *env; /* ends in NULL; the whole of its environment. NULL: PATH alone */
	int stdin_fd, stdout_fd, stderr_fd; /* -1: /dev/null */
	const struct child_fd *fds;	    /* more descriptors; every other one is closed */
	size_t fd_count;		    /* at most 8 */
	struct child_limits limits; /* those of memory have no effect in a sanitizer build */
	bool no_network; /* EPERM for sockets, ptrace, mount and the like; see child_can_filter() */
	int nice;
};

/* Starts a program. Fails: FAIL_MISSING when it cannot be executed, FAIL_INTERNAL otherwise;
 * no process is left then. */
int child_start(const struct child_spec *spec, struct child *out, struct fail *f);

/* Starts a process of our own: a copy of this one that calls run(ctx) with the log's role set and
 * ends with what that returns (0 to 125). It keeps all descriptors; run() closes what it does not
 * want. Fails: FAIL_INTERNAL. */
int child_fork(
	int (*run)(void *ctx), void *ctx, const char *role, struct child *out, struct fail *f);

/* Sends a signal to its whole process group; nothing happens when it has been reaped. */
void child_kill(const struct child *c, int signal);

/* True when it has ended: it is reaped, *c is emptied, and *status (which may be NULL) is its exit
 * status, or 128 + the signal that ended it. False while it runs. Never waits. */
bool child_reap(struct child *c, int *status);

/* As child_reap() after waiting at most `wait_ms` of real time. */
bool child_wait(struct child *c, int64_t wait_ms, int *status);

/* Whether no_network has an effect: on x86_64 and aarch64, except in sanitizer builds. */
bool child_can_filter(void);

#endif
