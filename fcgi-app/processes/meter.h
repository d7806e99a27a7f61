/* fcgi-app/processes/meter.h - the meter: follows the front server's access log and sums it up.
 * SPDX-License-Identifier: BSD-2-Clause
 * A million lines take it about 0.7 s of a processor (t/33-meter.t prints how long they took), and
 * what it remembers does not grow with them. */
#ifndef SLUICE_PROCESSES_METER_H
#define SLUICE_PROCESSES_METER_H

#include <stdbool.h>

struct board;
struct conf;

/* Whether a log is connected: the setting access_log. */
bool meter_is_wanted(const struct conf *conf);

/* Runs until SIGTERM; returns the exit status. Whatever is wrong with the log or the sums is tried
 * again each second, and stands in the log once. */
int meter_run(const struct conf *conf, struct board *board);

#endif
