/* fcgi-app/processes/packager/ahead.h - asks the disk for what a job will read.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PACKAGER_AHEAD_H
#define SLUICE_PROCESSES_PACKAGER_AHEAD_H

#include <stdint.h>

struct package_request;
struct record;

/* `source` is a film's file, of `size` bytes; `r` its record, NULL while its index is made. Does
 * not wait for the disk. */
void ahead_ask(int source, uint64_t size, const struct package_request *rq, const struct record *r);

#endif
