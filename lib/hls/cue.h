/* lib/hls/cue.h - one subtitle, from what it was written in to WebVTT.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HLS_CUE_H
#define SLUICE_HLS_CUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

struct cue {
	const char *codec; /* "subrip", "ass" (as Matroska keeps it), "mov_text", "webvtt" */
	int64_t from_ms, until_ms;
	struct span text; /* as the codec writes it */
};

/* Appends what a segment of subtitles begins with: the header, and how its times lie to those of
 * fMP4 or MPEG-TS (RFC 8216, section 3.5). */
void cue_begin(bool ts, struct buf *to);

/* Appends the cue with its times; nothing, if there is nothing to be seen in it. */
void cue_print(const struct cue *c, struct buf *to);

/* Appends its text alone. */
void cue_text(const char *codec, struct span text, struct buf *to);

#endif
