/* lib/svc/jobs.h - asks this host's jobs process for work that nobody waits for in its place.
 * SPDX-License-Identifier: BSD-2-Clause
 * The process (fcgi-app/processes/jobs/jobs.h) listens at run_dir "/jobs.sock"; the supervisor
 * starts it when somebody asks. A number for the client, in hexadecimal digits, a blank and one
 * line are sent over a connection, and one word comes back. Of a kind of work one client, or nobody
 * in particular (0), has three quarters of the places at most, and who has the fewest goes first.
 * The lines:
 *   resolve own|page SOURCE KEY [QUALITY]
 *   prefetch ID QUALITY FORMAT        "-" for what was not said
 *   art ID SIZE
 *   music ID FORMAT QUALITY */
#ifndef SLUICE_SVC_JOBS_H
#define SLUICE_SVC_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"

struct conf;
struct resolve;

enum {
	JOBS_LINE_MAX = 256, /* bytes with the newline */
	JOBS_TEXT_MAX = JOBS_LINE_MAX + 17
};

/* The socket's path, and what the supervisor is asked with. */
bool jobs_socket(const struct conf *conf, char *to, size_t size);
#define JOBS_VERB "jobs"
#define JOBS_ID "url-all"

/* Says `line`, without a newline, and does not wait for the answer. False when nobody has heard it;
 * one is being started then: say it again soon. */
bool jobs_tell(const struct conf *conf, uint64_t client, const char *line);

/* Says it until it is heard, for at most `wait_ms`. 0: it will be done. Fails: FAIL_BUSY when the
 * queue is full or nobody answers. */
int jobs_ask(const struct conf *conf, uint64_t client, const char *line, int64_t wait_ms,
	struct fail *f);

/* The line of a resolution. */
void jobs_resolve_line(const struct resolve *what, char to[JOBS_LINE_MAX]);

#endif
