/* lib/hls/sps.c - what an H.264 stream says of its pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/sps.h"

#include <string.h>

#include "lib/hls/bits.h"
#include "lib/hls/ts.h"

enum { NAL_SPS = 7, SIDE_MAX = 16384, UNIT_MAX = 512, UNSAID = 2 };

static bool has_chroma(unsigned profile)
{
	static const uint8_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134};

	return memchr(high, (int)profile, sizeof(high)) != NULL;
}

/* 7.3.2.1.1.1: only the deltas tell where a list ends. */
static void skip_scaling(struct bits *b)
{
	for (int list = 0; list < 8 && !b->over; list++) {
		int size = list < 6 ? 16 : 64, last = 8, next = 8;

		if (!bits_get(b, 1))
			continue;
		for (int i = 0; i < size && next && !b->over; i++) {
			next = (last + bits_signed_golomb(b) % 256 + 256) % 256;
			last = next ? next : last;
		}
	}
}

/* 7.3.2.1.1, up to the size. False where it goes another way than we read. */
static bool read_formats(struct bits *b, struct sps *s)
{
	uint32_t poc, count, chroma = 1, luma_depth = 0, chroma_depth = 0;

	bits_golomb(b); /* seq_parameter_set_id */
	if (has_chroma(s->profile)) {
		chroma = bits_golomb(b);
		if (chroma > 2)
			return false;
		luma_depth = bits_golomb(b);
		chroma_depth = bits_golomb(b);
		if (luma_depth > 6 || chroma_depth > 6)
			return false;
		bits_get(b, 1);
		if (bits_get(b, 1))
			skip_scaling(b);
	}
	s->chroma = (uint8_t)chroma;
	s->depth = (uint8_t)(8 + (luma_depth > chroma_depth ? luma_depth : chroma_depth));
	bits_golomb(b);
	poc = bits_golomb(b);
	if (poc == 0) {
		bits_golomb(b);
	} else if (poc == 1) {
		bits_get(b, 1);
		bits_golomb(b);
		bits_golomb(b);
		count = bits_golomb(b);
		for (uint32_t i = 0; i < count && !b->over; i++)
			bits_golomb(b);
	}
	bits_golomb(b); /* max_num_ref_frames */
	bits_get(b, 1);
	return !b->over;
}

static bool read_size(struct bits *b, struct sps *s)
{
	uint32_t width = bits_golomb(b) + 1, height = bits_golomb(b) + 1, frames = bits_get(b, 1),
		 cut[4] = {0};
	uint32_t x = s->chroma ? 2 : 1, y = (s->chroma == 1 ? 2 : 1) * (2 - frames);

	s->progressive = frames != 0;
	if (!frames)
		bits_get(b, 1);
	bits_get(b, 1);
	for (int i = 0, cropped = (int)bits_get(b, 1); cropped && i < 4; i++)
		cut[i] = bits_golomb(b);
	if (b->over || width > SIDE_MAX / 16 || height > SIDE_MAX / 16)
		return false;
	width *= 16;
	height *= 16 * (2 - frames);
	for (int i = 0; i < 4; i++) {
		if (cut[i] > SIDE_MAX)
			return false;
	}
	if ((cut[0] + cut[1]) * x >= width || (cut[2] + cut[3]) * y >= height)
		return false;
	s->width = (int)(width - (cut[0] + cut[1]) * x);
	s->height = (int)(height - (cut[2] + cut[3]) * y);
	return s->height <= SIDE_MAX;
}

/* E.1.1, video_signal_type_present_flag and on. */
static void read_colours(struct bits *b, struct sps *s)
{
	if (!bits_get(b, 1))
		return;
	bits_get(b, 3);
	s->full_range = bits_get(b, 1) != 0;
	if (!bits_get(b, 1))
		return;
	s->primaries = (uint8_t)bits_get(b, 8);
	s->transfer = (uint8_t)bits_get(b, 8);
	s->matrix = (uint8_t)bits_get(b, 8);
}

/* Annex E.1.1, up to the timing. */
static int64_t read_rate(struct bits *b, struct sps *s)
{
	int64_t unit, scale;

	if (!bits_get(b, 1)) /* vui_parameters_present_flag */
		return 0;
	if (bits_get(b, 1)) {
		s->aspect = bits_get(b, 8);
		if (s->aspect == 255)
			s->aspect = bits_get(b, 32);
	}
	if (bits_get(b, 1))
		bits_get(b, 1);
	read_colours(b, s);
	if (bits_get(b, 1)) {
		bits_golomb(b);
		bits_golomb(b);
	}
	if (!bits_get(b, 1)) /* timing_info_present_flag */
		return 0;
	unit = bits_get(b, 32);
	scale = bits_get(b, 32);
	if (b->over || unit == 0 || scale / unit > 2000)
		return 0;
	return scale * 1000 / unit / 2; /* two fields a picture */
}

bool sps_parse(const void *nal, size_t len, struct sps *out)
{
	uint8_t unit[UNIT_MAX];
	struct bits b = {unit, bits_unescape(nal, len, unit, sizeof(unit)), 0, false};
	struct sps s = {.primaries = UNSAID, .transfer = UNSAID, .matrix = UNSAID};

	if (bits_get(&b, 1) || (bits_get(&b, 7) & 31) != NAL_SPS)
		return false;
	s.profile = (uint8_t)bits_get(&b, 8);
	s.constraints = (uint8_t)bits_get(&b, 8);
	s.level = (uint8_t)bits_get(&b, 8);
	if (!read_formats(&b, &s) || !read_size(&b, &s))
		return false;
	s.rate_milli = read_rate(&b, &s);
	*out = s;
	return true;
}

struct search {
	struct ts ts;
	struct sps sps;
	bool found;
};

/* An encoder's first packet holds the set whole. */
static void on_packet(void *ctx, const struct ts_packet *p)
{
	struct search *search = ctx;
	const struct ts_stream *video = ts_video(&search->ts.program);

	if (search->found || !video || video->codec != TS_H264 || p->pid != video->pid)
		return;
	for (size_t i = 4; i + 4 < TS_PACKET && !search->found; i++) {
		const uint8_t *at = p->bytes + i;
		if (at[0] == 0 && at[1] == 0 && at[2] == 1 && (at[3] & 31) == NAL_SPS)
			search->found = sps_parse(at + 3, TS_PACKET - i - 3, &search->sps);
	}
}

bool sps_find(const void *ts, size_t len, struct sps *out)
{
	struct search search = {.found = false};

	ts_init(&search.ts);
	ts_feed(&search.ts, ts, len, on_packet, &search);
	if (search.found)
		*out = search.sps;
	return search.found;
}
