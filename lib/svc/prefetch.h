/* lib/svc/prefetch.h - makes ready what will be played soon: its address, and its first bytes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_PREFETCH_H
#define SLUICE_SVC_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/svc/jobs.h"
#include "lib/svc/music.h"
#include "lib/svc/object.h"
#include "lib/svc/resolved.h"

/* What is fetched ahead: nothing of a file of ours, both objects of a pair (lib/svc/pair.h). */
struct prefetch {
	struct object_ask objects[2];
	size_t count;
	char made[MUSIC_NAME_MAX]; /* what is made of a music file of ours; "" for nothing */
	char maker[JOBS_LINE_MAX]; /* what the jobs process is asked with for that */
};

/* Finds out what `ask` means, waiting at most `wait_ms` for what must be resolved. Fails: as
 * resolved_find(), pair_find() and title_open(), or as it failed to be made a moment ago. */
enum resolved_result prefetch_find(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct prefetch *out, int64_t *retry_s,
	struct fail *f);

/* Whether nothing is left to be done: the first `prefetch_bytes` of each are here, what is made is
 * published. `boot` as blocks_open() takes it. */
bool prefetch_is_warm(const struct conf *conf, const struct prefetch *p, const char *boot);

/* How many prefetched streams are kept now, for the janitor, which forgets those that have
 * ended. */
int64_t prefetch_count(const struct conf *conf);

/* What the jobs process is asked with. `quality` and `format` may be NULL. */
void prefetch_line(const char *id, const char *quality, const char *format, char to[JOBS_LINE_MAX]);

/* Whether a line is one, and what it asks for; its texts live in `arena`. */
bool prefetch_read(
	const struct conf *conf, const char *line, struct arena *arena, struct resolved_ask *out);

/* Body of a short-lived process: does it. 0: it is warm, or cannot be; 1: out of memory. */
int prefetch_run(const struct conf *conf, struct board *board, uint64_t client, const char *line);

#endif
