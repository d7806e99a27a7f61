/* lib/hls/m3u8.h - writers of master and live media playlists.          RFC 8216 section 4
 * SPDX-License-Identifier: BSD-2-Clause
 * Text only; whether it fitted is asked of the buffer (`failed`). Durations are printed from whole
 * microseconds. URIs are printed as they are: callers pass names made of [A-Za-z0-9._/-]. */
#ifndef SLUICE_HLS_M3U8_H
#define SLUICE_HLS_M3U8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define M3U8_TYPE "application/vnd.apple.mpegurl" /* Content-Type: section 4 */

enum { M3U8_MAX_BYTES = 65536 }; /* no playlist of ours is larger */

struct m3u8_variant {
	const char *uri;	    /* "720p.m3u8" */
	int64_t bandwidth, average; /* bits a second */
	const char *video_codec;    /* "avc1.4D401F", NULL: sound alone */
	bool has_audio;		    /* AAC-LC beside the picture, or alone */
	int width, height;	    /* 0: not said */
	int64_t rate_milli;	    /* frames in 1000 s; 0: not known, not said */
};

/* Writes a master; the first variant is the one that most players begin with. */
void m3u8_master_print(const struct m3u8_variant *variants, size_t count, struct buf *to);

struct m3u8_segment {
	int64_t n; /* media sequence number and name: <prefix><rendition>/<n>.ts */
	int64_t duration_us;
	int64_t date_ms;       /* wall clock of its first picture, since the epoch; 0: not known */
	bool discontinuity;    /* timestamps, counters or codecs begin anew with this one */
	const char *rendition; /* "720p" */
	const char *title;     /* one word; NULL: none */
};

struct m3u8_media {
	int target_s;			/* the same for the life of the playlist */
	int64_t discontinuity_sequence; /* of the first segment, whose own flag is not printed */
	const char *prefix;		/* before each name: "/tv/live-8/<run>/" */
	const struct m3u8_segment *segments; /* numbers without a gap */
	size_t count;
};

/* The line before a segment of so many microseconds (section 4.3.2.1). `title` may be NULL. */
void m3u8_extinf(struct buf *to, int64_t us, const char *title);

/* Writes a live media playlist: a sliding window, never ended (section 6.2.2). A segment longer
 * than the target allows (section 4.3.3.1: rounded, it must not pass it) is printed as the longest
 * that may stand there. */
void m3u8_media_print(const struct m3u8_media *m, struct buf *to);

#endif
