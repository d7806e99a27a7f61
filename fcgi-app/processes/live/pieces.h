/* fcgi-app/processes/live/pieces.h - segments of sound alone, put together of what ffmpeg cuts.
 * SPDX-License-Identifier: BSD-2-Clause
 * A row of MPEG-TS files that were cut from one stream is that stream again when they are
 * joined. */
#ifndef SLUICE_PROCESSES_LIVE_PIECES_H
#define SLUICE_PROCESSES_LIVE_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hls/recipe.h"

struct pieces {
	const char *dir; /* borrowed from the recipe, as the next */
	const struct ladder *ladder;
	int64_t first_n, start_us; /* of the segment that is put together */
	bool quick;
};

/* An ffmpeg starts with this recipe. */
void pieces_begin(struct pieces *p, const struct recipe *r);

/* Moves a piece that is finished to its place, behind the one before. True when that ends a
 * segment, which *s is then. One that could not be put together is without a file. */
bool pieces_add(struct pieces *p, struct recipe_segment *s);

#endif
