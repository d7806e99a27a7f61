/* lib/av/bounds.h - where a segment begins whose keyframe has leading pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_BOUNDS_H
#define SLUICE_AV_BOUNDS_H

#include <stdbool.h>

#include "lib/av/av.h"

/* What stands where the record says that segment n begins. */
struct bounds {
	int64_t first; /* time of the first keyframe that is read; DEMUX_NO_TIME: none came */
	int64_t key;   /* of the first one that does not begin before the segment; likewise */
	int64_t begin; /* see bounds_begin() */
	bool far;      /* so much earlier pictures stand there that no more were read */
};

/* Looks there, and reads no further than it must. */
int bounds_look(const struct av_source *s, const struct record *r, size_t n, struct bounds *out,
	struct fail *f);

/* The earliest time at which a picture of segment n is shown: that of its keyframe, or of pictures
 * which follow that in the file but are shown before it (open GOP). Copies and encodes are cut
 * there alike. */
int bounds_begin(const struct av_source *s, const struct record *r, size_t n, int64_t *begin,
	struct fail *f);

#endif
