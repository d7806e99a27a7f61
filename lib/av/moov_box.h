/* lib/av/moov_box.h - boxes of ISO base media files.             ISO/IEC 14496-12 section 4.2
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_MOOV_BOX_H
#define SLUICE_AV_MOOV_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"

#define MOOV_WORD(a, b, c, d)                                                                      \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static inline uint32_t moov_be32(const uint8_t *p)
{
	return MOOV_WORD(p[0], p[1], p[2], p[3]);
}

static inline uint64_t moov_be64(const uint8_t *p)
{
	return (uint64_t)moov_be32(p) << 32 | moov_be32(p + 4);
}

struct moov_box {
	uint32_t type;
	struct span whole, body;
};

/* Takes the next box off *rest. False at the end, and where none is whole: then *rest is not
 * empty. */
static inline bool moov_box_next(struct span *rest, struct moov_box *out)
{
	const uint8_t *p = (const uint8_t *)rest->ptr;
	uint64_t size, header = 8;

	if (rest->len < header)
		return false;
	size = moov_be32(p);
	if (size == 1 && rest->len >= 16) {
		header = 16;
		size = moov_be64(p + 8);
	}
	if (size < header || size > rest->len)
		return false;
	out->type = moov_be32(p + 4);
	out->whole = span_make(rest->ptr, (size_t)size);
	out->body = span_make(rest->ptr + header, (size_t)(size - header));
	*rest = span_make(rest->ptr + size, rest->len - (size_t)size);
	return true;
}

#endif
