/* fcgi-app/processes/live/encoder.h - ffmpeg as a child: packets in, finished segments out.
 * SPDX-License-Identifier: BSD-2-Clause
 * It has no network, gets no address and writes only into the channel's own directory. */
#ifndef SLUICE_PROCESSES_LIVE_ENCODER_H
#define SLUICE_PROCESSES_LIVE_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/live/pieces.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/recipe.h"
#include "lib/hls/ring.h"
#include "lib/io/child.h"

struct encoder {
	struct child child;	    /* pid 0: none runs */
	int in_fd, list_fd, log_fd; /* non-blocking; -1: closed */
	struct buf list, log;	    /* lines that are not whole yet */
	struct pieces pieces;	    /* of sound alone */
	int64_t log_second;	    /* of the lines counted in log_lines */
	int log_lines;
};

void encoder_init(struct encoder *e);

/* Starts ffmpeg; makes the directories of the recipe, whose `dir` and `ladder` must stay until it
 * has ended. Fails: as child_start(). */
int encoder_start(struct encoder *e, const struct recipe *r, struct fail *f);

/* Gives it one packet ahead of any ring; it has just been started. */
void encoder_feed_packet(struct encoder *e, const uint8_t packet[TS_PACKET]);

/* Gives it what it takes of the ring now. False when it does not listen any more. */
bool encoder_feed(struct encoder *e, struct ring *ring);

/* Calls `each` for every segment that was finished since; sound alone is put together by this. */
void encoder_segments(struct encoder *e, const struct ladder *l,
	void (*each)(void *ctx, const struct recipe_segment *s), void *ctx);

/* Logs what it says, a few lines a second at most. */
void encoder_listen(struct encoder *e, const char *id);

/* True, once, when it has ended by itself. What it said last is there for encoder_segments() and
 * encoder_listen() until the next start. */
bool encoder_ended(struct encoder *e, int *status);

/* Ends it by force; the same holds. Accepts one that does not run. */
void encoder_stop(struct encoder *e);

/* encoder_stop(), and forgets what it said. */
void encoder_release(struct encoder *e);

#endif
