/* lib/hls/reservoir.h - segments that were fetched, and wait for their time.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HLS_RESERVOIR_H
#define SLUICE_HLS_RESERVOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum { RESERVOIR_SEGMENTS = 8, RESERVOIR_BYTES = 48 << 20 };

/* What lies between two pieces of a stream. */
enum seam {
	SEAM_SEGMENT,	   /* nothing but the end of a file */
	SEAM_JOIN,	   /* another connection: something may be missing, or come again */
	SEAM_DISCONTINUITY /* clocks and codecs begin anew */
};

struct reservoir_segment {
	struct buf bytes;
	int64_t duration_us, given_us;
	size_t given;
	enum seam seam; /* before it */
	bool begun;
};

struct reservoir {
	struct reservoir_segment list[RESERVOIR_SEGMENTS];
	size_t count;
};

/* Who gets it. on_data says false when it wants no more. */
struct reservoir_feed {
	void *ctx;
	bool (*on_data)(void *ctx, const void *bytes, size_t len);
	void (*on_seam)(void *ctx, enum seam seam);
};

void reservoir_release(struct reservoir *r); /* empties it; accepts a zeroed one */
bool reservoir_has_room(const struct reservoir *r);

/* Takes *bytes, whole TS packets, of a segment of that length; there must be room. */
void reservoir_add(struct reservoir *r, struct buf *bytes, int64_t duration_us, enum seam seam);

/* How long what is there lasts. */
int64_t reservoir_left_us(const struct reservoir *r);

/* Gives the next `us`, in whole packets, of one segment at most, and says how much it was; 0 when
 * it is empty. False in *wanted: the feed wants no more. */
int64_t reservoir_give(
	struct reservoir *r, int64_t us, const struct reservoir_feed *feed, bool *wanted);

#endif
