/* lib/av/look_h264.c - how an H.264 picture is shown, without decoding one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/look_h264.h"

#include <libavutil/pixdesc.h>

#include "lib/hls/sps.h"

enum { AVCC_HEAD = 6, NAL_SLICE = 1, NAL_IDR = 5, UNSAID = 2, ASPECT_EXTENDED = 1 << 16 };

/* Table E-1. */
static const AVRational aspects[] = {{0, 1}, {1, 1}, {12, 11}, {10, 11}, {16, 11}, {40, 33},
	{24, 11}, {20, 11}, {32, 11}, {80, 33}, {18, 11}, {15, 11}, {64, 33}, {160, 99}, {4, 3},
	{3, 2}, {2, 1}};

static AVRational aspect(uint32_t said)
{
	if (said < sizeof(aspects) / sizeof(aspects[0]))
		return aspects[said];
	if (said >= ASPECT_EXTENDED && (said & 0xffff))
		return (AVRational){(int)(said >> 16), (int)(said & 0xffff)};
	return (AVRational){0, 1};
}

/* The only parameter set of an avcC, and how many bytes a length takes in its pictures. */
static bool read_config(const AVStream *st, struct sps *s, int *length_bytes)
{
	const uint8_t *c = st->codecpar->extradata;
	int size = st->codecpar->extradata_size;

	if (size < AVCC_HEAD + 2 || c[0] != 1 || (c[5] & 31) != 1)
		return false;
	*length_bytes = (c[4] & 3) + 1;
	size_t len = (size_t)c[AVCC_HEAD] << 8 | c[AVCC_HEAD + 1];
	return len <= (size_t)size - AVCC_HEAD - 2 && sps_parse(c + AVCC_HEAD + 2, len, s);
}

/* Whether it is whole units from end to end, with a slice among them. */
static bool is_whole(const AVPacket *key, int length_bytes)
{
	const uint8_t *at = key->data, *end = at + key->size;
	bool slice = false;

	while (at < end) {
		uint32_t len = 0;

		if (end - at <= length_bytes)
			return false;
		for (int i = 0; i < length_bytes; i++)
			len = len << 8 | *at++;
		if (len == 0 || len > (size_t)(end - at) || *at >> 7)
			return false;
		slice |= (*at & 31) == NAL_SLICE || (*at & 31) == NAL_IDR;
		at += len;
	}
	return slice;
}

static bool is_encrypted(const AVStream *st, const AVPacket *key)
{
	return av_stream_get_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL) ||
	       av_packet_get_side_data(key, AV_PKT_DATA_ENCRYPTION_INFO, NULL) ||
	       av_packet_get_side_data(key, AV_PKT_DATA_NEW_EXTRADATA, NULL);
}

bool look_h264(const AVStream *st, const AVPacket *key, AVFrame *frame)
{
	struct sps s;
	int length_bytes;

	if (st->codecpar->codec_id != AV_CODEC_ID_H264 || !key ||
		!read_config(st, &s, &length_bytes) || !is_whole(key, length_bytes) ||
		is_encrypted(st, key) || !s.progressive || s.chroma != 1 || s.depth != 8)
		return false;
	frame->width = s.width;
	frame->height = s.height;
	frame->format = s.full_range ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
	frame->sample_aspect_ratio = aspect(s.aspect);
	/* What the stream does not say the container may. */
	frame->color_primaries =
		s.primaries == UNSAID ? st->codecpar->color_primaries : s.primaries;
	frame->color_trc = s.transfer == UNSAID ? st->codecpar->color_trc : s.transfer;
	frame->colorspace = s.matrix == UNSAID ? st->codecpar->color_space : s.matrix;
	if (!av_color_primaries_name(frame->color_primaries))
		frame->color_primaries = AVCOL_PRI_UNSPECIFIED;
	if (!av_color_transfer_name(frame->color_trc))
		frame->color_trc = AVCOL_TRC_UNSPECIFIED;
	if (!av_color_space_name(frame->colorspace))
		frame->colorspace = AVCOL_SPC_UNSPECIFIED;
	return true;
}
