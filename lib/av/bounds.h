/* lib/av/bounds.h - where a segment begins whose keyframe has leading pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_BOUNDS_H
#define SLUICE_AV_BOUNDS_H

#include "lib/av/av.h"

/* The earliest time at which a picture of segment n is shown: that of its keyframe, or of pictures
 * which follow that in the file but are shown before it (open GOP). Copies and encodes are cut
 * there alike. */
int bounds_begin(const struct av_source *s, const struct record *r, size_t n, int64_t *begin,
	struct fail *f);

#endif
