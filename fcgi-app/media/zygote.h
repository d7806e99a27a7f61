/* fcgi-app/media/zygote.h - forks one child for each job, ready to work and unable to do harm.
 * SPDX-License-Identifier: BSD-2-Clause
 * A child has the job's descriptors and nothing else: no file, address or process can be named from
 * there (sandbox_enter_bare()), its memory, processor time and output are limited, and it dies with
 * the zygote, which dies with the packager. The next children are forked ahead and wait for their
 * jobs under the name ZYGOTE_SPARE; each child does one job and ends. */
#ifndef SLUICE_MEDIA_ZYGOTE_H
#define SLUICE_MEDIA_ZYGOTE_H

#include "lib/base/fail.h"
#include "lib/io/media_job.h"

#define ZYGOTE_SPARE "media-spare"

enum {
	ZYGOTE_CHILDREN_MAX = 96, /* a job above that is MEDIA_FAILED with FAIL_BUSY */
	ZYGOTE_SPARES = 5 /* a film begins so: its index, what picture and sound begin with, both */
};

/* Does the job's work in its child, where fds[] are those of enum media_fd (-1 for one that did not
 * come). Fails with what the viewer is told; nothing needs to be given back. */
typedef int zygote_work(const struct media_job *job, const int fds[MEDIA_FDS], struct fail *f);

/* Takes jobs from `socket` and answers them until its other end is gone. A single-threaded
 * process's whole life; gives its exit status. */
int zygote_run(int socket, zygote_work *work);

#endif
