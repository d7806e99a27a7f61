/* lib/av/reader.h - packets out of a source, read in bounded ranges.
 * SPDX-License-Identifier: BSD-2-Clause
 * Ranges are of 64 KiB, growing to 1 MiB, or what the source says, while the reading goes on, so
 * that a source behind HTTP is asked seldom and never for what is not needed. A reader is `joined`
 * where the record has the container's head: the demuxer is given head + file[pos..) and never
 * seeks. */
#ifndef SLUICE_AV_READER_H
#define SLUICE_AV_READER_H

#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/av/av.h"

struct moov;

enum { READER_RANGE_MIN = 65536, READER_RANGE_MAX = 1 << 20, READER_STREAMS_MAX = 128 };

struct reader {
	const struct av_source *source;
	AVFormatContext *format;
	enum record_container container;
	struct span head; /* joined: what comes first; borrowed */
	uint64_t from;	  /* joined: then the source from here */
	bool joined;
	bool thin; /* MP4: head has tables of some samples, the whole source follows, and is sought
		      in */
	bool tableless;	   /* AVI: the demuxer is not to read idx1 */
	struct moov *moov; /* those of all samples, where it is thin; owned, as head is then */
	bool dry; /* no media are read: of each packet one byte is made up. For tables alone */
	bool dry_given;
	uint64_t expect;	/* ranges do not cross this offset of the source; 0: as they come */
	uint64_t budget;	/* bytes it may read in all; 0: any number */
	uint64_t bytes, ranges; /* read so far */
	int error;		/* errno of the source, 0: none; EDQUOT: the budget is spent */
	int64_t at;		/* what the demuxer asks for next */
	uint8_t *window;	/* [READER_RANGE_MAX], owned: source[window_at .. + window_len) */
	uint64_t window_at;
	size_t window_len, next_range;
};

/* Opens a source, with a demuxer chosen by its first bytes from a short list: a playlist, an image
 * or a script is refused, whatever it is called. To be closed in any case. */
int reader_open(struct reader *r, const struct av_source *s, struct fail *f);

/* The same of an AVI whose own table is no good: it gets that of its record (lib/av/avi_table.h),
 * or where that is empty one is made (lib/av/avi.h). */
int reader_open_walked(
	struct reader *r, const struct av_source *s, struct span table, struct fail *f);

/* What of an MP4 is wanted: of one stream, from the keyframe at or before `from` until `until`, in
 * units of `timescale` on the source's own line; or, with stream -1, what every stream begins
 * with. */
struct reader_part {
	int stream;
	int64_t from, until;
	uint32_t timescale;
};

/* As reader_open(), but of an MP4 whose tables are plain (lib/av/moov.h) packets come for that part
 * alone, for a tenth of the work: then r->thin is set. */
int reader_open_part(struct reader *r, const struct av_source *s, const struct reader_part *part,
	struct fail *f);

/* Opens head + source[from..) with the demuxer of `container`. To be closed in any case. */
int reader_join(struct reader *r, const struct av_source *s, enum record_container container,
	struct span head, uint64_t from, struct fail *f);

void reader_close(struct reader *r); /* accepts a zeroed one, or one that failed to open */

/* Reads from the source itself, past the demuxer: up to `n` <= READER_RANGE_MIN bytes; *bytes is
 * good until the next call of anything. Returns how many (0: the end), or -1 with r->error set. */
int reader_peek(struct reader *r, uint64_t offset, size_t n, const uint8_t **bytes);

/* The same into memory of the caller's, any number of bytes below 2 GiB, and without the window. */
int reader_read(struct reader *r, uint64_t offset, void *to, size_t n);

/* The next packet of any stream: 1, or 0 at the end, or -1. Its times are AV_NOPTS_VALUE or within
 * 2^50 of 0. */
int reader_next(struct reader *r, AVPacket *p, struct fail *f);

/* Of all streams but one, packets are not wanted; -1: all are. */
void reader_choose(struct reader *r, int stream);

/* Where a packet's bytes are in the source; 0 where it is not known. */
uint64_t reader_place(const struct reader *r, const AVPacket *p);
uint64_t reader_source_place(const struct reader *r, int64_t pos); /* as the demuxer says it */

/* The failure for what libav says: the source's own trouble, or a file that makes no sense. */
int reader_fail(const struct reader *r, int av_error, const char *what, struct fail *f);

#endif
