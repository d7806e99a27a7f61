/* lib/av/sound.h - a segment of sound, encoded to AAC on an absolute grid.
 * SPDX-License-Identifier: BSD-2-Clause
 * Frame k holds the samples from 1024 k on, counted from the title's time 0, whoever encodes it. An
 * encoder that begins in the middle needs 8 frames to sound as if it had never begun, so these are
 * made and thrown away. Where the source has no sound there is silence. */
#ifndef SLUICE_AV_SOUND_H
#define SLUICE_AV_SOUND_H

#include "lib/av/av.h"
#include "lib/av/track.h"
#include "lib/base/buf.h"

/* Sets all of a track but its samples; the config (AudioSpecificConfig) is appended to `config`,
 * which the track borrows. */
int sound_describe(const struct record *r, unsigned track, struct track *out, struct buf *config,
	struct fail *f);

/* Sets a track, without its config, with the frames of segment n. To be released in any case. */
int sound_encode(const struct av_source *s, const struct record *r, unsigned track, size_t n,
	struct track *out, struct fail *f);

#endif
