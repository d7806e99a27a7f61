/* lib/av/text.h - subtitles as WebVTT, segment by segment.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: W3C WebVTT; RFC 8216 section 3.5. Times are the title's own; a cue that lasts over a border
 * stands in both segments. Of styles only italics, bold and underlined survive. */
#ifndef SLUICE_AV_TEXT_H
#define SLUICE_AV_TEXT_H

#include "lib/av/av.h"
#include "lib/base/buf.h"

/* Appends segment n of a subtitle track. */
int text_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t n, struct buf *to, struct fail *f);

#endif
