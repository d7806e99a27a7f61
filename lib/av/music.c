/* lib/av/music.c - a file of sound as another: smaller, or in another format.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <string.h>
#include <unistd.h>

#include "lib/av/av.h"
#include "lib/av/decoder.h"
#include "lib/av/reader.h"

enum {
	IO_BYTES = 32768,
	FRAME_USUAL = 4096,
	RATE_MIN = 8000,
	RATE_MAX = 48000,
	RATE_OPUS = 48000,
	KBPS_MIN = 16,
	KBPS_MAX = 512
};

static const struct music_format {
	const char *name, *encoder, *muxer;
	enum AVSampleFormat samples;
	bool lossless;
} formats[] = {
	{"mp3", "libmp3lame", "mp3", AV_SAMPLE_FMT_FLTP, false},
	{"aac", "aac", "adts", AV_SAMPLE_FMT_FLTP, false},
	{"opus", "libopus", "ogg", AV_SAMPLE_FMT_FLT, false},
	{"flac", "flac", "flac", AV_SAMPLE_FMT_S16, true},
};

struct music {
	const struct music_format *format;
	int kbps, out_fd;
	struct reader reader;
	AVStream *from;
	AVCodecContext *decoder, *encoder;
	AVFormatContext *to;
	SwrContext *resampler;
	AVAudioFifo *fifo;
	AVFrame *in, *out;
	AVPacket *packet;
	int in_rate, in_format; /* of what the resampler takes */
	AVChannelLayout in_layout;
	int64_t pts; /* samples that went to the encoder */
	int error;   /* errno of the output; 0: none */
};

/* --- the output ------------------------------------------------------------------------------- */

static int write_out(void *of, uint8_t *bytes, int len)
{
	struct music *m = of;
	int done = 0;

	while (done < len) {
		ssize_t n = write(m->out_fd, bytes + done, (size_t)(len - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			m->error = errno;
			return AVERROR(errno);
		}
		done += (int)n;
	}
	return len;
}

static int out_fail(const struct music *m, struct fail *f)
{
	if (m->error)
		return fail_errno(f, FAIL_BUSY, m->error, "There is no room for this music");
	return fail_set(f, FAIL_INPUT, "This sound cannot be written as %s", m->format->name);
}

static int open_muxer(struct music *m)
{
	AVStream *st;
	uint8_t *io;

	if (avformat_alloc_output_context2(&m->to, NULL, m->format->muxer, NULL) < 0 ||
		!(io = av_malloc(IO_BYTES)))
		return -1;
	m->to->pb = avio_alloc_context(io, IO_BYTES, 1, m, NULL, write_out, NULL);
	st = m->to->pb ? avformat_new_stream(m->to, NULL) : NULL;
	if (!st || avcodec_parameters_from_context(st->codecpar, m->encoder) < 0)
		return -1;
	m->to->flags |= AVFMT_FLAG_FLUSH_PACKETS | AVFMT_FLAG_BITEXACT;
	st->time_base = m->encoder->time_base;
	/* A table of contents would have to be filled in later. */
	if (strcmp(m->format->muxer, "mp3") == 0)
		av_opt_set_int(m->to->priv_data, "write_xing", 0, 0);
	return avformat_write_header(m->to, NULL) < 0 ? -1 : 0;
}

/* --- the encoder ------------------------------------------------------------------------------ */

/* The nearest rate that the encoder takes, from above where there is one. */
static int rate_for(const struct music *m, const AVCodec *codec, int rate)
{
	int best = 0;

	if (strcmp(m->format->name, "opus") == 0)
		return RATE_OPUS;
	rate = rate < RATE_MIN ? RATE_MIN : rate > RATE_MAX ? RATE_MAX : rate;
	for (const int *r = codec->supported_samplerates; r && *r; r++) {
		bool better = best < rate ? *r > best : *r >= rate && *r < best;

		if (*r <= RATE_MAX && (!best || better))
			best = *r;
	}
	return best ? best : rate;
}

static int open_encoder(struct music *m, const AVFrame *frame, struct fail *f)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(m->format->encoder);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;

	m->encoder = c;
	if (!c)
		return fail_set(f, FAIL_BUSY, "There is no encoder for %s here", m->format->name);
	c->sample_rate = rate_for(m, codec, frame->sample_rate);
	c->sample_fmt = m->format->samples;
	av_channel_layout_default(&c->ch_layout, frame->ch_layout.nb_channels == 1 ? 1 : 2);
	c->time_base = (AVRational){1, c->sample_rate};
	if (!m->format->lossless)
		c->bit_rate = m->kbps * 1000LL;
	c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
	/* What is asked for is a limit. Of no meaning to the others. */
	av_opt_set(c->priv_data, "vbr", "constrained", 0);
	if (avcodec_open2(c, codec, NULL) < 0)
		return fail_set(f, FAIL_INPUT, "The encoder for %s refuses %d kb/s of %d Hz",
			m->format->name, m->kbps, c->sample_rate);
	m->fifo = av_audio_fifo_alloc(c->sample_fmt, c->ch_layout.nb_channels, FRAME_USUAL);
	if (!m->fifo)
		return fail_set(f, FAIL_BUSY, "There is no memory for sound");
	return open_muxer(m) < 0 ? out_fail(m, f) : 0;
}

