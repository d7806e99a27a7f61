/* lib/io/capture.h - a program that is run to its end for what it prints.
 * SPDX-License-Identifier: BSD-2-Clause
 * The program gets a clean environment, no input and no descriptor but its output, and is bounded
 * in time, memory, files and what it may print. Nothing of it is left when the call returns: not
 * what it started either, whatever group or session that went to, and not when the caller is killed
 * meanwhile. For short-lived processes of one thread: the caller becomes the parent of what its
 * program leaves behind (PR_SET_CHILD_SUBREAPER). */
#ifndef SLUICE_IO_CAPTURE_H
#define SLUICE_IO_CAPTURE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"

struct capture {
	const char *const *argv; /* ends in NULL; argv[0] is looked up in PATH */
	int64_t wait_ms,
		memory_bytes; /* of each process: what it writes to, not what it reserves */
	pid_t spare;	      /* a child of the caller's that is not to be ended; 0: none */
	const char *proxy;    /* the URL (lib/io/guard.h) through which it is to go; NULL: none */
	struct buf *out;      /* what it prints, at most out->max */
	char said[160];	      /* the last line on its standard error that says something, cut */
};

/* 0 when it ended well within its bounds. Fails: FAIL_UPSTREAM when it cannot be started, ended
 * badly or printed too much, FAIL_TIMEOUT when it took too long, FAIL_INTERNAL. */
int capture_run(struct capture *c, struct fail *f);

#endif
