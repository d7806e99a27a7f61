/* lib/hls/mp4_box.h - boxes within boxes.                   ISO/IEC 14496-12 section 4.2
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HLS_MP4_BOX_H
#define SLUICE_HLS_MP4_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a file that is read from its front; what lies beyond its end reads as 0. */
struct mp4_box {
	const uint8_t *p;
	size_t len;
	char type[5];
	bool over; /* more was read than there is */
};

/* Takes the next box off the front of `from`: `to` is what is in it. False at the end, or where a
 * length makes no sense (from->over then). */
bool mp4_box_next(struct mp4_box *from, struct mp4_box *to);

/* The first box of that type in `from`, which stays as it is. */
bool mp4_box_find(const struct mp4_box *from, const char *type, struct mp4_box *to);

/* Takes `bytes` (up to 8) off the front, as a number. */
uint64_t mp4_box_get(struct mp4_box *b, size_t bytes);
void mp4_box_skip(struct mp4_box *b, size_t bytes);

/* Takes version and flags of a full box off the front; gives the version. */
uint8_t mp4_box_full(struct mp4_box *b, uint32_t *flags);

#endif
