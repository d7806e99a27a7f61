/* lib/hls/steps.h - brings the renditions of a channel into step.
 * SPDX-License-Identifier: BSD-2-Clause
 * ffmpeg finishes segment n of each rendition a little apart; n is listed in all of them at once,
 * so that a new start of ffmpeg finds them all at the same number. */
#ifndef SLUICE_HLS_STEPS_H
#define SLUICE_HLS_STEPS_H

#include "lib/hls/recipe.h"
#include "lib/hls/window.h"

enum { STEPS_AHEAD = 4 };

struct step {
	int64_t start_us; /* since this ffmpeg began; of its pictures, else of its sound */
	int64_t duration_us[LADDER_MAX];
};

struct steps {
	bool encodes[LADDER_MAX];
	int64_t first_n[LADDER_MAX];	/* where each rendition begins */
	int64_t begin_n;		/* the least of them */
	int64_t next_n;			/* not listed yet */
	struct step ahead[STEPS_AHEAD]; /* next_n and the numbers after it */
};

/* For an ffmpeg that starts with this recipe. */
void steps_init(struct steps *s, const struct recipe *r);

/* A segment is finished. False for one that cannot be used: listed already, or far ahead. */
bool steps_add(struct steps *s, const struct recipe_segment *seg);

/* The next column when all renditions have it, or when one is two segments past it and the rest
 * will not come: those are WINDOW_MISSING. c->n and c->duration_us are set, *start_us too. */
bool steps_take(struct steps *s, struct window_column *c, int64_t *start_us);

#endif
