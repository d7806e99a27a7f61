/* lib/av/look.h - what the first seconds of a file say of its tracks.
 * SPDX-License-Identifier: BSD-2-Clause
 * Containers leave out or lie about much of it: the size of frames of sound, the shape of samples,
 * whether pictures are interlaced, whether there are times at all. So a few packets of each track
 * are read, and the first of them decoded. */
#ifndef SLUICE_AV_LOOK_H
#define SLUICE_AV_LOOK_H

#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/av/reader.h"

enum { LOOK_TIMES = 64, LOOK_KEPT = 4 };

struct look_stream {
	/* pts of its first packets (of pictures: from the keyframe on) */
	int64_t times[LOOK_TIMES];
	size_t count, untimed;	   /* packets that were counted, and those of them without a pts */
	uint64_t place;		   /* of the first of them, in the file */
	AVPacket *kept[LOOK_KEPT]; /* the first of them, owned */
	size_t kept_count;
	bool skipped; /* pictures came before the first keyframe */
	bool field_order_known;
	bool interlaced;
};

struct look {
	struct look_stream streams[READER_STREAMS_MAX];
	int video; /* the stream of the picture, -1: none */
};

/* Reads from the reader's beginning on. To be released in any case. Fails as the reader. */
int look_begin(struct look *l, struct reader *r, struct fail *f);

void look_release(struct look *l);

/* Fills in all that a record says of its tracks, but what depends on the time line: out->origin and
 * `start` of sound. Bytes are copied to the arena. */
int look_tracks(
	struct look *l, struct reader *r, struct arena *arena, struct record *out, struct fail *f);

/* The typical step between pictures, in the stream's time base; 0 where it cannot be said. */
int64_t look_step(const struct look_stream *s);

#endif
