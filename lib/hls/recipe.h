/* lib/hls/recipe.h - the arguments with which ffmpeg encodes a channel.
 * SPDX-License-Identifier: BSD-2-Clause
 * MPEG-TS on descriptor 0; one decode; for each rendition the files {dir}/{rendition}/{n}.ts, and
 * when one is finished a line "{rendition}/{n}.ts,START,END" (seconds) on descriptor
 * RECIPE_LIST_FD. The same number is the same time in every rendition, and so are the timestamps.
 * Sound alone can be cut anywhere, so not where the pictures are: it comes in pieces of half a
 * second, {dir}/{rendition}/p{k}.ts, of which segments are put together. */
#ifndef SLUICE_HLS_RECIPE_H
#define SLUICE_HLS_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/span.h"
#include "lib/hls/ladder.h"

enum {
	RECIPE_LIST_FD = 3,
	RECIPE_PIECES = 4 /* of sound alone are as long as a segment of 2 s */
};

struct recipe {
	const char *ffmpeg, *dir;
	const struct ladder *ladder;
	bool encodes[LADDER_MAX]; /* by rung; at least one */
	bool has_audio;		  /* beside the pictures */
	int64_t first_n;	  /* number of the first segment */
	bool quick;		  /* begin with 0.5, 0.5 and 1 s; otherwise all have 2 s */
	int threads;		  /* of each encoder of pictures */
};

/* Sets `encodes` and `has_audio` to what can be made for r->ladder of a source that has a picture
 * of `height` lines (0: not known), a sound, or both. False when that is nothing. */
bool recipe_choose(struct recipe *r, bool picture, bool sound, int height);

/* argv for ffmpeg, ending in NULL; all of it lives in `arena`. NULL when that is full. */
const char *const *recipe_args(const struct recipe *r, struct arena *arena);

/* What a slate says, and how: a picture with two lines of text and silence, encoded as a channel
 * is. */
struct recipe_slate {
	const char *ffmpeg, *dir; /* files are {dir}/{rendition}.ts */
	const struct ladder *ladder;
	const char *title, *line; /* of letters, digits, blanks and ".,-" */
	bool words;		  /* false: without text, which wants a font */
};

enum {
	RECIPE_SLATE_US = 960000
}; /* whole frames of both picture and sound, so that it can be repeated */

/* argv for ffmpeg, as recipe_args(). */
const char *const *recipe_slate_args(const struct recipe_slate *slate, struct arena *arena);

/* One line of the list. */
struct recipe_segment {
	size_t rung;
	int64_t n, start_us, end_us;
	bool piece; /* of sound alone: `n` counts them from 0 on */
};

/* Where a piece belongs. */
struct recipe_piece {
	int64_t n;	  /* segment */
	bool first, last; /* of its pieces */
};

/* Of piece `k` of an ffmpeg that began with number `first_n`, with a quick start or not. */
struct recipe_piece recipe_piece(int64_t first_n, bool quick, int64_t k);

/* Reads a line, without its end. False for what ffmpeg does not write for this ladder. */
bool recipe_line(const struct ladder *l, struct span line, struct recipe_segment *out);

#endif
