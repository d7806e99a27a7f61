/* lib/av/look_tracks.h - one track's entry in a record, out of its first packets.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_LOOK_TRACKS_H
#define SLUICE_AV_LOOK_TRACKS_H

#include "lib/av/look.h"

/* The picture. Fails (FAIL_INPUT) for one that is too large or cannot be decoded. */
int look_video(struct look_stream *s, struct reader *r, unsigned stream, struct arena *arena,
	struct record *out, struct fail *f);

/* Sound and subtitles; those that cannot be decoded are left out. */
int look_audio(struct look_stream *s, struct reader *r, unsigned stream, struct arena *arena,
	struct record *out, struct fail *f);
int look_text(
	struct reader *r, unsigned stream, struct arena *arena, struct record *out, struct fail *f);

#endif
