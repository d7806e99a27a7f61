/* lib/hls/subtitle.h - files of subtitles: what their names tell, and their cues.
 * SPDX-License-Identifier: BSD-2-Clause
 * SubRip (.srt), WebVTT (.vtt) and ASS (.ass, .ssa), as UTF-8 (lib/http/charset.h). What cannot be
 * read is passed over: such files are written by hand. */
#ifndef SLUICE_HLS_SUBTITLE_H
#define SLUICE_HLS_SUBTITLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

struct subtitle_name {
	char language[12];  /* as it stands there, "en", "eng", "pt-br"; "" where it does not */
	char title[48];	    /* what else stands there, "Director"; printable, without '"' */
	unsigned flags;	    /* enum record_text_flag */
	const char *format; /* "srt", "vtt" or "ass" */
};

/* Whether a file of that name goes with the film whose name without its ending is `stem`:
 * "Film.srt", "Film.en.forced.srt", "Film.English.sdh.ass". */
bool subtitle_name(struct span stem, struct span file, struct subtitle_name *out);

/* Appends the cues of `text` that are seen within [from, until), in ms, as WebVTT. */
void subtitle_print(
	const char *format, struct span text, int64_t from_ms, int64_t until_ms, struct buf *to);

#endif
