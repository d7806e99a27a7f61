/* lib/hls/record.h - what is known of a film or an episode before anything is made of it.
 * SPDX-License-Identifier: BSD-2-Clause
 * The index record: tracks, and where each segment begins, in time and in the file. It is all that
 * playlists are written from and, beside the source, all that a segment is made of. Numbers and
 * bytes, no I/O. Its encoded form (little endian, a CRC at the end) is the value in memcached and
 * the file in idx/; whoever changes a member raises RECORD_VERSION, and old ones are made anew. */
#ifndef SLUICE_HLS_RECORD_H
#define SLUICE_HLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

enum {
	RECORD_VERSION = 1,
	RECORD_AUDIO_MAX = 16,
	RECORD_TEXT_MAX = 48,
	RECORD_SEGMENTS_MAX = 65536,
	RECORD_BLOB_MAX = 65535,    /* of any one piece of bytes, but */
	RECORD_TABLE_MAX = 400000,  /* of that which grows with the film */
	RECORD_MAX_BYTES = 1000000, /* encoded: memcached takes no more than 1 MiB */
	RECORD_HOURS_MAX = 48,	    /* no title is longer */
	RECORD_SIDE_MAX = 8192	    /* pixels: no picture is wider or higher */
};

enum record_container {
	RECORD_MATROSKA = 1,
	RECORD_MP4,
	RECORD_AVI,
	RECORD_FLV,
	RECORD_MPEG_TS,
	RECORD_OTHER /* sound files, and what only a seek by time finds its way in */
};

enum record_flag {
	RECORD_COPY = 1,	/* the picture can be handed on as it is: rendition `source` */
	RECORD_OPEN_GOP = 2,	/* pictures after a keyframe may be shown before it */
	RECORD_COUNTED = 4,	/* no usable timestamps: pictures are counted from keyframes */
	RECORD_INTERLACED = 8,	/* is deinterlaced before it is encoded */
	RECORD_VFR = 16,	/* pictures are not evenly spaced */
	RECORD_FIXED_GRID = 32, /* segments do not begin at keyframes */
	RECORD_HDR = 64,	/* PQ or HLG: is tone-mapped before it is encoded */
	RECORD_JOINED = 128,	/* a demuxer is fed head + file[pos..), and never seeks */
	RECORD_WALKED = 256,	/* AVI: its own table is no good, one is made by a walk */
	RECORD_FLAGS = 511
};

/* What the source was when it was read. Filled by whoever opened it. */
struct record_validator {
	uint64_t size;	/* bytes */
	uint64_t stamp; /* of a file its mtime in ns; over HTTP a hash of ETag or Last-Modified */
};

struct record_video {
	char codec[16];	 /* "h264", "hevc", "mpeg4" …; "" where there is no picture */
	char codecs[32]; /* of RFC 6381, "avc1.640028", for a copy; "" where none is offered */
	uint16_t stream; /* its number in the container */
	uint16_t width, height; /* as coded, before the shape of samples and before rotation */
	uint16_t sar_n, sar_d;	/* shape of a sample, both 1 or more */
	uint16_t rotation;	/* degrees clockwise it must be turned by: 0, 90, 180, 270 */
	uint8_t depth;		/* bits: 8, 10, 12 */
	uint8_t primaries, transfer, matrix; /* colours, in the numbers of ITU-T H.273; 2: unsaid */
	uint32_t rate_n, rate_d; /* pictures a second (of whole frames); both 0: not known */
	struct span extra;	 /* avcC or hvcC for a copy, else what the decoder is opened with */
};

struct record_audio {
	char codec[16];	  /* "aac", "ac3" … */
	char codecs[16];  /* "mp4a.40.2": of what is handed out, copied or not */
	char language[4]; /* ISO 639-2, "" when it is not said */
	char title[48];	  /* as the file names it: printable UTF-8 without '"', may be "" */
	uint16_t stream;  /* its number in the container */
	uint8_t channels; /* of what is handed out: 1 or 2 */
	bool copy;	  /* handed on as it is; else encoded */
	bool is_default;  /* the file says so */
	uint32_t rate;	  /* samples a second of what is handed out, and the unit of `start` */
	uint32_t source_rate;
	uint32_t frame; /* samples (of source_rate) in a packet; 0: not constant */
	int64_t start;	/* of the first packet on the title's time line, in source_rate */
	/* AudioSpecificConfig for a copy, else what the decoder is opened with */
	struct span extra;
};

enum record_text_flag { RECORD_TEXT_DEFAULT = 1, RECORD_TEXT_FORCED = 2, RECORD_TEXT_DEAF = 4 };

struct record_text {
	char codec[16]; /* "subrip", "ass", "mov_text", "webvtt" */
	char language[4];
	char title[48];
	uint16_t stream;
	uint8_t flags;	   /* enum record_text_flag */
	struct span extra; /* the header of ASS */
};

struct record {
	struct record_validator source;
	enum record_container container;
	uint32_t flags;	    /* enum record_flag */
	uint32_t timescale; /* units of `t` and `origin` in a second */
	int64_t origin;	    /* the source's own time (of the picture, if any) at time 0 */
	struct record_video video;
	struct record_audio audio[RECORD_AUDIO_MAX];
	size_t audio_count;
	struct record_text text[RECORD_TEXT_MAX];
	size_t text_count;
	struct span head;  /* the container's beginning, up to its media; with RECORD_JOINED */
	struct span table; /* AVI: places in it (lib/av/avi_table.h), with RECORD_WALKED; may be
			      empty */
	uint32_t peak_bps; /* of the source, over its segments */
	uint32_t average_bps;
	size_t segments; /* 1 or more */
	int64_t *t;	 /* [segments + 1], rising from 0; the last is the duration */
	uint64_t *pos;	 /* [segments + 1]: where to begin to read for one; the last: the end */
};

/* Appends the encoded record; whether it fitted is asked of the buffer. The record must be one that
 * record_decode() would take. */
void record_encode(const struct record *r, struct buf *to);

/* Reads an encoded record. Its arrays come from `arena`, its spans point into `bytes`, which must
 * outlive it. Fails (FAIL_INPUT) for anything that record_encode() would not have written,
 * byte for byte; *out is undefined then. */
int record_decode(struct span bytes, struct arena *arena, struct record *out, struct fail *f);

/* Of segment n < r->segments, in microseconds; begins are rounded, so that they add up. */
int64_t record_begin_us(const struct record *r, size_t n); /* n may be r->segments: the duration */
int64_t record_duration_us(const struct record *r, size_t n);

/* The longest segment's duration, rounded to whole seconds: EXT-X-TARGETDURATION. */
int record_target_s(const struct record *r);

/* The picture as it is shown: turned, with square samples. 0 x 0 where there is none. */
void record_shown(const struct record *r, int *width, int *height);

/* Lines of the 16:9 picture that this one just fits into: 1080 for 1920 x 804. What is compared
 * with the rungs of a ladder (ladder_fit). */
int record_lines(const struct record *r);

#endif
