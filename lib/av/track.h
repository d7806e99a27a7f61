/* lib/av/track.h - the samples of one segment of one track, on their way into a file.
 * SPDX-License-Identifier: BSD-2-Clause
 * "Sample" is ISO/IEC 14496-12's word: one coded picture, or one coded frame of sound. */
#ifndef SLUICE_AV_TRACK_H
#define SLUICE_AV_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

struct AVPacket;

struct sample {
	const uint8_t *data;
	uint32_t size;
	int64_t pts, dts, duration; /* in the track's timescale */
	bool key;
	struct AVPacket *packet; /* owns the data */
};

struct track {
	bool is_video;
	char fourcc[5]; /* of the sample entry: "avc1", "hvc1", "mp4a" */
	uint32_t timescale;
	struct span config; /* avcC, hvcC or AudioSpecificConfig; borrowed */
	int width, height;  /* of a picture, as coded */
	int sar_n, sar_d;
	int channels;
	int64_t begin, end;	/* of the segment; samples fill it whole */
	struct sample *samples; /* owned, with their packets */
	size_t count, room;
	uint64_t bytes;
};

enum { TRACK_SAMPLES_MAX = 200000, TRACK_BYTES_MAX = 200 << 20 };

/* Takes the packet's bytes (the packet is blank afterwards) as one more sample, whose times and key
 * are filled in by the caller. NULL, with f set: more than a segment may hold, or no memory. */
struct sample *track_add(struct track *t, struct AVPacket *p, struct fail *f);

/* Drops the samples; accepts a zeroed track. */
void track_release(struct track *t);

/* Decoding times out of presentation times; only order, pts and the end are used. Pictures are
 * decoded evenly, as late as may be before they are shown; those at the beginning that this would
 * put before the first picture's time are decoded at once, a tick apart. So no composition offset
 * is negative (libavformat shifts a track that has one), the first decoding time is the earliest
 * presentation time, and the durations add up to t->end. */
int track_set_times(struct track *t, struct fail *f);

#endif
