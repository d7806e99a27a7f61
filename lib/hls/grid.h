/* lib/hls/grid.h - where a title is cut into segments.
 * SPDX-License-Identifier: BSD-2-Clause
 * Segments of 6 s, after 2, 2 and 4 s with which a player begins sooner. Where the picture can be
 * copied they begin at keyframes, else on a fixed grid of whole pictures. */
#ifndef SLUICE_HLS_GRID_H
#define SLUICE_HLS_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "lib/hls/record.h"

enum { GRID_TARGET_S = 6, GRID_FIXED_S = 4, GRID_LONGEST_S = 12, GRID_AAC_FRAME = 1024 };

struct grid_key {
	int64_t t;    /* on the title's time line, in its timescale */
	uint64_t pos; /* where to begin to read for it */
};

/* The list that is cut: keyframes in rising order, the first at 0, and the end of the title. */
struct grid {
	const struct grid_key *keys;
	size_t count; /* 1 or more */
	int64_t end;
	uint64_t end_pos;
	uint32_t timescale;
};

/* The longest way from one keyframe to the next (or to the end). */
int64_t grid_longest(const struct grid *g);

/* Cuts at keyframes: at the first that makes a segment long enough, or one sooner where that is
 * long enough by half and the next would make it too long by half; what remains at the end and is
 * short joins its neighbour. Sets r->segments, t and pos from the arena. Fails (FAIL_INPUT): more
 * segments than a record takes. */
int grid_cut(const struct grid *g, struct arena *arena, struct record *r, struct fail *f);

/* Cuts every 4 s (after two of 2 s) at whole pictures of rate_n / rate_d a second (0: not known);
 * pos is that of the last keyframe at or before. Sets and fails as grid_cut(). */
int grid_fixed(const struct grid *g, uint32_t rate_n, uint32_t rate_d, struct arena *arena,
	struct record *r, struct fail *f);

/* The first sample, of `rate` a second, at or after `t`. */
int64_t grid_sample(int64_t t, uint32_t timescale, uint32_t rate);

/* The first frame of `size` samples that begins at or after that sample: frame k begins at
 * k * size. A segment of sound holds the frames from that of its beginning to that of its end. */
int64_t grid_frame(int64_t sample, uint32_t size);

/* a * b / c, rounded to the nearest; the product may pass 64 bits. b >= 0, c > 0. */
int64_t grid_scale(int64_t a, int64_t b, int64_t c);

#endif
