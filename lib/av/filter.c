/* lib/av/filter.c - what is done to a decoded picture before it is encoded.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/filter.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mathematics.h>
#include <string.h>

#include "lib/base/buf.h"

enum { GRAPH_MAX = 1024 };

bool filter_takes(const struct filter *x, const AVFrame *frame)
{
	return x->graph && frame->width == x->width && frame->height == x->height &&
	       frame->format == x->format;
}

void filter_release(struct filter *x)
{
	avfilter_graph_free(&x->graph);
	x->in = x->out = NULL;
}

static const char *turning(unsigned degrees)
{
	switch (degrees) {
	case 90:
		return ",transpose=clock";
	case 180:
		return ",hflip,vflip";
	case 270:
		return ",transpose=cclock";
	default:
		return "";
	}
}

/* Deinterlaced at its own size, then scaled before anything that is slow. */
static void describe(const struct filter *x, struct buf *to)
{
	const struct record *r = x->record;
	const struct picture_want *w = x->want;
	bool across = r->video.rotation % 180;

	if (r->flags & RECORD_INTERLACED)
		buf_puts(to, "bwdif=mode=send_frame:deint=interlaced,");
	buf_printf(to, "scale=w=%d:h=%d:flags=bicubic:out_range=%s", across ? w->height : w->width,
		across ? w->width : w->height, w->jpeg ? "pc" : "tv");
	if (r->flags & RECORD_HDR && avfilter_get_by_name("zscale"))
		buf_puts(to, ",zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
			     "tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv");
	buf_puts(to, turning(r->video.rotation));
	buf_printf(to, ",setsar=1,format=%s", w->jpeg ? "yuvj420p" : "yuv420p");
}

static int open_ends(struct filter *x, const AVFrame *frame)
{
	AVBufferSrcParameters *p = av_buffersrc_parameters_alloc();
	int e;

	x->in = avfilter_graph_alloc_filter(x->graph, avfilter_get_by_name("buffer"), "in");
	x->out = avfilter_graph_alloc_filter(x->graph, avfilter_get_by_name("buffersink"), "out");
	if (!p || !x->in || !x->out) {
		av_free(p);
		return AVERROR(ENOMEM);
	}
	p->format = frame->format;
	p->width = frame->width;
	p->height = frame->height;
	p->time_base = (AVRational){1, (int)x->record->timescale};
	p->sample_aspect_ratio = (AVRational){1, 1};
	e = av_buffersrc_parameters_set(x->in, p);
	av_free(p);
	if (e >= 0)
		e = avfilter_init_str(x->in, NULL);
	return e < 0 ? e : avfilter_init_str(x->out, NULL);
}

static int link_graph(struct filter *x, const char *text)
{
	AVFilterInOut *from = avfilter_inout_alloc(), *to = avfilter_inout_alloc();
	int e = AVERROR(ENOMEM);

	if (from && to) {
		*from = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = x->in};
		*to = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = x->out};
		e = avfilter_graph_parse_ptr(x->graph, text, &to, &from, NULL);
	}
	avfilter_inout_free(&from);
	avfilter_inout_free(&to);
	return e < 0 ? e : avfilter_graph_config(x->graph, NULL);
}

int filter_set(struct filter *x, const AVFrame *frame, struct fail *f)
{
	struct buf text;
	int e;

	filter_release(x);
	buf_init(&text, GRAPH_MAX);
	describe(x, &text);
	x->graph = avfilter_graph_alloc();
	e = x->graph && !text.failed ? 0 : AVERROR(ENOMEM);
	if (e == 0) {
		x->graph->nb_threads = x->want->threads;
		e = open_ends(x, frame);
	}
	if (e >= 0)
		e = link_graph(x, buf_str(&text));
	buf_release(&text);
	x->width = frame->width;
	x->height = frame->height;
	x->format = frame->format;
	return e < 0 ? fail_set(f, FAIL_INPUT, "The pictures cannot be brought to another size")
		     : 0;
}

int filter_send(struct filter *x, AVFrame *frame, struct fail *f)
{
	if (av_buffersrc_add_frame_flags(x->in, frame, 0) < 0)
		return fail_set(f, FAIL_INPUT, "A picture cannot be brought to another size");
	return 0;
}

int filter_receive(struct filter *x, AVFrame *frame, struct fail *f)
{
	int e = av_buffersink_get_frame(x->out, frame);

	if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
		return 0;
	if (e < 0)
		return fail_set(f, FAIL_INPUT, "A picture cannot be brought to another size");
	frame->pts = av_rescale_q(frame->pts, av_buffersink_get_time_base(x->out),
		(AVRational){1, (int)x->record->timescale});
	return 1;
}
