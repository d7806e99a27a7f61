/* lib/av/art.c - pictures made smaller: logos and posters.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/art.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <string.h>
#include <sys/uio.h>

#include "lib/av/fmp4.h"

enum { PIXELS_MAX = 50 * 1000 * 1000, QUALITY = 4 };

/* What it is by how it begins (the files' own signatures); AV_CODEC_ID_NONE for anything else. */
static enum AVCodecID codec_of(const uint8_t *bytes, size_t len)
{
	static const struct {
		const char *magic;
		size_t len, at;
		enum AVCodecID id;
	} kinds[] = {{"\xff\xd8\xff", 3, 0, AV_CODEC_ID_MJPEG},
		{"\x89PNG\r\n\x1a\n", 8, 0, AV_CODEC_ID_PNG}, {"WEBP", 4, 8, AV_CODEC_ID_WEBP},
		{"GIF8", 4, 0, AV_CODEC_ID_GIF}, {"BM", 2, 0, AV_CODEC_ID_BMP}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (len > kinds[i].at + kinds[i].len &&
			memcmp(bytes + kinds[i].at, kinds[i].magic, kinds[i].len) == 0)
			return kinds[i].id;
	}
	return AV_CODEC_ID_NONE;
}

/* The whole source as a packet. */
static int read_source(const struct av_source *source, AVPacket *p, struct fail *f)
{
	uint64_t have = 0;

	if (source->size == 0 || source->size > ART_SOURCE_MAX)
		return fail_set(f, FAIL_INPUT, "The picture is empty, or larger than 16 MB");
	if (av_new_packet(p, (int)source->size) < 0)
		return fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	while (have < source->size) {
		int n = source->read_at(source->of, have, p->data + have, source->size - have);

		if (n <= 0)
			return fail_set(f, FAIL_UPSTREAM, "The picture cannot be read");
		have += (uint64_t)n;
	}
	return 0;
}

static int decode(const AVPacket *p, AVFrame *frame, struct fail *f)
{
	const AVCodec *codec = avcodec_find_decoder(codec_of(p->data, (size_t)p->size));
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	int result = -1;

	if (!codec)
		return fail_set(f, FAIL_INPUT, "This is no picture: JPEG, PNG, WebP, GIF or BMP");
	if (c) {
		c->max_pixels = PIXELS_MAX;
		c->thread_count = 1;
		if (avcodec_open2(c, codec, NULL) >= 0 && avcodec_send_packet(c, p) >= 0 &&
			avcodec_send_packet(c, NULL) >= 0 && avcodec_receive_frame(c, frame) >= 0)
			result = 0;
	}
	avcodec_free_context(&c);
	if (result < 0 || frame->width <= 0 || frame->height <= 0)
		return fail_set(f, FAIL_INPUT, "The picture is broken, or too large");
	return 0;
}

static bool may_be_transparent(const AVFrame *frame)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);

	return d && (d->flags & (AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_PAL));
}

/* Of RGBA. Many have a fourth channel for nothing. */
static bool is_transparent(const AVFrame *frame)
{
	for (int y = 0; y < frame->height; y++) {
		const uint8_t *line = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];

		for (int x = 0; x < frame->width; x++) {
			if (line[4 * x + 3] != 0xff)
				return true;
		}
	}
	return false;
}

/* Fits into `lines`, with its own shape. */
static void set_size(const AVFrame *from, int lines, AVFrame *to)
{
	int longer = from->width > from->height ? from->width : from->height;

	to->width = from->width;
	to->height = from->height;
	if (longer <= lines)
		return;
	to->width = (int)(((int64_t)from->width * lines + longer / 2) / longer);
	to->height = (int)(((int64_t)from->height * lines + longer / 2) / longer);
	to->width = to->width ? to->width : 1;
	to->height = to->height ? to->height : 1;
}

static int scale_to(
	enum AVPixelFormat format, const AVFrame *from, int lines, AVFrame *to, struct fail *f)
{
	struct SwsContext *sws;

	av_frame_unref(to);
	to->format = format;
	set_size(from, lines, to);
	if (av_frame_get_buffer(to, 0) < 0)
		return fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	sws = sws_getContext(from->width, from->height, from->format, to->width, to->height,
		to->format, SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
	if (!sws)
		return fail_set(f, FAIL_INPUT, "The picture has a form that cannot be scaled");
	sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
		to->data, to->linesize);
	sws_freeContext(sws);
	return 0;
}

static int scale(const AVFrame *from, int lines, AVFrame *to, struct fail *f)
{
	if (may_be_transparent(from)) {
		if (scale_to(AV_PIX_FMT_RGBA, from, lines, to, f) < 0)
			return -1;
		if (is_transparent(to))
			return 0;
	}
	return scale_to(AV_PIX_FMT_YUVJ444P, from, lines, to, f);
}

/* How a picture is to be shown: where a step to the right in it goes, and a step down. */
struct turn {
	int right_x, right_y, down_x, down_y; /* -1, 0, 1 */
};

