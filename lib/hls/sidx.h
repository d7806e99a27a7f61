/* lib/hls/sidx.h - where the segments of a fragmented MP4 lie.   ISO/IEC 14496-12 section 8.16.3
 * SPDX-License-Identifier: BSD-2-Clause
 * Numbers only. An index of further indexes is not read, nor one that is not at the beginning. */
#ifndef SLUICE_HLS_SIDX_H
#define SLUICE_HLS_SIDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

enum {
	SIDX_PARTS_MAX = 16384,
	SIDX_HEAD_MAX = 4 << 20 /* an index that begins later is none */
};

struct sidx_part {
	int64_t at, length; /* bytes, from the beginning of the file */
	int64_t duration;   /* in ticks */
};

struct sidx {
	int64_t init_length; /* bytes from the beginning that every part needs before it */
	int64_t timescale;   /* ticks a second */
	bool independent;    /* each part can be decoded by itself, as far as the index says it */
	size_t count;	     /* at least 1 */
	struct sidx_part parts[SIDX_PARTS_MAX]; /* one behind the other, all within the file */
};

enum sidx_result {
	SIDX_OK,
	SIDX_MORE, /* *need bytes of the beginning tell more, and are within the file */
	SIDX_NONE  /* there is none, or it makes no sense */
};

/* Reads the index out of the beginning of a file of `size` bytes. */
enum sidx_result sidx_read(struct span head, int64_t size, struct sidx *out, int64_t *need);

#endif
