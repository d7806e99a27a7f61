/* lib/hls/vod.h - the playlists of a film, from its index record.      RFC 8216 section 4
 * SPDX-License-Identifier: BSD-2-Clause
 * Complete from the first: nothing needs to be made to write them. Picture and sound stand in
 * renditions of their own, all cut at the same times. Text only; whether it fitted is asked of the
 * buffer (`failed`). */
#ifndef SLUICE_HLS_VOD_H
#define SLUICE_HLS_VOD_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/hls/ladder.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"

enum { VOD_MAX_BYTES = 4 << 20, VOD_COPY_MAX_BPS = 8000000 };

/* Whether this film has the rendition within the ladder: pictures no higher than it, give or take a
 * few lines, at least the lowest; its own picture if it can be copied. */
bool vod_has(const struct record *r, const struct ladder *l, const struct rendition *x);

/* Subtitles as a master lists them. */
struct vod_text {
	char name[RENDITION_NAME_BYTES]; /* of the rendition */
	char language[12];
	char title[48]; /* printable UTF-8 without '"' */
	unsigned flags; /* enum record_text_flag */
};

struct vod_master {
	const struct record *record;
	const struct ladder *ladder;
	const char *ver;
	enum rendition_format format;
	const struct vod_text *beside; /* subtitles that are no part of the record */
	size_t beside_count;
};

/* Writes the master: variants, sounds and subtitles, each as {ver}/{rendition}.m3u8. First stands
 * what plays at once, the film's own picture, where that is no larger than the ladder's first rung
 * and not of a very high rate; else that rung, or what comes nearest. In MPEG-TS each variant holds
 * the first sound; others, and subtitles, stand beside it. */
void vod_master_print(const struct vod_master *m, struct buf *to);

/* All that the master of fMP4 lists, each once, in the order in which a player wants it: what plays
 * first with its sound, the other pictures, the other sounds, subtitles, keyframes. */
enum { VOD_LISTED_MAX = 1 + LADDER_MAX + RECORD_AUDIO_MAX + RECORD_TEXT_MAX + 1 };
size_t vod_listed(
	const struct record *r, const struct ladder *l, struct rendition to[VOD_LISTED_MAX]);

/* Writes the media playlist of a rendition that rendition_fits(), but for thumbnails, which have
 * none: {rendition}/{n}.m4s, with all of them. */
void vod_media_print(const struct record *r, const struct rendition *x, struct buf *to);

/* Writes where on the sheets of thumbnails each segment's picture is, as WebVTT with a media
 * fragment (xywh) in each cue: what players show over their seek bar. The film has a picture. */
void vod_thumbnails_print(const struct record *r, struct buf *to);

#endif
