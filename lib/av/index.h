/* lib/av/index.h - the index while it is being made: between the ways that containers have.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_INDEX_H
#define SLUICE_AV_INDEX_H

#include "lib/av/look.h"
#include "lib/av/reader.h"
#include "lib/hls/grid.h"

enum { INDEX_KEYS_MAX = 4000000 };

/* Bytes that an index may take in all, and below which a file is simply read whole. */
#define INDEX_BUDGET ((uint64_t)512 << 20)
#define INDEX_SMALL ((uint64_t)64 << 20)

struct index {
	const struct av_source *source;
	struct arena *arena;
	struct record *out;
	struct reader reader; /* opened on the whole source */
	struct look look;
	AVRational base; /* of the stream that makes the time line */
	uint64_t media;	 /* where the first packets are, after out->head */
	bool has_cues;
	struct grid_key *keys; /* in the source's own time, in out->timescale; owned */
	size_t count, room;
	int64_t last_time; /* of the last picture that was seen; INT64_MIN: none */
};

/* Adds a keyframe; one that is not later than the last is passed over. */
int index_add(struct index *x, int64_t time, uint64_t pos, struct fail *f);

/* A stream's own time in out->timescale (without origin); DEMUX_NO_TIME for none. */
int64_t index_time(const struct index *x, int64_t pts);

/* By the tables of the container, through the reader: Matroska's Cues, AVI's idx1. */
int index_tables(struct index *x, struct fail *f);

/* MP4: by its sample tables, which say the pts of every picture. */
int index_samples(struct index *x, struct fail *f);

/* The same of plain MP4, where the reader is thin, without the demuxer. */
int index_moov(struct index *x, struct fail *f);

/* MPEG-TS, FLV, and Matroska without Cues: by reading, all of a small file, else here and there.
 * Sets x->last_time. */
int index_scan(struct index *x, struct fail *f);

/* Finds what a demuxer must be fed before it can begin in the middle: out->head, x->media, and the
 * flag RECORD_JOINED. Without it the demuxer seeks by itself. */
int index_head(struct index *x, struct fail *f);

#endif
