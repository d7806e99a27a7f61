/* fcgi-app/processes/worker.h - a process of the api or relay pool.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_WORKER_H
#define SLUICE_PROCESSES_WORKER_H

#include "lib/base/fail.h"

struct board;
struct conf;

/* Answers requests that come to `listen_fd`, a listening socket shared with other processes,
 * until SIGTERM; then finishes those at work, for at most 10 s. `pool` is "api", "relay" or "all"
 * and decides the number of threads. This process stands on the board already; board_ready() says
 * when it takes requests. All that is passed stays the caller's. Returns the exit status: 0 after
 * a stop, 1 when it could not work, which has been logged. */
int worker_run(const struct conf *conf, const char *pool, int listen_fd, struct board *board);

/* Answers the one request of a CGI program. Fails: as app_open(), with nothing answered. */
int worker_cgi(const struct conf *conf, struct board *board, struct fail *f);

#endif
