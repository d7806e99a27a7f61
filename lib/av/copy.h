/* lib/av/copy.h - a segment of picture or sound as the source has it.
 * SPDX-License-Identifier: BSD-2-Clause
 * Payloads and presentation times are the source's; every packet is in one segment and no more. */
#ifndef SLUICE_AV_COPY_H
#define SLUICE_AV_COPY_H

#include "lib/av/av.h"
#include "lib/av/track.h"

/* Sets all of a track but its samples; the config is the record's. */
void copy_describe_video(const struct record *r, struct track *out);
void copy_describe_audio(const struct record *r, unsigned track, struct track *out);

/* Fill a zeroed track with the samples of segment n. To be released in any case. A picture's
 * segment holds the packets from its keyframe to the next segment's, in decoding order; what is
 * shown before the title begins is left out. */
int copy_video(const struct av_source *s, const struct record *r, size_t n, struct track *out,
	struct fail *f);

/* The same of sound. 1: sound of another kind of AAC than the track began with is in it, which its
 * init segment does not speak of; it is to be encoded. */
int copy_audio(const struct av_source *s, const struct record *r, unsigned track, size_t n,
	struct track *out, struct fail *f);

/* Where a packet of sound lies on the grid of its frames: `sample` to the nearest frame of
 * start + k * frame, when it is off by no more than the clock of the container explains. */
int64_t copy_snap(const struct record_audio *a, int64_t sample, int64_t slack);

/* The slack of a container's clock, in samples. */
int64_t copy_slack(const struct record_audio *a, int num, int den);

#endif
