/* fcgi-app/processes/live_encoder.h - ffmpeg as a child: transport stream in, segments out.
 * SPDX-License-Identifier: BSD-2-Clause
 * One decoding feeds every rung; sound alone is an output of its own. Each finished segment is a
 * file {dir}/{rendition}/{n}.ts and a line on a pipe. Numbers mean the same time in every
 * rendition: the first two segments of pictures are 1 s long, the first of sound alone 2 s, under
 * the number of the second. */
#ifndef SLUICE_PROCESSES_LIVE_ENCODER_H
#define SLUICE_PROCESSES_LIVE_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/ladder.h"
#include "lib/io/child.h"

struct conf;

struct encoder {
	struct child child;	 /* pid 0: none runs */
	int in, list, errors;	 /* our ends of its pipes, -1 when closed */
	struct buf lines, words; /* not yet whole lines of `list` and `errors` */
	int64_t first_n;
	int64_t started_ms, segment_ms; /* monotonic; when it began, when its last segment came */
};

struct encoder_segment {
	size_t rung;
	int64_t n, duration_us;
};

void encoder_init(struct encoder *e);

/* Starts ffmpeg for the rungs of `ladder` (sound only with `has_audio`), writing below `dir`, whose
 * sub-directories are there. Fails: FAIL_MISSING without ffmpeg, FAIL_INTERNAL. */
int encoder_start(struct encoder *e, const struct conf *conf, const struct ladder *ladder,
	const char *dir, bool has_audio, int64_t first_n, struct fail *f);

/* Kills it and closes the pipes. */
void encoder_stop(struct encoder *e);

/* Takes the next line of the list: 1 when *out is a finished segment, 0 when there is none yet,
 * -1 when the list has ended (the encoder is gone). */
int encoder_next(struct encoder *e, const struct ladder *ladder, struct encoder_segment *out);

/* Logs what it said, a few lines at most. */
void encoder_log(struct encoder *e, const char *id);

#endif
