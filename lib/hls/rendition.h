/* lib/hls/rendition.h - what can be made of a title: the names in its addresses.
 * SPDX-License-Identifier: BSD-2-Clause
 * `source` is the picture as it is, `720p` … a rung of the ladder, `a0` … sound, `s0` … subtitles,
 * `iframes` keyframes alone, `thumbnails` pictures for the seek bar. With a rendition's number n a
 * segment depends on nothing but the source. */
#ifndef SLUICE_HLS_RENDITION_H
#define SLUICE_HLS_RENDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/span.h"
#include "lib/hls/ladder.h"
#include "lib/hls/record.h"

enum rendition_kind {
	RENDITION_SOURCE, /* video, copied */
	RENDITION_VIDEO,  /* video, encoded to a rung */
	RENDITION_AUDIO,  /* copied or encoded, as the record says of the track */
	RENDITION_TEXT,	  /* WebVTT */
	RENDITION_BESIDE, /* the same, of a file of its own; no part of the record */
	RENDITION_IFRAMES,
	RENDITION_THUMBNAILS
};

/* In MPEG-TS picture and first sound stand in one file; in fMP4 each in its own. */
enum rendition_format { RENDITION_FMP4, RENDITION_TS };

enum {
	RENDITION_NAME_BYTES = 16,
	RENDITION_TS_ZERO_S = 10, /* time 0 of a title on the clock of its MPEG-TS */
	/* A sheet of thumbnails shows the beginnings of so many segments, in so many columns;
	   "segment" k of `thumbnails` is a sheet. Its pictures are of the size that
	   rendition_size() says. */
	RENDITION_SHEET = 100,
	RENDITION_SHEET_COLUMNS = 10
};

struct rendition {
	enum rendition_kind kind;
	enum rendition_format format;
	unsigned track;		 /* of sound and subtitles: index into the record's tables */
	uint64_t beside;	 /* of RENDITION_BESIDE: which file, as it is now; 44 bits */
	const struct rung *rung; /* of RENDITION_VIDEO (and its cap for RENDITION_IFRAMES) */
};

/* Reads a name, "source", "1080p" … "240p", "a0", "s12", "s0123456789a" (a file
 * beside the film), "iframes", "thumbnails"; the format is RENDITION_FMP4. False, with *out
 * untouched, for any other, "a007" among them. */
bool rendition_parse(struct span name, struct rendition *out);

/* The same as a playlist is named: "720p", or "720p.ts" for MPEG-TS (of pictures, sounds and
 * subtitles). */
bool rendition_parse_list(struct span name, struct rendition *out);

/* Whether that kind is handed out in MPEG-TS, too. */
bool rendition_has_ts(const struct rendition *r);

/* The same with the extension of its segments, or "mp4" of its init segment, which says the format.
 * False where it has no such files. */
bool rendition_parse_part(struct span name, struct span extension, struct rendition *out);

/* Its name, as rendition_parse() reads it, or rendition_parse_list(); `to` holds
 * RENDITION_NAME_BYTES. */
void rendition_print(const struct rendition *r, char *to);
void rendition_print_list(const struct rendition *r, char *to);

/* Whether this title has it, by its record; in MPEG-TS H.264 alone. A rung is there if there is a
 * picture; which ones are worth listing says ladder_fit(). */
bool rendition_fits(const struct rendition *r, const struct record *of);

/* Size of its picture: even numbers, within the rung, never larger than the source; 0 x 0 where it
 * has none. */
void rendition_size(const struct rendition *r, const struct record *of, int *width, int *height);

/* How many segments it has: as many as the title, or sheets of thumbnails. */
size_t rendition_segments(const struct rendition *r, const struct record *of);

/* The extension of its segments: "m4s", "ts", "vtt" ("ts.vtt" on the clock of MPEG-TS) or "jpg". */
const char *rendition_extension(const struct rendition *r);

/* Whether its segments need an init segment. */
bool rendition_has_init(const struct rendition *r);

#endif
