/* lib/av/pcm.c - decoded sound of a stretch of the title, every sample in its place.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/pcm.h"

#include <libavutil/channel_layout.h>
#include <libavutil/mem.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "lib/av/copy.h"
#include "lib/av/decoder.h"
#include "lib/av/demux.h"
#include "lib/hls/grid.h"

enum {
	BEFORE_FRAMES = 12, /* that a decoder needs to come into step */
	BEFORE_MS = 400,
	COUNT_MAX = 768000 * 120,
	GAP_MS = 20 /* times of packets that are off by less are taken as counted */
};

struct stretch {
	const struct record *r;
	const struct record_audio *a;
	struct demux d;
	AVCodecContext *decoder;
	AVFrame *frame;
	SwrContext *resampler;
	int in_rate, in_format;
	AVChannelLayout in_layout;
	int64_t next;	  /* where the next decoded sample should lie, in a->source_rate */
	int64_t next_out; /* and the next resampled one, in a->rate */
	struct pcm *out;
};

void pcm_release(struct pcm *p)
{
	for (int c = 0; c < PCM_CHANNELS_MAX; c++)
		av_freep(&p->samples[c]);
}

/* Puts `n` samples, the first of which is sample `at` of the title, where they belong. */
static void place(struct pcm *p, float *const *from, int64_t at, int64_t n)
{
	int64_t skip = at < p->first ? p->first - at : 0;
	int64_t to = at + skip - p->first;

	n -= skip;
	if (n > p->count - to)
		n = p->count - to;
	for (int c = 0; n > 0 && c < p->channels; c++)
		memcpy(p->samples[c] + to, from[c] + skip, (size_t)n * sizeof(float));
}

/* Resamples a frame (NULL: what is left inside) and places it. */
static int convert(struct stretch *s, const AVFrame *frame, struct fail *f)
{
	int room = swr_get_out_samples(s->resampler, frame ? frame->nb_samples : 0);
	uint8_t *planes[PCM_CHANNELS_MAX] = {NULL};
	int n;

	if (room <= 0)
		return 0;
	if (av_samples_alloc(planes, NULL, s->out->channels, room, AV_SAMPLE_FMT_FLTP, 0) < 0)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for sound");
	n = swr_convert(s->resampler, planes, room,
		frame ? (const uint8_t **)frame->extended_data : NULL,
		frame ? frame->nb_samples : 0);
	if (n > 0) {
		place(s->out, (float *const *)planes, s->next_out, n);
		s->next_out += n;
	}
	av_freep(&planes[0]);
	return 0;
}

/* Makes a resampler for frames like this one. */
static int set_up(struct stretch *s, const AVFrame *frame, struct fail *f)
{
	AVChannelLayout out_layout, in_layout = {0};
	int e;

	swr_free(&s->resampler);
	av_channel_layout_default(&out_layout, s->out->channels);
	if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
		av_channel_layout_default(&in_layout, frame->ch_layout.nb_channels);
	else if (av_channel_layout_copy(&in_layout, &frame->ch_layout) < 0)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for sound");
	e = swr_alloc_set_opts2(&s->resampler, &out_layout, AV_SAMPLE_FMT_FLTP, (int)s->a->rate,
		&in_layout, frame->format, frame->sample_rate, 0, NULL);
	av_channel_layout_uninit(&in_layout);
	if (e < 0 || swr_init(s->resampler) < 0)
		return fail_set(f, FAIL_INPUT, "The sound cannot be converted");
	s->in_rate = frame->sample_rate;
	s->in_format = frame->format;
	av_channel_layout_uninit(&s->in_layout);
	return av_channel_layout_copy(&s->in_layout, &frame->ch_layout) < 0
		       ? fail_set(f, FAIL_INTERNAL, "There is no memory for sound")
		       : 0;
}

/* Where a frame's first sample lies. Counted on from the last, unless its time says otherwise. */
static int64_t position(const struct stretch *s, const AVFrame *frame)
{
	AVRational base = s->d.st->time_base;
	int64_t rate = s->a->source_rate, at, off;

	at = demux_sample(s->r, base, frame->pts, s->a->source_rate);
	if (at == DEMUX_NO_TIME)
		return s->next;
	at = copy_snap(s->a, at, copy_slack(s->a, base.num, base.den));
	if (s->next == DEMUX_NO_TIME)
		return at;
	off = at - s->next;
	if (off * 1000 < GAP_MS * rate && -off * 1000 < GAP_MS * rate)
		return s->next;
	return at;
}

