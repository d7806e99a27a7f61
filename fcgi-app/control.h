/* fcgi-app/control.h - `sluice stop`, `reload`, `status`, `memstat`: a service, from outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_CONTROL_H
#define SLUICE_CONTROL_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/fail.h"

struct conf;

/* All but the last fail with FAIL_MISSING when nothing runs in run_dir, and print what they did to
 * `to`. */

/* Waits until the service is gone. Without a master that is the supervisor with its children: the
 * front server would start workers again. Fails: FAIL_TIMEOUT after 40 s. */
int control_stop(const struct conf *conf, FILE *to, struct fail *f);

/* Waits until the new workers have taken over. Without a master one worker after the other finishes
 * and leaves its place to what the front server starts then. Fails: FAIL_CONFLICT when the service
 * refused, FAIL_TIMEOUT after 40 s. */
int control_reload(const struct conf *conf, FILE *to, struct fail *f);

/* Version, uptime, every process with its age, memory and requests, and the totals. */
int control_status(const struct conf *conf, FILE *to, struct fail *f);

/* What every memcached server tells of itself and our families of keys, as a table or as the JSON
 * of GET /api/stats/cache. Servers that are away are said to be so. Fails: FAIL_INPUT for a bad
 * list of servers. */
int control_memstat(const struct conf *conf, bool json, FILE *to, struct fail *f);

#endif
