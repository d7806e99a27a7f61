/* fcgi-app/media/work.h - a job's work, in its child: from descriptors to lib/av and back.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_MEDIA_WORK_H
#define SLUICE_MEDIA_WORK_H

#include "lib/base/fail.h"
#include "lib/io/media_job.h"

/* Once, before any job: what all of them need is loaded. */
void work_begin(void);

/* As zygote_work says. */
int work_do(const struct media_job *job, const int fds[MEDIA_FDS], struct fail *f);

#endif
