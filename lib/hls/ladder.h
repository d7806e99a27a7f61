/* lib/hls/ladder.h - the rungs that a channel is encoded at, and what a master says of each.
 * SPDX-License-Identifier: BSD-2-Clause
 * A rung's total counts everything in its segments: picture, sound and MPEG-TS around them. The
 * encoder is held so that no 2 s of a rendition pass it, so BANDWIDTH (RFC 8216 section 4.3.4.2,
 * the peak over segments) is the total itself. */
#ifndef SLUICE_HLS_LADDER_H
#define SLUICE_HLS_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum { LADDER_MAX = 6, RUNG_NAME_BYTES = 8 };

struct rung {
	const char *name;	     /* "720p", "audio": the rendition's name in every path */
	int height, width;	     /* of a 16:9 picture; both 0: sound alone */
	int total_kbps;		     /* never passed: BANDWIDTH / 1000 */
	int average_kbps;	     /* AVERAGE-BANDWIDTH / 1000 */
	int video_kbps;		     /* the encoder's maxrate; 0: sound alone */
	int video_buffer_kbit;	     /* and its bufsize */
	int audio_kbps;		     /* of the sound that goes with it */
	const char *profile, *level; /* of H.264, as the encoder takes them; NULL: sound alone */
	const char *video_codec;     /* "avc1.4D401F"; NULL: sound alone */
};

struct ladder {
	const struct rung *rungs[LADDER_MAX]; /* in the order of the master, the default first */
	size_t count;
};

/* Reads the setting `ladder`: names from 1080p 720p 480p 360p 240p audio, apart by blanks or
 * commas. `max_quality` ("720p"; "source" or NULL: no cut) drops the higher rungs, but never the
 * lowest picture; `default_quality` puts that rung, or the nearest below it, first. Fails
 * (FAIL_INPUT): an unknown or repeated name, or none; *out is untouched then. */
int ladder_parse(const char *text, const char *max_quality, const char *default_quality,
	struct ladder *out, struct fail *f);

/* The rung of that name, whatever ladder is set; NULL when there is none such. */
const struct rung *ladder_known(struct span name);

/* The rung of that name, or NULL when this ladder has none. */
const struct rung *ladder_find(const struct ladder *l, struct span name);

/* Marks in `fits` (by rung) the pictures that a source of `height` lines is worth: those that are
 * not higher than it, give or take a few lines, and at least the lowest. Height 0, which is not
 * known, is worth all. Sound is left as it is. */
void ladder_fit(const struct ladder *l, int height, bool fits[LADDER_MAX]);

/* Lines of the highest picture in it; 0 when it is sound alone. */
int ladder_height(const struct ladder *l);

/* The highest rung with a picture of at most `height` lines, else the lowest with a picture, else
 * the sound. Never NULL for a parsed ladder. */
const struct rung *ladder_nearest(const struct ladder *l, int height);

#endif
