/* fcgi-app/processes/jobs/music_job.h - music made smaller or of another format, and published.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_JOBS_MUSIC_JOB_H
#define SLUICE_PROCESSES_JOBS_MUSIC_JOB_H

#include <stdint.h>

struct board;
struct conf;

enum { MUSIC_WALL_MS = 600000 };

/* Body of a short-lived process; `line` as music_line() makes it. Returns the exit status. */
int music_job_run(const struct conf *conf, struct board *board, uint64_t client, const char *line);

#endif
