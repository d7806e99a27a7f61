/* fcgi-app/processes/signals.h - what the loops that start processes are told by signals.
 * SPDX-License-Identifier: BSD-2-Clause
 * One descriptor to be polled: it is readable after SIGTERM, SIGINT, SIGHUP and SIGCHLD. */
#ifndef SLUICE_PROCESSES_SIGNALS_H
#define SLUICE_PROCESSES_SIGNALS_H

#include <stdbool.h>

#include "lib/base/fail.h"

/* Blocks these signals, ignores SIGPIPE, and opens the descriptor; the caller closes it.
 * Fails: FAIL_INTERNAL. */
int signals_open(int *fd, struct fail *f);

/* Takes what came: *stop becomes true for SIGTERM and SIGINT, *renew for SIGHUP. Who has ended is
 * for the caller to look at. */
void signals_take(int fd, bool *stop, bool *renew);

#endif