static int write_packets(struct music *m, struct fail *f)
{
	while (avcodec_receive_packet(m->encoder, m->packet) >= 0) {
		int e;

		av_packet_rescale_ts(
			m->packet, m->encoder->time_base, m->to->streams[0]->time_base);
		m->packet->stream_index = 0;
		e = av_write_frame(m->to, m->packet);
		av_packet_unref(m->packet);
		if (e < 0)
			return out_fail(m, f);
	}
	return 0;
}

/* A frame of `n` samples out of the queue. */
static int encode_frame(struct music *m, int n, struct fail *f)
{
	AVFrame *frame = m->out;
	int e;

	av_frame_unref(frame);
	frame->nb_samples = n;
	frame->format = m->encoder->sample_fmt;
	frame->sample_rate = m->encoder->sample_rate;
	frame->pts = m->pts;
	if (av_channel_layout_copy(&frame->ch_layout, &m->encoder->ch_layout) < 0 ||
		av_frame_get_buffer(frame, 0) < 0 ||
		av_audio_fifo_read(m->fifo, (void **)frame->data, n) != n)
		return fail_set(f, FAIL_BUSY, "There is no memory for sound");
	m->pts += n;
	e = avcodec_send_frame(m->encoder, frame);
	if (e < 0)
		return fail_set(f, FAIL_INPUT, "The sound cannot be encoded");
	return write_packets(m, f);
}

static int encode_queue(struct music *m, bool all, struct fail *f)
{
	int size = m->encoder->frame_size ? m->encoder->frame_size : FRAME_USUAL, have;

	while ((have = av_audio_fifo_size(m->fifo)) >= size || (all && have > 0)) {
		if (encode_frame(m, have < size ? have : size, f) < 0)
			return -1;
	}
	return 0;
}

/* --- the source ------------------------------------------------------------------------------- */

static int set_resampler(struct music *m, const AVFrame *frame, struct fail *f)
{
	AVCodecContext *c = m->encoder;

	if (m->resampler && frame->sample_rate == m->in_rate && frame->format == m->in_format &&
		av_channel_layout_compare(&frame->ch_layout, &m->in_layout) == 0)
		return 0;
	swr_free(&m->resampler);
	m->in_rate = frame->sample_rate;
	m->in_format = frame->format;
	if (av_channel_layout_copy(&m->in_layout, &frame->ch_layout) < 0 ||
		swr_alloc_set_opts2(&m->resampler, &c->ch_layout, c->sample_fmt, c->sample_rate,
			&m->in_layout, frame->format, frame->sample_rate, 0, NULL) < 0 ||
		swr_init(m->resampler) < 0)
		return fail_set(f, FAIL_INPUT, "The sound has a form that cannot be changed");
	return 0;
}

/* Into the queue, in the encoder's form. NULL: what the resampler has left. */
static int queue(struct music *m, const AVFrame *frame, struct fail *f)
{
	const AVCodecContext *c = m->encoder;
	int room = swr_get_out_samples(m->resampler, frame ? frame->nb_samples : 0), n;
	uint8_t **samples = NULL;

	if (room <= 0)
		return 0;
	if (av_samples_alloc_array_and_samples(
		    &samples, NULL, c->ch_layout.nb_channels, room, c->sample_fmt, 0) < 0)
		return fail_set(f, FAIL_BUSY, "There is no memory for sound");
	n = swr_convert(m->resampler, samples, room,
		frame ? (const uint8_t **)frame->extended_data : NULL,
		frame ? frame->nb_samples : 0);
	if (n > 0)
		n = av_audio_fifo_write(m->fifo, (void **)samples, n);
	av_freep(&samples[0]);
	av_freep(&samples);
	return n < 0 ? fail_set(f, FAIL_INPUT, "The sound cannot be changed") : 0;
}

