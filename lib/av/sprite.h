/* lib/av/sprite.h - sheets of small pictures for the seek bar.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_SPRITE_H
#define SLUICE_AV_SPRITE_H

#include "lib/av/av.h"
#include "lib/base/buf.h"

/* Appends sheet k, a JPEG: the first picture of each of the RENDITION_SHEET segments from
 * k * RENDITION_SHEET on, in rows of RENDITION_SHEET_COLUMNS. What cannot be decoded stays
 * black. */
int sprite_sheet(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t k, struct buf *to, struct fail *f);

#endif
