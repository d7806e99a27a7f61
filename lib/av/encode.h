/* lib/av/encode.h - a segment of pictures, encoded to H.264 at a rung of the ladder.
 * SPDX-License-Identifier: BSD-2-Clause
 * Quality is constant up to the rung's cap. Parameter sets are the same for every segment and
 * urgency, so one init segment serves all. */
#ifndef SLUICE_AV_ENCODE_H
#define SLUICE_AV_ENCODE_H

#include "lib/av/av.h"
#include "lib/av/track.h"
#include "lib/base/buf.h"

/* Sets all of a track but its samples; the avcC is appended to `config`, which the track
 * borrows. */
int encode_describe(const struct record *r, const struct rendition *x, struct track *out,
	struct buf *config, struct fail *f);

/* Sets a track, without its config, with the pictures of segment n. To be released in any case. */
int encode_video(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t n, enum av_urgency urgency, struct track *out, struct fail *f);

#endif
