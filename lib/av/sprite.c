/* lib/av/sprite.c - sheets of small pictures for the seek bar.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/sprite.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <string.h>

#include "lib/av/picture.h"

enum { QUALITY = 6 };

struct sheet {
	AVFrame *frame;
	int x, y; /* where the next picture goes; even numbers */
	int width, height;
};

static int on_picture(void *ctx, AVFrame *frame, struct fail *f)
{
	struct sheet *s = ctx;

	(void)f;
	for (int plane = 0; plane < 3; plane++) {
		int half = plane ? 1 : 0;
		uint8_t *to = s->frame->data[plane] + (s->y >> half) * s->frame->linesize[plane] +
			      (s->x >> half);
		av_image_copy_plane(to, s->frame->linesize[plane], frame->data[plane],
			frame->linesize[plane], s->width >> half, s->height >> half);
	}
	return 0;
}

static int blank(struct sheet *s, int rows, struct fail *f)
{
	ptrdiff_t lines[4];

	s->frame = av_frame_alloc();
	if (!s->frame)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a sheet of pictures");
	s->frame->format = AV_PIX_FMT_YUVJ420P;
	s->frame->width = s->width * RENDITION_SHEET_COLUMNS;
	s->frame->height = s->height * rows;
	if (av_frame_get_buffer(s->frame, 0) < 0)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a sheet of pictures");
	for (int i = 0; i < 4; i++)
		lines[i] = s->frame->linesize[i];
	av_image_fill_black(s->frame->data, lines, AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_JPEG,
		s->frame->width, s->frame->height);
	return 0;
}

static int print(const struct sheet *s, struct buf *to, struct fail *f)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	AVPacket *p = av_packet_alloc();
	int result = -1;

	if (c && p) {
		c->width = s->frame->width;
		c->height = s->frame->height;
		c->pix_fmt = AV_PIX_FMT_YUVJ420P;
		c->color_range = AVCOL_RANGE_JPEG;
		c->time_base = (AVRational){1, 1};
		c->flags |= AV_CODEC_FLAG_QSCALE;
		c->global_quality = QUALITY * FF_QP2LAMBDA;
		c->thread_count = 1;
		s->frame->quality = c->global_quality;
		s->frame->pts = 0;
		if (avcodec_open2(c, codec, NULL) >= 0 && avcodec_send_frame(c, s->frame) >= 0 &&
			avcodec_receive_packet(c, p) >= 0 && buf_add(to, p->data, (size_t)p->size))
			result = 0;
	}
	av_packet_free(&p);
	avcodec_free_context(&c);
	return result < 0 ? fail_set(f, FAIL_INTERNAL, "A sheet of pictures cannot be written") : 0;
}

int sprite_sheet(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t k, struct buf *to, struct fail *f)
{
	size_t first = k * RENDITION_SHEET, count, rows;
	struct sheet sheet = {0};
	struct picture_want want = {
		.threads = 1, .first_only = true, .jpeg = true, .each = on_picture, .ctx = &sheet};
	int64_t end;
	int result;

	if (first >= r->segments)
		return fail_set(f, FAIL_MISSING, "There is no such sheet of pictures");
	count = r->segments - first < RENDITION_SHEET ? r->segments - first : RENDITION_SHEET;
	rows = (count + RENDITION_SHEET_COLUMNS - 1) / RENDITION_SHEET_COLUMNS;
	rendition_size(x, r, &want.width, &want.height);
	sheet.width = want.width;
	sheet.height = want.height;
	result = blank(&sheet, (int)rows, f);
	for (size_t i = 0; result == 0 && i < count; i++) {
		sheet.x = (int)(i % RENDITION_SHEET_COLUMNS) * want.width;
		sheet.y = (int)(i / RENDITION_SHEET_COLUMNS) * want.height;
		result = picture_each(s, r, first + i, &want, &end, f);
		/* Damage in one place costs one picture; a source that fails costs all. */
		if (result < 0 && f->kind == FAIL_INPUT)
			result = 0;
	}
	if (result == 0)
		result = print(&sheet, to, f);
	av_frame_free(&sheet.frame);
	return result;
}
