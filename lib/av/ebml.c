/* lib/av/ebml.c - as much of Matroska's frame as is needed to find its clusters.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/ebml.h"

#include <string.h>

enum {
	ID_EBML = 0x1A45DFA3,
	ID_SEGMENT = 0x18538067,
	ID_SEEK_HEAD = 0x114D9B74,
	ID_CUES = 0x1C53BB6B,
	ID_CLUSTER = 0x1F43B675,
	ID_TIMESTAMP = 0xE7,
	ELEMENTS_MAX = 1000,
	HEADER_MAX = 12
};

#define SIZE_UNKNOWN UINT64_MAX

/* A variable-size integer, with its marker or without; its length, or 0 for none. */
static size_t vint(const uint8_t *p, size_t have, bool keep_marker, uint64_t *out)
{
	size_t len = 1;
	uint64_t value;
	bool ones;

	if (!have || !p[0])
		return 0;
	while (!(p[0] >> (8 - len) & 1))
		len++;
	if (len > have)
		return 0;
	value = keep_marker ? p[0] : p[0] & ((1u << (8 - len)) - 1);
	ones = value == (1u << (8 - len)) - 1;
	for (size_t i = 1; i < len; i++) {
		value = value << 8 | p[i];
		ones &= p[i] == 0xff;
	}
	*out = ones && !keep_marker ? SIZE_UNKNOWN : value;
	return len;
}

/* Reads an element's header. Returns its length, 0 where none is. */
static size_t element(const uint8_t *p, size_t have, uint64_t *id, uint64_t *size)
{
	size_t id_len = vint(p, have, true, id), size_len;

	if (!id_len || id_len > 4)
		return 0;
	size_len = vint(p + id_len, have - id_len, false, size);
	return size_len ? id_len + size_len : 0;
}

static int nonsense(struct reader *r, struct fail *f)
{
	if (r->error)
		return reader_fail(r, 0, "The file", f);
	return fail_set(f, FAIL_INPUT, "The Matroska file is damaged at its beginning");
}

int ebml_map(struct reader *r, struct ebml_map *out, struct fail *f)
{
	uint64_t at = 0, id, size;

	*out = (struct ebml_map){0};
	for (int i = 0; i < ELEMENTS_MAX; i++) {
		const uint8_t *p;
		int have = reader_peek(r, at, HEADER_MAX, &p);
		size_t header = have > 0 ? element(p, (size_t)have, &id, &size) : 0;

		if (have == 0)
			return 0;
		if (!header || (i == 0 && id != ID_EBML))
			return nonsense(r, f);
		if (id == ID_CLUSTER) {
			out->first_cluster = at;
			return 0;
		}
		if (id == ID_CUES)
			out->has_cues = true;
		if (id == ID_SEEK_HEAD && size < READER_RANGE_MIN) {
			have = reader_peek(r, at, header + (size_t)size, &p);
			out->has_cues |= have > 0 && memmem(p, (size_t)have, "\x1C\x53\xBB\x6B", 4);
		}
		if (id == ID_SEGMENT)
			size = 0; /* is entered, not passed */
		if (size == SIZE_UNKNOWN || size > r->source->size - at)
			return nonsense(r, f);
		at += header + size;
	}
	return nonsense(r, f);
}

/* Whether a cluster begins with these bytes, and not only its name by chance. */
static bool is_cluster(const uint8_t *p, size_t have)
{
	uint64_t id, size;
	size_t header = element(p, have, &id, &size);

	if (!header || id != ID_CLUSTER || have < header + 2)
		return false;
	p += header;
	/* The timestamp comes first, but for a CRC-32 or a void. */
	return p[0] == ID_TIMESTAMP || p[0] == 0xBF || p[0] == 0xEC;
}

uint64_t ebml_cluster(struct reader *r, uint64_t from, uint64_t until)
{
	while (from < until) {
		const uint8_t *p, *hit;
		int have = reader_peek(r, from, READER_RANGE_MIN, &p);
		if (have < HEADER_MAX + 4)
			return 0;
		for (size_t at = 0;
			(hit = memmem(p + at, (size_t)have - at, "\x1F\x43\xB6\x75", 4));
			at = (size_t)(hit - p) + 1) {
			size_t left = (size_t)have - (size_t)(hit - p);
			if (left < HEADER_MAX + 4)
				break;
			if (from + (uint64_t)(hit - p) < until && is_cluster(hit, left))
				return from + (uint64_t)(hit - p);
		}
		from += (uint64_t)have - HEADER_MAX - 4;
		if (have < READER_RANGE_MIN)
			return 0;
	}
	return 0;
}
