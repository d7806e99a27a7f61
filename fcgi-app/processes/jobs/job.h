/* fcgi-app/processes/jobs/job.h - the kinds of work of the jobs process: a line of a table each.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_JOBS_JOB_H
#define SLUICE_PROCESSES_JOBS_JOB_H

#include <stdint.h>

struct board;
struct conf;

struct job {
	const char *name; /* on the board and in the log, and the first word of its lines */
	/* Its body, in a process of its own, which stands on the board. Returns the exit status: 0
	 * after a good end. `client` is who asked for it (lib/svc/jobs.h). */
	int (*run)(const struct conf *conf, struct board *board, uint64_t client, const char *line);
	int64_t (*most)(const struct conf *conf); /* at once */
	int64_t (*bound_ms)(
		const struct conf *conf); /* how long it may take by its own reckoning */
};

/* What does `line`; NULL for one that makes no sense. */
const struct job *job_find(const struct conf *conf, const char *line);

#endif
