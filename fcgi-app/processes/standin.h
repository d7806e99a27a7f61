/* fcgi-app/processes/standin.h - a supervisor that runs without a master.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_STANDIN_H
#define SLUICE_PROCESSES_STANDIN_H

#include <sys/types.h>

#include "lib/base/fail.h"

struct conf;

/* What one that was started on demand works on, on the board. */
#define STANDIN_NAME "on demand"

/* Ends one that was started on demand, because a master begins that brings its own. 0 also when
 * there was none. Fails: FAIL_TIMEOUT. */
int standin_dismiss(const struct conf *conf, struct fail *f);

/* Ends the supervisor, whichever it is, and waits for it. Its pid, 0 when there was none, -1 when
 * it stays: FAIL_FORBIDDEN, FAIL_TIMEOUT. */
pid_t standin_end(const struct conf *conf, struct fail *f);

#endif
