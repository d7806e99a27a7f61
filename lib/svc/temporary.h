/* lib/svc/temporary.h - a file that is being written, before anybody can see it.
 * SPDX-License-Identifier: BSD-2-Clause
 * It has no name where the file system can do that, and is gone with its process then. Otherwise it
 * has a hidden one that says whose it is: ".tmp-{host}.{pid}.{start}.{n}", where `start` is when
 * the process began, in the kernel's ticks since the machine started. */
#ifndef SLUICE_SVC_TEMPORARY_H
#define SLUICE_SVC_TEMPORARY_H

#include <stdbool.h>
#include <stdint.h>

enum { TEMPORARY_NAME_BYTES = 160, TEMPORARY_AGE_S = 3600 };

/* Opens one for writing in the directory; `nameless` false: do not try without a name. `name` is ""
 * for one without. The caller closes it and unlinks a name. -1 with errno. */
int temporary_open(
	int dir, bool nameless, const char *host, unsigned n, char name[TEMPORARY_NAME_BYTES]);

/* Whether a file of that name, last changed `age_s` ago, is a temporary whose owner is gone: its
 * process on this host has ended, or it is older than TEMPORARY_AGE_S. */
bool temporary_is_orphan(const char *name, const char *host, int64_t age_s);

#endif
