/* lib/io/proc.h - what the system tells of a process, and its end.                      proc(5)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_PROC_H
#define SLUICE_IO_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"

struct proc_memory {
	int64_t resident;     /* bytes; 0 when it cannot be told: the process is gone */
	int64_t own;	      /* of it what is shared with nobody, about */
	int64_t data;	      /* bytes of heap and stacks, touched or not */
	int64_t proportional; /* PSS: shared pages by their part; -1 when we may not look */
};

/* Looks at `pid`. PSS costs as much as all the rest; it is left out (-1) unless `with_pss`. */
void proc_memory(pid_t pid, bool with_pss, struct proc_memory *out);

/* Time of processors that it has taken, in milliseconds; 0 when it cannot be told. */
int64_t proc_cpu_ms(pid_t pid);

/* How many descriptors it has open; -1 when we may not look. */
int64_t proc_descriptors(pid_t pid);

/* Asks `pid` to end (SIGTERM), and waits for that at most `wait_ms` of real time. 0 when it is
 * gone, as when it was so before. Fails: FAIL_FORBIDDEN for one of another user, FAIL_TIMEOUT. */
int proc_end(pid_t pid, int wait_ms, struct fail *f);

#endif
