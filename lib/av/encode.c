/* lib/av/encode.c - a segment of pictures, encoded to H.264 at a rung of the ladder.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/encode.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

#include "lib/av/decoder.h"
#include "lib/av/nal.h"
#include "lib/av/picture.h"

enum { CRF = 23, HD_LINES = 720, UNSAID = 2, PACKET_MAX = 64 << 20 };

/* Said in every stream, for players guess differently by size. */
static void set_colours(const struct record *r, AVCodecContext *c)
{
	const struct record_video *v = &r->video;
	bool hd = v->height >= HD_LINES;

	c->color_range = AVCOL_RANGE_MPEG;
	c->colorspace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
	c->color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
	c->color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
	if (r->flags & RECORD_HDR) {
		c->colorspace = AVCOL_SPC_BT709;
		c->color_primaries = AVCOL_PRI_BT709;
		c->color_trc = AVCOL_TRC_BT709;
		return;
	}
	/* Pictures of RGB are made 4:2:0 by the rule for their size. */
	if (v->matrix != UNSAID && v->matrix != AVCOL_SPC_RGB)
		c->colorspace = v->matrix;
	if (v->primaries != UNSAID && v->primaries)
		c->color_primaries = v->primaries;
	if (v->transfer != UNSAID && v->transfer)
		c->color_trc = v->transfer;
}

static AVCodecContext *open_encoder(
	const struct record *r, const struct rendition *x, enum av_urgency urgency, struct fail *f)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	const struct rung *rung = x->rung;

	if (!c) {
		fail_set(f, FAIL_INTERNAL, "There is no encoder for H.264");
		return NULL;
	}
	rendition_size(x, r, &c->width, &c->height);
	c->pix_fmt = AV_PIX_FMT_YUV420P;
	c->time_base = (AVRational){1, (int)r->timescale};
	if (r->video.rate_n)
		c->framerate = (AVRational){(int)r->video.rate_n, (int)r->video.rate_d};
	else
		c->framerate = (AVRational){25, 1};
	c->sample_aspect_ratio = (AVRational){1, 1};
	c->rc_max_rate = (int64_t)rung->video_kbps * 1000;
	c->rc_buffer_size = rung->video_buffer_kbit * 1000;
	c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	c->thread_count = urgency == AV_URGENT ? decoder_processors() : 1;
	set_colours(r, c);
	/* Of all presets these two alone give the same parameter sets. */
	av_opt_set(c->priv_data, "preset", urgency == AV_URGENT ? "superfast" : "veryfast", 0);
	av_opt_set(c->priv_data, "profile", rung->profile, 0);
	av_opt_set(c->priv_data, "level", rung->level, 0);
	av_opt_set_double(c->priv_data, "crf", CRF, 0);
	av_opt_set(c->priv_data, "x264-params", "scenecut=0:keyint=infinite:open-gop=0", 0);
	if (avcodec_open2(c, codec, NULL) < 0) {
		fail_set(f, FAIL_INTERNAL, "The encoder for H.264 refuses %d x %d", c->width,
			c->height);
		avcodec_free_context(&c);
	}
	return c;
}

int encode_describe(const struct record *r, const struct rendition *x, struct track *out,
	struct buf *config, struct fail *f)
{
	AVCodecContext *c = open_encoder(r, x, AV_AHEAD, f);
	bool good;

	if (!c)
		return -1;
	good = nal_config(NAL_H264,
		span_make((const char *)c->extradata, (size_t)c->extradata_size), 8, config);
	*out = (struct track){.is_video = true,
		.timescale = r->timescale,
		.width = c->width,
		.height = c->height,
		.sar_n = 1,
		.sar_d = 1,
		.config = buf_span(config)};
	memcpy(out->fourcc, "avc1", 5);
	avcodec_free_context(&c);
	return good && !config->failed
		       ? 0
		       : fail_set(f, FAIL_INTERNAL,
				 "The encoder for H.264 does not say how it is set");
}

struct encoding {
	AVCodecContext *c;
	AVPacket *packet;
	struct track *out;
	int64_t sent;
};

/* A packet's start codes become lengths, in memory of its own. */
static int reshape(struct encoding *e, struct fail *f)
{
	AVPacket *p = e->packet;
	AVBufferRef *mine;
	struct buf b;

	buf_init(&b, PACKET_MAX);
	nal_to_lengths(NAL_H264, span_make((const char *)p->data, (size_t)p->size), true, &b);
	mine = b.failed ? NULL : av_buffer_alloc(b.len + AV_INPUT_BUFFER_PADDING_SIZE);
	if (mine) {
		memcpy(mine->data, b.ptr, b.len);
		av_buffer_unref(&p->buf);
		p->buf = mine;
		p->data = mine->data;
		p->size = (int)b.len;
	}
	buf_release(&b);
	return mine ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
}

static int keep(struct encoding *e, struct fail *f)
{
	while (avcodec_receive_packet(e->c, e->packet) >= 0) {
		int64_t pts = e->packet->pts;
		bool key = e->packet->flags & AV_PKT_FLAG_KEY;
		struct sample *s = reshape(e, f) == 0 ? track_add(e->out, e->packet, f) : NULL;
		av_packet_unref(e->packet);
		if (!s)
			return -1;
		s->pts = pts;
		s->key = key;
	}
	return 0;
}

static int on_picture(void *ctx, AVFrame *frame, struct fail *f)
{
	struct encoding *e = ctx;

	frame->pict_type = e->sent++ ? AV_PICTURE_TYPE_NONE : AV_PICTURE_TYPE_I;
	if (avcodec_send_frame(e->c, frame) < 0)
		return fail_set(f, FAIL_INTERNAL, "A picture cannot be encoded");
	return keep(e, f);
}

int encode_video(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t n, enum av_urgency urgency, struct track *out, struct fail *f)
{
	struct encoding e = {.out = out, .packet = av_packet_alloc()};
	struct picture_want want = {.first_only = x->kind == RENDITION_IFRAMES,
		.threads = urgency == AV_URGENT ? decoder_processors() : 1,
		.each = on_picture,
		.ctx = &e};
	int result = -1;

	*out = (struct track){.is_video = true, .timescale = r->timescale, .begin = r->t[n]};
	rendition_size(x, r, &want.width, &want.height);
	e.c = open_encoder(r, x, urgency, f);
	if (!e.packet)
		fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	else if (e.c)
		result = picture_each(s, r, n, &want, &out->end, f);
	if (result == 0 && (avcodec_send_frame(e.c, NULL) < 0 || keep(&e, f) < 0))
		result = -1;
	if (result == 0 && (int64_t)out->count != e.sent)
		result = fail_set(f, FAIL_INTERNAL, "The encoder for H.264 lost a picture");
	av_packet_free(&e.packet);
	avcodec_free_context(&e.c);
	return result < 0 ? -1 : track_set_times(out, f);
}
