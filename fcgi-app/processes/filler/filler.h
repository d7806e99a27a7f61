/* fcgi-app/processes/filler/filler.h - fills the byte cache.
 * SPDX-License-Identifier: BSD-2-Clause
 * The one process of a host that asks upstreams for what readers want of objects (lib/svc/fill.h).
 * The supervisor starts it when somebody asks; it ends after a minute without readers. It may be
 * killed at any instant: its readers come back, and another one goes on where it was. */
#ifndef SLUICE_PROCESSES_FILLER_FILLER_H
#define SLUICE_PROCESSES_FILLER_FILLER_H

struct board;
struct conf;

/* Runs until SIGTERM, or until nobody has wanted anything for a minute. The exit status. */
int filler_run(const struct conf *conf, struct board *board);

#endif
