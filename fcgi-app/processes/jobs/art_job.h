/* fcgi-app/processes/jobs/art_job.h - fetches a picture, has it scaled, and publishes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_JOBS_ART_JOB_H
#define SLUICE_PROCESSES_JOBS_ART_JOB_H

#include <stdint.h>

struct board;
struct conf;

/* Body of a short-lived process; `line` as art_line() makes it, for `client`. Returns the exit
 * status. */
int art_job_run(const struct conf *conf, struct board *board, uint64_t client, const char *line);

#endif
