/* lib/av/demux.h - one stream's packets from a time on, with times on the title's own line.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_DEMUX_H
#define SLUICE_AV_DEMUX_H

#include <libavformat/avformat.h>
#include <stdint.h>

#include "lib/av/reader.h"

#define DEMUX_NO_TIME INT64_MIN

struct demux {
	struct reader reader;
	const struct record *record;
	unsigned stream;
	const char *codec;     /* by name; another one means another source */
	enum AVMediaType kind; /* where streams are told apart by that, of FLV; else unknown */
	int64_t stop;	       /* where others are well past this time, ours has ended */
	int late_s;	       /* how far past it others must be */
	int64_t near;	       /* MPEG-TS: clocks of 33 bits are read as nearest to this */
	bool others;	       /* whether packets of other streams are seen */
	AVStream *st;	       /* once a packet has come */
};

/* A stream's own time in another timescale; DEMUX_NO_TIME for none. */
int64_t demux_scale(uint32_t timescale, AVRational base, int64_t pts);

/* A stream's own time on the title's line, in the record's timescale; DEMUX_NO_TIME for none. */
int64_t demux_time(const struct record *r, AVRational base, int64_t pts);

/* The same in samples of `rate`. */
int64_t demux_sample(const struct record *r, AVRational base, int64_t pts, uint32_t rate);

/* What is wanted of a source: every packet of a stream that begins at `time` or later, and some
 * before; of the picture beginning with the keyframe at or before. */
struct demux_part {
	unsigned stream;
	const char *codec;
	int64_t time, stop; /* `stop` as above */
};

/* To be closed in any case. */
int demux_open(struct demux *d, const struct av_source *s, const struct record *r,
	const struct demux_part *part, struct fail *f);

/* The next packet, its pts made straight where the container wraps it: 1, 0 at the end, -1. */
int demux_next(struct demux *d, AVPacket *p, struct fail *f);

/* Time of that packet: of its pts, or of its dts where there is none. */
int64_t demux_packet_time(const struct demux *d, const AVPacket *p);

void demux_close(struct demux *d);

#endif