static int take(struct music *m, const AVFrame *frame, struct fail *f)
{
	if (frame->sample_rate <= 0 || frame->ch_layout.nb_channels <= 0)
		return 0;
	if (!m->encoder && open_encoder(m, frame, f) < 0)
		return -1;
	if (set_resampler(m, frame, f) < 0 || queue(m, frame, f) < 0)
		return -1;
	return encode_queue(m, false, f);
}

static int drain(struct music *m, const AVPacket *p, struct fail *f)
{
	int got;

	if (decoder_send(m->decoder, p, f) < 0)
		return -1;
	while ((got = decoder_receive(m->decoder, m->in, f)) > 0) {
		int result = take(m, m->in, f);

		av_frame_unref(m->in);
		if (result < 0)
			return -1;
	}
	return got;
}

/* The default one, or else the first. Not all that is to be known of it stands in its head. */
static int find_sound(const AVFormatContext *c)
{
	int found = -1;

	for (unsigned i = 0; i < c->nb_streams; i++) {
		const AVStream *st = c->streams[i];

		if (st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO ||
			!decoder_name(st->codecpar->codec_id))
			continue;
		if (found < 0 ||
			(st->disposition & AV_DISPOSITION_DEFAULT &&
				!(c->streams[found]->disposition & AV_DISPOSITION_DEFAULT)))
			found = (int)i;
	}
	return found;
}

static int open_source(struct music *m, const struct av_source *source, struct fail *f)
{
	int best;

	if (reader_open(&m->reader, source, f) < 0)
		return -1;
	best = find_sound(m->reader.format);
	if (best < 0)
		return fail_set(f, FAIL_INPUT, "There is no sound in this file");
	m->from = m->reader.format->streams[best];
	reader_choose(&m->reader, best);
	m->decoder = decoder_open(m->from, 1, f);
	return m->decoder ? 0 : -1;
}

static int run(struct music *m, struct fail *f)
{
	int got;

	while ((got = reader_next(&m->reader, m->packet, f)) > 0) {
		AVPacket p = {0};
		int result = 0;

		av_packet_move_ref(&p, m->packet); /* which the encoder uses, too */
		if (p.stream_index == m->from->index)
			result = drain(m, &p, f);
		av_packet_unref(&p);
		if (result < 0)
			return -1;
	}
	if (got < 0 || drain(m, NULL, f) < 0)
		return -1;
	if (!m->encoder)
		return fail_set(f, FAIL_INPUT, "The sound in this file cannot be decoded");
	if (queue(m, NULL, f) < 0 || encode_queue(m, true, f) < 0)
		return -1;
	avcodec_send_frame(m->encoder, NULL);
	if (write_packets(m, f) < 0)
		return -1;
	return av_write_trailer(m->to) < 0 || m->error ? out_fail(m, f) : 0;
}

static void release(struct music *m)
{
	if (m->to && m->to->pb) {
		av_freep(&m->to->pb->buffer);
		avio_context_free(&m->to->pb);
	}
	avformat_free_context(m->to);
	av_audio_fifo_free(m->fifo);
	swr_free(&m->resampler);
	av_channel_layout_uninit(&m->in_layout);
	avcodec_free_context(&m->encoder);
	avcodec_free_context(&m->decoder);
	av_frame_free(&m->in);
	av_frame_free(&m->out);
	av_packet_free(&m->packet);
	reader_close(&m->reader);
}

int av_music(
	const struct av_source *source, const char *format, int kbps, int out_fd, struct fail *f)
{
	struct music m = {.kbps = kbps, .out_fd = out_fd};
	int result = -1;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(format, formats[i].name) == 0)
			m.format = &formats[i];
	}
	if (!m.format || kbps < KBPS_MIN || kbps > KBPS_MAX)
		return fail_set(f, FAIL_INPUT, "There is no such format of sound");
	m.in = av_frame_alloc();
	m.out = av_frame_alloc();
	m.packet = av_packet_alloc();
	if (!m.in || !m.out || !m.packet)
		fail_set(f, FAIL_BUSY, "There is no memory for sound");
	else if (open_source(&m, source, f) == 0)
		result = run(&m, f);
	release(&m);
	return result;
}
