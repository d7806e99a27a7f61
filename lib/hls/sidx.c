/* lib/hls/sidx.c - where the segments of a fragmented MP4 lie, by the index at its beginning.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/sidx.h"

#include <string.h>

#include "lib/hls/mp4_box.h"

enum { BOX_HEAD = 16 /* length, type, long length */, PART_BYTES = 12 };

static const uint32_t nested = 1U << 31; /* a part that is another index */

/* The box at `at`: its type, how long it is, and where its contents begin. False when its length
 * makes no sense. Sixteen bytes of it are there. */
static bool look(struct span head, int64_t at, char type[5], int64_t *length, int64_t *inside)
{
	struct mp4_box b = {.p = (const uint8_t *)head.ptr + at, .len = BOX_HEAD};
	uint64_t len = mp4_box_get(&b, 4);

	for (int i = 0; i < 4; i++)
		type[i] = (char)mp4_box_get(&b, 1);
	type[4] = '\0';
	*inside = at + 8;
	if (len == 1) {
		len = mp4_box_get(&b, 8);
		*inside = at + BOX_HEAD;
	}
	*length = len <= SIDX_HEAD_MAX ? (int64_t)len : 0;
	return *length >= *inside - at;
}

/* Whether a part begins with a picture that needs none before it, nor has any behind it that does:
 * starts_with_SAP, SAP_type 1 or 2, and no SAP_delta_time. */
static bool is_access_point(uint32_t sap)
{
	return sap == (1U << 31 | 1U << 28) || sap == (1U << 31 | 2U << 28);
}

/* `from` is where the first part begins. */
static bool read_parts(struct mp4_box *b, int64_t from, int64_t size, struct sidx *out)
{
	out->count = mp4_box_get(b, 2);
	out->independent = true;
	if (!out->timescale || !out->count || out->count > SIDX_PARTS_MAX ||
		b->len < out->count * PART_BYTES)
		return false;
	for (size_t i = 0; i < out->count; i++) {
		uint32_t length = (uint32_t)mp4_box_get(b, 4);

		out->parts[i] = (struct sidx_part){from, length, (int64_t)mp4_box_get(b, 4)};
		out->independent = is_access_point((uint32_t)mp4_box_get(b, 4)) && out->independent;
		if (length & nested || !length || !out->parts[i].duration || length > size - from)
			return false;
		from += length;
	}
	return true;
}

static bool read_index(struct mp4_box b, int64_t end, int64_t size, struct sidx *out)
{
	size_t bytes = mp4_box_full(&b, &(uint32_t){0}) ? 8 : 4;
	uint64_t offset;

	mp4_box_skip(&b, 4); /* whose it is */
	out->timescale = (int64_t)mp4_box_get(&b, 4);
	mp4_box_skip(&b, bytes); /* when it begins */
	offset = mp4_box_get(&b, bytes);
	mp4_box_skip(&b, 2);
	return !b.over && offset <= (uint64_t)(size - end) &&
	       read_parts(&b, end + (int64_t)offset, size, out);
}

static enum sidx_result want(int64_t bytes, int64_t size, int64_t *need)
{
	*need = bytes;
	return bytes <= size && bytes <= SIDX_HEAD_MAX + BOX_HEAD ? SIDX_MORE : SIDX_NONE;
}

enum sidx_result sidx_read(struct span head, int64_t size, struct sidx *out, int64_t *need)
{
	int64_t at = 0, length, inside, have = (int64_t)head.len;
	char type[5];

	out->init_length = 0;
	for (;;) {
		if (at + BOX_HEAD > have)
			return want(at + BOX_HEAD, size, need);
		if (at > SIDX_HEAD_MAX || !look(head, at, type, &length, &inside) ||
			strcmp(type, "moof") == 0 || strcmp(type, "mdat") == 0)
			return SIDX_NONE;
		if (strcmp(type, "moov") == 0)
			out->init_length = at + length;
		if (strcmp(type, "sidx") == 0)
			break;
		at += length;
	}
	if (!out->init_length || at + length > size)
		return SIDX_NONE;
	if (at + length > have)
		return want(at + length, size, need);
	return read_index((struct mp4_box){.p = (const uint8_t *)head.ptr + inside,
				  .len = (size_t)(at + length - inside)},
		       at + length, size, out)
		       ? SIDX_OK
		       : SIDX_NONE;
}
