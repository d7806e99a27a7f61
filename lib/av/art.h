/* lib/av/art.h - pictures made smaller: logos and posters.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_ART_H
#define SLUICE_AV_ART_H

#include "lib/av/av.h"
#include "lib/base/buf.h"

enum { ART_SOURCE_MAX = 16 << 20 /* bytes */, ART_LINES_MIN = 16, ART_LINES_MAX = 2048 };

/* Appends the picture in `source` (JPEG, PNG, WebP, GIF or BMP; of a moving one the first), made to
 * fit into `lines` by `lines` but never larger than it is, and turned as its camera was held: as
 * PNG where it is transparent, else as JPEG. Fails: FAIL_INPUT for anything else, or too many
 * pixels; FAIL_UPSTREAM. */
int art_scale(const struct av_source *source, int lines, struct buf *to, struct fail *f);

#endif
