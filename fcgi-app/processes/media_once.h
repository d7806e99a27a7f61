/* fcgi-app/processes/media_once.h - one job of sluice-media, started for it alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_MEDIA_ONCE_H
#define SLUICE_PROCESSES_MEDIA_ONCE_H

#include "lib/base/fail.h"
#include "lib/io/media_job.h"

/* Has it done, and waits for that at most job->wall_ms and a little. Its limits are set here.
 * Fails: as the job; FAIL_BUSY when it cannot be started; FAIL_UPSTREAM when it died over it. */
int media_once(
	const char *program, struct media_job *job, const int fds[MEDIA_FDS], struct fail *f);

#endif