static bool is_like(const struct stretch *s, const AVFrame *frame)
{
	return s->resampler && frame->sample_rate == s->in_rate && frame->format == s->in_format &&
	       av_channel_layout_compare(&frame->ch_layout, &s->in_layout) == 0;
}

static int take(struct stretch *s, AVFrame *frame, struct fail *f)
{
	int64_t at = position(s, frame);
	int64_t samples = grid_scale(frame->nb_samples, s->a->source_rate, frame->sample_rate);

	if (at == DEMUX_NO_TIME)
		return 0;
	if (!is_like(s, frame) || at != s->next) {
		if (s->resampler && convert(s, NULL, f) < 0)
			return -1;
		if (set_up(s, frame, f) < 0)
			return -1;
		s->next_out = grid_scale(at, s->a->rate, s->a->source_rate);
	}
	s->next = at + samples;
	return convert(s, frame, f);
}

static int drain(struct stretch *s, const AVPacket *p, struct fail *f)
{
	int got;

	if (decoder_send(s->decoder, p, f) < 0)
		return -1;
	while ((got = decoder_receive(s->decoder, s->frame, f)) > 0) {
		int result = s->frame->sample_rate > 0 ? take(s, s->frame, f) : 0;
		av_frame_unref(s->frame);
		if (result < 0)
			return -1;
	}
	return got;
}

static int run(struct stretch *s, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int64_t end = s->out->first + s->out->count;
	int result = p ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for sound"), got = 0;

	while (result == 0 && s->next_out < end && (got = demux_next(&s->d, p, f)) > 0) {
		if (!s->decoder && !(s->decoder = decoder_open(s->d.st, 1, f)))
			result = -1;
		else
			result = drain(s, p, f);
		av_packet_unref(p);
	}
	if (got < 0)
		result = -1;
	if (result == 0 && s->decoder && s->next_out < end)
		result = drain(s, NULL, f);
	if (result == 0 && s->resampler && s->next_out < end)
		result = convert(s, NULL, f);
	av_packet_free(&p);
	return result;
}

static int open_stretch(struct stretch *s, const struct av_source *source, struct fail *f)
{
	const struct record_audio *a = s->a;
	int64_t frame = a->frame ? a->frame : 2048, before = BEFORE_FRAMES * frame;
	int64_t first = grid_scale(s->out->first, a->source_rate, a->rate);
	struct demux_part part = {a->stream, a->codec, 0, 0};

	if (before * 1000 < (int64_t)BEFORE_MS * a->source_rate)
		before = (int64_t)BEFORE_MS * a->source_rate / 1000;
	part.time = grid_scale(first - before, s->r->timescale, a->source_rate);
	part.time = part.time > 0 ? part.time : 0;
	part.stop = grid_scale(s->out->first + s->out->count, s->r->timescale, a->rate);
	s->frame = av_frame_alloc();
	if (!s->frame)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for sound");
	return demux_open(&s->d, source, s->r, &part, f);
}

int pcm_decode(const struct av_source *source, const struct record *r, unsigned track,
	int64_t first, int64_t count, struct pcm *out, struct fail *f)
{
	const struct record_audio *a = &r->audio[track];
	struct stretch s = {
		.r = r, .a = a, .next = DEMUX_NO_TIME, .next_out = INT64_MIN, .out = out};
	int result = 0;

	*out = (struct pcm){
		.channels = a->channels, .rate = a->rate, .first = first, .count = count};
	if (count <= 0 || count > COUNT_MAX)
		return fail_set(f, FAIL_INPUT, "A segment of this file would be too large");
	for (int c = 0; c < out->channels; c++) {
		out->samples[c] = av_calloc((size_t)count, sizeof(float));
		if (!out->samples[c])
			result = fail_set(f, FAIL_INTERNAL, "There is no memory for sound");
	}
	if (result == 0 && (result = open_stretch(&s, source, f)) == 0)
		result = run(&s, f);
	demux_close(&s.d);
	av_frame_free(&s.frame);
	avcodec_free_context(&s.decoder);
	swr_free(&s.resampler);
	av_channel_layout_uninit(&s.in_layout);
	return result;
}
