/* lib/av/moov.h - the tables of an MP4 file, and a small one that says the same of a few samples.
 * SPDX-License-Identifier: BSD-2-Clause
 * libavformat makes a list of every sample of every track before the first packet: of a film,
 * 400,000 for the sake of 150. So the tables are read here, and the demuxer is given a `moov` with
 * what is wanted of them. It gives the packets, times and keyframes that it would give of the
 * whole. Spec: ISO/IEC 14496-12 sections 8.6 and 8.7. */
#ifndef SLUICE_AV_MOOV_H
#define SLUICE_AV_MOOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum {
	MOOV_TRACKS_MAX = 128,
	MOOV_BEGINNING = 320 /* samples of each track that are always there */
};

/* A table of entries of 32 bits (or 64), as it stands in the file. */
struct moov_table {
	const uint8_t *entries;
	uint32_t count;
};

struct moov_track {
	struct span box;	/* the whole trak */
	uint32_t id, timescale; /* units of all times below in a second */
	uint32_t samples;
	uint64_t duration; /* of all samples */
	uint64_t said;	   /* duration of mdhd */
	int64_t shift; /* from a sample's own time to that at which it is shown, by the edit list */
	struct moov_table stts, ctts, stss, stsc, stsz, offsets;
	bool wide; /* offsets are of 64 bits */
};

struct moov {
	struct span file_type; /* the whole ftyp, in `bytes`; may be empty */
	struct span box;       /* the whole moov */
	struct moov_track tracks[MOOV_TRACKS_MAX];
	size_t count;
	char *bytes; /* owned */
};

/* One sample, on a walk from the first to the last. */
struct moov_sample {
	uint32_t number; /* from 0 */
	uint64_t place;	 /* in the file */
	uint32_t size, duration, description;
	int64_t dts, pts; /* own times: no edit list is in them */
	bool key;
};

struct moov_walk {
	const struct moov_track *track;
	struct moov_sample now;
	/* Where it stands in each table: entries, and what is left of the present one. */
	uint32_t stts, stts_left, ctts, ctts_left, stss, stsc, chunk, chunk_left;
	uint64_t next_place;
};

/* Reads ftyp and moov, which it takes: `bytes` is from malloc(), freed by moov_release(). False for
 * what is not plain: fragments, encryption, edit lists that do more than shift a track, samples of
 * one size, tables that do not agree. */
bool moov_read(struct moov *m, char *bytes, struct span file_type, struct span box);
void moov_release(struct moov *m); /* accepts a zeroed one */

void moov_begin(struct moov_walk *w, const struct moov_track *track);
bool moov_next(struct moov_walk *w); /* false at the end; else w->now is the next sample */

/* What is wanted beside the beginnings: of one track (-1: none), from the keyframe at or before
 * `from` until `until`, as shown, in the track's timescale. */
struct moov_want {
	int track;
	int64_t from, until;
};

/* Appends ftyp, the small moov, and the header of an mdat that ends with the source, whole, of
 * `size` bytes, from MOOV_BASE on: so far behind that places can be written before it is known how
 * long all this will be. False when a time between cannot be written. */
#define MOOV_BASE ((uint64_t)1 << 40)
bool moov_thin(const struct moov *m, const struct moov_want *want, uint64_t size, struct buf *to);

#endif
