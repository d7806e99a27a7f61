/* lib/av/pcm.h - decoded sound of a stretch of the title, every sample in its place.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_PCM_H
#define SLUICE_AV_PCM_H

#include <stdint.h>

#include "lib/av/av.h"

enum { PCM_CHANNELS_MAX = 2 };

struct pcm {
	int channels;
	uint32_t rate;
	int64_t first;			  /* sample of the title that is at index 0 */
	int64_t count;			  /* samples */
	float *samples[PCM_CHANNELS_MAX]; /* owned; silence where the source has none */
};

/* Decodes samples [first, first + count) of a sound track, at the rate and with the channels that
 * the record says it is handed out with. To be released in any case. */
int pcm_decode(const struct av_source *s, const struct record *r, unsigned track, int64_t first,
	int64_t count, struct pcm *out, struct fail *f);

void pcm_release(struct pcm *p);

#endif
