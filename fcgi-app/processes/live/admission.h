/* fcgi-app/processes/live/admission.h - as many encoders as the machine can run.
 * SPDX-License-Identifier: BSD-2-Clause
 * Every channel that is encoded holds the lock of a file of its own in run_dir/encoders, which says
 * what it costs; a process that died holds nothing. With live_max = auto another one is let in
 * while what the others were measured to take and what it is expected to take fit into the
 * processors. */
#ifndef SLUICE_PROCESSES_LIVE_ADMISSION_H
#define SLUICE_PROCESSES_LIVE_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"
#include "lib/hls/ladder.h"

struct board;
struct conf;

struct admission {
	int fd; /* -1: not let in */
	/* what its ladder costs beside others, in thousandths of a usual processor */
	int64_t weight;
	struct fail why; /* of its being refused; FAIL_NONE when it is in, or was not tried yet */
	int64_t next_try_ms;
	int64_t looked_ms, used_ms, measured; /* monotonic; time of processors; thousandths, or 0 */
};

void admission_init(struct admission *a, const struct ladder *l);

/* Tries every second to let `id` in, until it is. While it is refused, a->why says so and the
 * others are told that somebody waits, so that channels which nobody asks for end early; the first
 * refusal is logged and counted. True for one that is in. */
bool admission_step(
	struct admission *a, const struct conf *conf, struct board *board, const char *id);

/* Looks now and then what the encoder `pid` takes. */
void admission_measure(struct admission *a, pid_t pid);

/* Whether another channel waits for room. */
bool admission_is_wanted(const struct conf *conf);

void admission_drop(struct admission *a);

#endif
