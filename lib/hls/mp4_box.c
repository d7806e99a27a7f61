/* lib/hls/mp4_box.c - boxes within boxes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/mp4_box.h"

#include <string.h>

void mp4_box_skip(struct mp4_box *b, size_t bytes)
{
	b->over |= bytes > b->len;
	bytes = bytes < b->len ? bytes : b->len;
	b->p += bytes;
	b->len -= bytes;
}

uint64_t mp4_box_get(struct mp4_box *b, size_t bytes)
{
	uint64_t value = 0;

	if (bytes > b->len) {
		mp4_box_skip(b, bytes);
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | b->p[i];
	mp4_box_skip(b, bytes);
	return value;
}

uint8_t mp4_box_full(struct mp4_box *b, uint32_t *flags)
{
	uint32_t word = (uint32_t)mp4_box_get(b, 4);

	*flags = word & 0xffffff;
	return (uint8_t)(word >> 24);
}

bool mp4_box_next(struct mp4_box *from, struct mp4_box *to)
{
	struct mp4_box rest = *from;
	uint64_t size, head = 8;

	if (!rest.len)
		return false;
	size = mp4_box_get(&rest, 4);
	*to = (struct mp4_box){0};
	for (int i = 0; i < 4; i++)
		to->type[i] = (char)mp4_box_get(&rest, 1);
	if (size == 1) {
		size = mp4_box_get(&rest, 8);
		head = 16;
	} else if (size == 0) { /* to the end */
		size = from->len;
	}
	if (rest.over || size < head || size > from->len) {
		from->over = true;
		return false;
	}
	to->p = from->p + head;
	to->len = (size_t)(size - head);
	mp4_box_skip(from, (size_t)size);
	return true;
}

bool mp4_box_find(const struct mp4_box *from, const char *type, struct mp4_box *to)
{
	struct mp4_box rest = *from;

	while (mp4_box_next(&rest, to)) {
		if (memcmp(to->type, type, 4) == 0)
			return true;
	}
	return false;
}
