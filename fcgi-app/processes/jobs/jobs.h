/* fcgi-app/processes/jobs/jobs.h - does what is asked for in the background.
 * SPDX-License-Identifier: BSD-2-Clause
 * Lines come in as lib/svc/jobs.h says; each is a task in a bounded queue, done by a short-lived
 * child of its own, so that nothing an upstream or a program does reaches further. The same line
 * twice is one task. It ends when nothing has been asked for a minute. */
#ifndef SLUICE_PROCESSES_JOBS_JOBS_H
#define SLUICE_PROCESSES_JOBS_JOBS_H

struct board;
struct conf;

enum {
	JOBS_QUEUE_MAX = 512, /* tasks, running ones included */
	JOBS_KIND_MAX = 256   /* of one kind: who floods one leaves room for the others */
};

/* Runs until SIGTERM or until it is idle; ends its children. Returns the exit status. */
int jobs_run(const struct conf *conf, struct board *board);

#endif
