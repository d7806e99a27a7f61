/* lib/av/nal.c - NAL units of H.264 and HEVC.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/nal.h"

#include <stdio.h>
#include <string.h>

#include "lib/hls/bits.h"

enum { H264_SEI = 6, H264_SPS = 7, H264_PPS = 8, H264_DELIMITER = 9, H264_FILLER = 12 };
enum {
	HEVC_VPS = 32,
	HEVC_SPS = 33,
	HEVC_PPS = 34,
	HEVC_DELIMITER = 35,
	HEVC_FILLER = 38,
	SETS_MAX = 16
};

bool nal_has_start_code(struct span s)
{
	return (s.len >= 4 && memcmp(s.ptr, "\0\0\0\1", 4) == 0) ||
	       (s.len >= 3 && memcmp(s.ptr, "\0\0\1", 3) == 0);
}

/* Where the next 00 00 01 begins, or the end. */
static size_t start_code(struct span s)
{
	const char *at = s.len >= 3 ? memmem(s.ptr, s.len, "\0\0\1", 3) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

bool nal_next(struct span *rest, struct span *unit)
{
	size_t from = start_code(*rest), len;

	if (from == rest->len)
		return false;
	*rest = span_make(rest->ptr + from + 3, rest->len - from - 3);
	len = start_code(*rest);
	*unit = span_make(rest->ptr, len);
	*rest = span_make(rest->ptr + len, rest->len - len);
	while (unit->len && !unit->ptr[unit->len - 1])
		unit->len--;
	return true;
}

static int type_of(enum nal_codec codec, struct span unit)
{
	int first = unit.len ? (unsigned char)unit.ptr[0] : 0;

	return codec == NAL_H264 ? first & 31 : first >> 1 & 63;
}

struct sets {
	struct span units[SETS_MAX];
	size_t count;
};

/* The parameter sets of one type, each once. */
static void collect(enum nal_codec codec, struct span stream, int type, struct sets *out)
{
	struct span unit;

	out->count = 0;
	while (nal_next(&stream, &unit) && out->count < SETS_MAX) {
		bool known = false;
		if (type_of(codec, unit) != type || unit.len > 4096)
			continue;
		for (size_t i = 0; i < out->count; i++)
			known |= span_eq(out->units[i], unit);
		if (!known)
			out->units[out->count++] = unit;
	}
}

static void put_sets(const struct sets *s, struct buf *to)
{
	for (size_t i = 0; i < s->count; i++) {
		buf_putc(to, (char)(s->units[i].len >> 8));
		buf_putc(to, (char)s->units[i].len);
		buf_add(to, s->units[i].ptr, s->units[i].len);
	}
}

static bool avc_config(struct span stream, struct buf *to)
{
	struct sets sps, pps;

	collect(NAL_H264, stream, H264_SPS, &sps);
	collect(NAL_H264, stream, H264_PPS, &pps);
	if (!sps.count || !pps.count || sps.units[0].len < 4)
		return false;
	buf_putc(to, 1);
	buf_add(to, sps.units[0].ptr + 1, 3);
	buf_putc(to, (char)0xff);
	buf_putc(to, (char)(0xe0 | sps.count));
	put_sets(&sps, to);
	buf_putc(to, (char)pps.count);
	put_sets(&pps, to);
	/* Of the High profiles: 4:2:0, 8 bits, no extensions; others are not copied. */
	if ((unsigned char)sps.units[0].ptr[1] >= 100)
		buf_add(to, "\xfd\xf8\xf8\0", 4);
	return true;
}

static bool hevc_config(struct span stream, int depth, struct buf *to)
{
	static const int types[] = {HEVC_VPS, HEVC_SPS, HEVC_PPS};
	struct sets sets[3];
	uint8_t sps[64];
	size_t len;

	for (int i = 0; i < 3; i++) {
		collect(NAL_HEVC, stream, types[i], &sets[i]);
		if (!sets[i].count)
			return false;
	}
	len = bits_unescape(
		(const uint8_t *)sets[1].units[0].ptr, sets[1].units[0].len, sps, sizeof(sps));
	if (len < 15)
		return false;
	buf_putc(to, 1);
	/* general_profile_space to general_level_idc: byte for byte what the SPS says */
	buf_add(to, sps + 3, 12);
	buf_add(to, "\xf0\0\xfc\xfd", 4); /* parallelism not said; 4:2:0 */
	buf_putc(to, (char)(0xf8 | (depth - 8)));
	buf_putc(to, (char)(0xf8 | (depth - 8)));
	buf_add(to, "\0\0", 2);
	/* layers and nesting as the SPS says; lengths of four bytes */
	buf_putc(to, (char)(((sps[2] >> 1 & 7) + 1) << 3 | (sps[2] & 1) << 2 | 3));
	buf_putc(to, 3);
	for (int i = 0; i < 3; i++) {
		buf_putc(to, (char)(0x80 | types[i]));
		buf_putc(to, 0);
		buf_putc(to, (char)sets[i].count);
		put_sets(&sets[i], to);
	}
	return true;
}

bool nal_config(enum nal_codec codec, struct span stream, int depth, struct buf *to)
{
	return codec == NAL_H264 ? avc_config(stream, to) : hevc_config(stream, depth, to);
}

/* Parameter sets of others stay where they are: they may change in the middle of a film. */
static bool is_dropped(enum nal_codec codec, struct span unit, bool own)
{
	int type = type_of(codec, unit);

	if (!unit.len)
		return true;
	if (codec == NAL_HEVC)
		return type == HEVC_DELIMITER || type == HEVC_FILLER;
	return type == H264_DELIMITER || type == H264_FILLER ||
	       (own && (type == H264_SPS || type == H264_PPS || type == H264_SEI));
}

void nal_to_lengths(enum nal_codec codec, struct span stream, bool own, struct buf *to)
{
	struct span unit;

	while (nal_next(&stream, &unit)) {
		if (is_dropped(codec, unit, own))
			continue;
		for (int i = 24; i >= 0; i -= 8)
			buf_putc(to, (char)(unit.len >> i));
		buf_add(to, unit.ptr, unit.len);
	}
}

static void hevc_codecs(const uint8_t *c, char *to, size_t size)
{
	static const char *const space[] = {"", "A", "B", "C"};
	uint32_t flags = 0;
	size_t used;
	int last = 11;

	/* The compatibility flags are written with their first bit lowest. */
	for (int i = 0; i < 32; i++)
		flags |= (uint32_t)(c[2 + i / 8] >> (7 - i % 8) & 1) << i;
	used = (size_t)snprintf(to, size, "hvc1.%s%d.%X.%c%d", space[c[1] >> 6], c[1] & 31, flags,
		c[1] & 0x20 ? 'H' : 'L', c[12]);
	while (last >= 6 && !c[last])
		last--;
	for (int i = 6; i <= last && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, ".%X", c[i]);
}

bool nal_codecs(enum nal_codec codec, struct span config, char *to, size_t size)
{
	const uint8_t *c = (const uint8_t *)config.ptr;

	if (config.len < 7 || c[0] != 1 || (codec == NAL_HEVC && config.len < 23))
		return false;
	if (codec == NAL_H264)
		snprintf(to, size, "avc1.%02X%02X%02X", c[1], c[2], c[3]);
	else
		hevc_codecs(c, to, size);
	return true;
}
