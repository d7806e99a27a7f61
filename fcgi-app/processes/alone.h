/* fcgi-app/processes/alone.h - `sluice fcgi`: a worker that a front server starts itself.
 * SPDX-License-Identifier: BSD-2-Clause
 * Descriptor 0 is a listening socket (lighttpd's bin-path, mod_fcgid, systemd): one process with
 * the threads of its pool, until SIGTERM or SIGUSR1. Where there is a request in the environment
 * instead (RFC 3875), it is answered and the process ends. */
#ifndef SLUICE_PROCESSES_ALONE_H
#define SLUICE_PROCESSES_ALONE_H

#include <stdbool.h>

#include "lib/base/fail.h"

struct conf;

/* Whether a front server runs us as a CGI program, one request a process. */
bool alone_is_cgi(void);

/* Serves as `pool` ("api", "relay" or "all") says. Makes the directories that are missing; any
 * number of processes may start at once. Fails: FAIL_INPUT when no front server started us;
 * FAIL_INTERNAL. */
int alone_run(const struct conf *conf, const char *pool, struct fail *f);

/* As CGI, tells the client that there is no service; why, is for the log alone. */
void alone_refuse(void);

#endif
