/* lib/av/picture.h - decoded pictures of a segment, in the order in which they are shown.
 * SPDX-License-Identifier: BSD-2-Clause
 * Deinterlaced, turned upright, tone-mapped and scaled, as the record says they need; 4:2:0 of 8
 * bits with square samples. Each picture of the segment is given once. */
#ifndef SLUICE_AV_PICTURE_H
#define SLUICE_AV_PICTURE_H

#include <libavutil/frame.h>
#include <stdbool.h>

#include "lib/av/av.h"

/* A picture; its pts is its time on the title's line. The frame is the caller's again afterwards.
 * Returns 0, or -1 with f set. */
typedef int picture_fn(void *ctx, AVFrame *frame, struct fail *f);

struct picture_want {
	int width, height;
	int threads;
	bool first_only; /* one picture is enough */
	bool jpeg;	 /* in the full range of values */
	picture_fn *each;
	void *ctx;
};

/* Decodes segment n. Where no picture of it comes there is one all the same, at its beginning: the
 * one before it, or black. *end is set to where it ends: the beginning of the next, or, of the last
 * one, the end of its last picture. */
int picture_each(const struct av_source *s, const struct record *r, size_t n,
	const struct picture_want *want, int64_t *end, struct fail *f);

/* The usual time from one picture to the next, in the record's timescale. */
int64_t picture_step(const struct record *r);

#endif