static int sign(int32_t n)
{
	return (n > 0) - (n < 0);
}

/* What a camera wrote of how it was held (EXIF's Orientation); false when it is to be shown as it
 * is. */
static bool read_turn(const AVFrame *frame, struct turn *t)
{
	const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
	int32_t m[9];

	if (!side || side->size < sizeof(m))
		return false;
	memcpy(m, side->data, sizeof(m));
	*t = (struct turn){sign(m[0]), sign(m[1]), sign(m[3]), sign(m[4])};
	if (t->right_x == 1 && t->down_y == 1)
		return false;
	return t->right_x ? t->down_y && !t->right_y && !t->down_x
			  : t->right_y && t->down_x && !t->down_y;
}

static void turn_plane(const AVFrame *from, int plane, const struct turn *t, AVFrame *to)
{
	size_t bytes = from->format == AV_PIX_FMT_RGBA ? 4 : 1;
	int left = t->right_x < 0 || t->down_x < 0 ? to->width - 1 : 0;
	int top = t->right_y < 0 || t->down_y < 0 ? to->height - 1 : 0;

	for (int y = 0; y < from->height; y++) {
		const uint8_t *in = from->data[plane] + (ptrdiff_t)y * from->linesize[plane];

		for (int x = 0; x < from->width; x++) {
			int at_x = left + t->right_x * x + t->down_x * y;
			int at_y = top + t->right_y * x + t->down_y * y;

			memcpy(to->data[plane] + (ptrdiff_t)at_y * to->linesize[plane] +
					(size_t)at_x * bytes,
				in + (size_t)x * bytes, bytes);
		}
	}
}

/* What has been scaled, of RGBA or YUVJ444P. */
static int turn(AVFrame *frame, const struct turn *t, struct fail *f)
{
	AVFrame *turned = av_frame_alloc();

	if (turned) {
		turned->format = frame->format;
		turned->width = t->right_x ? frame->width : frame->height;
		turned->height = t->right_x ? frame->height : frame->width;
	}
	if (!turned || av_frame_get_buffer(turned, 0) < 0) {
		av_frame_free(&turned);
		return fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	}
	for (int plane = 0; plane < 3 && frame->data[plane]; plane++)
		turn_plane(frame, plane, t, turned);
	av_frame_unref(frame);
	av_frame_move_ref(frame, turned);
	av_frame_free(&turned);
	return 0;
}

static int print(AVFrame *frame, struct buf *to, struct fail *f)
{
	bool png = frame->format == AV_PIX_FMT_RGBA;
	const AVCodec *codec = avcodec_find_encoder(png ? AV_CODEC_ID_PNG : AV_CODEC_ID_MJPEG);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	AVPacket *p = av_packet_alloc();
	int result = -1;

	if (c && p) {
		c->width = frame->width;
		c->height = frame->height;
		c->pix_fmt = frame->format;
		c->color_range = AVCOL_RANGE_JPEG;
		c->time_base = (AVRational){1, 1};
		c->thread_count = 1;
		if (!png) {
			c->flags |= AV_CODEC_FLAG_QSCALE;
			c->global_quality = frame->quality = QUALITY * FF_QP2LAMBDA;
		}
		frame->pts = 0;
		if (avcodec_open2(c, codec, NULL) >= 0 && avcodec_send_frame(c, frame) >= 0 &&
			avcodec_send_frame(c, NULL) >= 0 && avcodec_receive_packet(c, p) >= 0 &&
			buf_add(to, p->data, (size_t)p->size))
			result = 0;
	}
	av_packet_free(&p);
	avcodec_free_context(&c);
	return result < 0 ? fail_set(f, FAIL_BUSY, "The picture cannot be written") : 0;
}

int art_scale(const struct av_source *source, int lines, struct buf *to, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	AVFrame *whole = av_frame_alloc(), *small = av_frame_alloc();
	int result = -1;
	struct turn t;

	if (!p || !whole || !small)
		fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	else if (read_source(source, p, f) == 0 && decode(p, whole, f) == 0 &&
		 scale(whole, lines, small, f) == 0 &&
		 (!read_turn(whole, &t) || turn(small, &t, f) == 0))
		result = print(small, to, f);
	av_frame_free(&small);
	av_frame_free(&whole);
	av_packet_free(&p);
	return result;
}

int av_art(const struct av_source *s, int lines, int out_fd, struct fail *f)
{
	struct iovec piece;
	struct buf bytes;
	int result;

	if (lines < ART_LINES_MIN || lines > ART_LINES_MAX)
		return fail_set(f, FAIL_INPUT, "A picture has %d to %d lines", ART_LINES_MIN,
			ART_LINES_MAX);
	buf_init(&bytes, ART_SOURCE_MAX * 2);
	result = art_scale(s, lines, &bytes, f);
	piece = (struct iovec){bytes.ptr, bytes.len};
	if (result == 0)
		result = fmp4_write_all(out_fd, &piece, 1, f);
	buf_release(&bytes);
	return result;
}
