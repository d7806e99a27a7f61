/* lib/hls/steps.h - brings the renditions of a channel into step.
 * SPDX-License-Identifier: BSD-2-Clause
 * ffmpeg finishes segment n of each rendition a little apart; n is listed in all of them at once,
 * so that a new start of ffmpeg finds them all at the same number. */
#ifndef SLUICE_HLS_STEPS_H
#define SLUICE_HLS_STEPS_H

#include "lib/hls/recipe.h"
#include "lib/hls/window.h"

enum {
	STEPS_AHEAD = 8,     /* after a hole sound may be as long before the picture */
	STEPS_WAIT_MS = 2500 /* for what may still come */
};

struct step {
	int64_t came_ms;  /* when the first of its segments was finished */
	int64_t start_us; /* since this ffmpeg began; of its pictures, else of its sound */
	int64_t duration_us[LADDER_MAX];
};

struct steps {
	bool encodes[LADDER_MAX];
	int64_t came_ms[LADDER_MAX];	/* when each rendition finished its last one */
	int64_t next_n;			/* not listed yet */
	struct step ahead[STEPS_AHEAD]; /* next_n and the numbers after it */
};

/* For an ffmpeg that starts with this recipe. */
void steps_init(struct steps *s, const struct recipe *r);

/* A segment is finished. False for one that cannot be used: listed already, or far ahead.
 * Times are monotonic. */
bool steps_add(struct steps *s, const struct recipe_segment *seg, int64_t now_ms);

/* The next column when all renditions have it, or when one has been two segments past it for
 * STEPS_WAIT_MS, and those that lack it have finished nothing in that time: they are
 * WINDOW_MISSING. (Behind a hole in what the source sent sound is finished at once, and pictures
 * one after the other.) c->n and c->duration_us are set, *start_us too. */
bool steps_take(struct steps *s, int64_t now_ms, struct window_column *c, int64_t *start_us);

#endif
