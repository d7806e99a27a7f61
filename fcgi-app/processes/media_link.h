/* fcgi-app/processes/media_link.h - the packager's sluice-media: started, asked, and started again.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_MEDIA_LINK_H
#define SLUICE_PROCESSES_MEDIA_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/io/child.h"
#include "lib/io/media_job.h"

struct media_link {
	const char *program;
	struct child zygote;
	int socket; /* -1: none runs */
	int early;  /* how often in a row it ended soon after its start */
	int64_t begun_us, due_us;
};

void media_link_init(struct media_link *m, const char *program);

/* Ends it with all its children. */
void media_link_close(struct media_link *m);

/* Whether it ended just now, and is started again in a moment. */
bool media_link_pauses(const struct media_link *m, int64_t now_us);

/* Starts it where none runs. Fails: FAIL_BUSY when it cannot be started, or ended too often just
 * now. */
int media_link_start(struct media_link *m, int64_t now_us, struct fail *f);

/* False when it is gone: media_link_lost() follows. */
bool media_link_send(struct media_link *m, const struct media_job *job, const int fds[MEDIA_FDS]);
bool media_link_take(struct media_link *m, struct media_answer *a, bool *some);

/* It is gone, and all that it did. */
void media_link_lost(struct media_link *m, int64_t now_us);

#endif
