/* lib/hls/bits.h - bits and exponential-Golomb codes of a NAL unit.     ITU-T H.264, H.265
 * SPDX-License-Identifier: BSD-2-Clause
 * Reading past the end gives 0 and sets `over`, so that a parser may ask once at its end. */
#ifndef SLUICE_HLS_BITS_H
#define SLUICE_HLS_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
	const uint8_t *p;
	size_t len, at; /* bytes, bits */
	bool over;
};

uint32_t bits_get(struct bits *b, int count); /* 0 to 32 of them */
void bits_skip(struct bits *b, size_t count);

/* ue(v) and se(v), section 9.1 (9.2 of H.265) */
uint32_t bits_golomb(struct bits *b);
int32_t bits_signed_golomb(struct bits *b);

/* Copies at most `max` bytes of a unit without those that keep start codes out (section 7.4.1);
 * returns how many. */
size_t bits_unescape(const uint8_t *from, size_t len, uint8_t *to, size_t max);

#endif
