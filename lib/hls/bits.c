/* lib/hls/bits.c - bits and exponential-Golomb codes of a NAL unit.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/bits.h"

static unsigned bit(struct bits *b)
{
	size_t byte = b->at / 8;

	if (byte >= b->len) {
		b->over = true;
		return 0;
	}
	return b->p[byte] >> (7 - b->at++ % 8) & 1;
}

uint32_t bits_get(struct bits *b, int count)
{
	uint32_t value = 0;

	while (count-- > 0)
		value = value << 1 | bit(b);
	return value;
}

void bits_skip(struct bits *b, size_t count)
{
	b->over |= b->at + count > b->len * 8;
	b->at = b->over ? b->len * 8 : b->at + count;
}

uint32_t bits_golomb(struct bits *b)
{
	int zeros = 0;

	while (zeros < 32 && !bit(b) && !b->over)
		zeros++;
	if (zeros == 32)
		b->over = true;
	return b->over ? 0 : ((uint32_t)1 << zeros) - 1 + bits_get(b, zeros);
}

int32_t bits_signed_golomb(struct bits *b)
{
	uint32_t code = bits_golomb(b);

	return code & 1 ? (int32_t)(code / 2 + 1) : -(int32_t)(code / 2);
}

size_t bits_unescape(const uint8_t *from, size_t len, uint8_t *to, size_t max)
{
	size_t size = 0;
	int zeros = 0;

	for (size_t i = 0; i < len && size < max; i++) {
		if (zeros >= 2 && from[i] == 3) {
			zeros = 0;
			continue;
		}
		zeros = from[i] ? 0 : zeros + 1;
		to[size++] = from[i];
	}
	return size;
}
