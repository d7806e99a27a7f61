/* lib/hls/es.c - what the first bytes of an elementary stream's unit say of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/es.h"

#include "lib/hls/bits.h"
#include "lib/hls/sps.h"

enum { SET_MAX = 512, SIDE_MAX = 16384 };

/* H.262 table 6-1, H.264 table 7-1, H.265 table 7-1 */
enum { MPEG2_SEQUENCE = 0xb3 };
enum { H264_IDR = 5, H264_SPS = 7 };
enum { H265_IRAP_FIRST = 16, H265_IRAP_LAST = 21, H265_VPS = 32, H265_SPS = 33 };

/* Moves *at behind the next start code; false when there is none, or too little behind it. */
static bool next_start(const uint8_t *unit, size_t len, size_t *at)
{
	if (len > ES_LOOK_BYTES)
		len = ES_LOOK_BYTES;
	for (size_t i = *at; i + 5 <= len; i++) {
		if (unit[i] == 0 && unit[i + 1] == 0 && unit[i + 2] == 1) {
			*at = i + 3;
			return true;
		}
	}
	return false;
}

static bool is_h264_sps(const uint8_t *nal)
{
	return (nal[0] & 0x9f) == H264_SPS && (nal[0] & 0x60);
}

/* nuh_layer_id 0, nuh_temporal_id_plus1 1 */
static bool is_h265(const uint8_t *nal, unsigned type)
{
	return nal[0] == type << 1 && nal[1] == 1;
}

enum ts_codec es_video_codec(const uint8_t *unit, size_t len)
{
	size_t at = 0;

	while (next_start(unit, len, &at)) {
		const uint8_t *nal = unit + at;
		if (nal[0] == MPEG2_SEQUENCE)
			return TS_MPEG2_VIDEO;
		if (is_h265(nal, H265_VPS) || is_h265(nal, H265_SPS))
			return TS_H265;
		if (is_h264_sps(nal))
			return TS_H264;
	}
	return TS_OTHER;
}

enum ts_codec es_audio_codec(const uint8_t *unit, size_t len)
{
	if (len < 8)
		return TS_OTHER;
	if (unit[0] == 0x0b && unit[1] == 0x77) /* ETSI TS 102 366 section 4.4.1.1, E.1.3.1.6 */
		return unit[5] >> 3 <= 10 ? TS_AC3 : TS_EAC3;
	if (unit[0] == 0x56 && (unit[1] & 0xe0) == 0xe0) /* ISO/IEC 14496-3 table 1.23 */
		return TS_AAC_LATM;
	if (unit[0] != 0xff || (unit[1] & 0xe0) != 0xe0)
		return TS_OTHER;
	if ((unit[1] & 0xf6) == 0xf0)
		return TS_AAC;
	return (unit[1] & 6) && (unit[2] & 0xf0) != 0xf0 ? TS_MPEG_AUDIO : TS_OTHER;
}

bool es_is_entry(enum ts_codec codec, const uint8_t *unit, size_t len)
{
	size_t at = 0;

	if (codec != TS_MPEG2_VIDEO && codec != TS_H264 && codec != TS_H265)
		return true;
	while (next_start(unit, len, &at)) {
		unsigned h264 = unit[at] & 31, h265 = unit[at] >> 1 & 63;
		if (codec == TS_MPEG2_VIDEO ? unit[at] == MPEG2_SEQUENCE
			: codec == TS_H264
				? h264 == H264_SPS || h264 == H264_IDR
				: h265 == H265_VPS || h265 == H265_SPS ||
					  (h265 >= H265_IRAP_FIRST && h265 <= H265_IRAP_LAST))
			return true;
	}
	return false;
}

/* H.262 section 6.2.2.1 */
static bool read_mpeg2(const uint8_t *p, size_t len, struct es_picture *out)
{
	struct bits b = {p, len, 8, false};
	struct es_picture picture = {(int)bits_get(&b, 12), (int)bits_get(&b, 12), bits_get(&b, 4)};

	if (b.over || !picture.width || !picture.height)
		return false;
	*out = picture;
	return true;
}

/* H.265 section 7.3.3, without any sub-layer but the highest */
static void skip_profile(struct bits *b, unsigned sub_layers)
{
	unsigned present[8][2] = {{0}};

	bits_skip(b, 88 + 8);
	for (unsigned i = 0; i < sub_layers; i++) {
		present[i][0] = bits_get(b, 1);
		present[i][1] = bits_get(b, 1);
	}
	if (sub_layers)
		bits_skip(b, (size_t)(8 - sub_layers) * 2);
	for (unsigned i = 0; i < sub_layers; i++)
		bits_skip(b, present[i][0] * 88 + present[i][1] * 8);
}

/* H.265 section 7.3.2.2.1, up to the conformance window */
static bool read_h265(const uint8_t *nal, size_t len, struct es_picture *out)
{
	uint8_t set[SET_MAX];
	struct bits b = {set, bits_unescape(nal, len, set, sizeof(set)), 16, false};
	uint32_t chroma, width, height, cut[4] = {0};
	unsigned sub_layers;

	bits_skip(&b, 4);
	sub_layers = bits_get(&b, 3);
	bits_skip(&b, 1);
	skip_profile(&b, sub_layers);
	bits_golomb(&b);
	chroma = bits_golomb(&b);
	if (chroma == 3)
		bits_skip(&b, 1);
	width = bits_golomb(&b);
	height = bits_golomb(&b);
	for (int i = 0, cropped = (int)bits_get(&b, 1); cropped && i < 4; i++)
		cut[i] = bits_golomb(&b);
	if (b.over || width > SIDE_MAX || height > SIDE_MAX || cut[0] > SIDE_MAX ||
		cut[1] > SIDE_MAX || cut[2] > SIDE_MAX || cut[3] > SIDE_MAX)
		return false;
	cut[0] = (cut[0] + cut[1]) * (chroma == 1 || chroma == 2 ? 2 : 1);
	cut[2] = (cut[2] + cut[3]) * (chroma == 1 ? 2 : 1);
	if (cut[0] >= width || cut[2] >= height)
		return false;
	*out = (struct es_picture){(int)(width - cut[0]), (int)(height - cut[2]), 0};
	return true;
}

bool es_read_picture(enum ts_codec codec, const uint8_t *unit, size_t len, struct es_picture *out)
{
	struct sps sps;
	size_t at = 0;

	while (next_start(unit, len, &at)) {
		const uint8_t *nal = unit + at;
		if (codec == TS_MPEG2_VIDEO && nal[0] == MPEG2_SEQUENCE)
			return read_mpeg2(nal, len - at, out);
		if (codec == TS_H265 && is_h265(nal, H265_SPS))
			return read_h265(nal, len - at, out);
		if (codec == TS_H264 && is_h264_sps(nal) && sps_parse(nal, len - at, &sps)) {
			*out = (struct es_picture){sps.width, sps.height, sps.aspect};
			return true;
		}
	}
	return false;
}
