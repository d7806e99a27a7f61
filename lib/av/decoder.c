/* lib/av/decoder.c - decoders, from a list of those that films and music need.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/decoder.h"

#include <sched.h>
#include <string.h>

#include "lib/hls/record.h"

enum { PIXELS_MAX = RECORD_SIDE_MAX * 4352, THREADS_MAX = 8 };

static const char *const known[] = {"aac", "aac_latm", "ac3", "alac", "ass", "av1", "dts", "eac3",
	"flac", "flv1", "h263", "h264", "hevc", "mjpeg", "mov_text", "mp1", "mp2", "mp3",
	"mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v2", "msmpeg4v3", "opus", "pcm_alaw",
	"pcm_bluray", "pcm_f32le", "pcm_mulaw", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le",
	"pcm_s32le", "pcm_u8", "subrip", "theora", "truehd", "vc1", "vorbis", "vp6f", "vp8", "vp9",
	"webvtt", "wmav2", "wmv2", "wmv3"};

const char *decoder_name(enum AVCodecID id)
{
	const char *name = avcodec_get_name(id);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], name) == 0)
			return known[i];
	}
	return NULL;
}

int decoder_processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < THREADS_MAX ? count : THREADS_MAX;
}

AVCodecContext *decoder_open(const AVStream *st, int threads, struct fail *f)
{
	const char *name = decoder_name(st->codecpar->codec_id);
	const AVCodec *codec = name ? avcodec_find_decoder(st->codecpar->codec_id) : NULL;
	AVCodecContext *c;

	if (!codec) {
		fail_set(f, FAIL_INPUT, "There is no decoder for '%.40s'",
			avcodec_get_name(st->codecpar->codec_id));
		return NULL;
	}
	c = avcodec_alloc_context3(codec);
	if (!c || avcodec_parameters_to_context(c, st->codecpar) < 0) {
		avcodec_free_context(&c);
		fail_set(f, FAIL_INTERNAL, "There is no memory for a decoder");
		return NULL;
	}
	c->pkt_timebase = st->time_base;
	c->max_pixels = PIXELS_MAX;
	c->thread_count = threads;
	if (st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
		c->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
	if (avcodec_open2(c, codec, NULL) < 0) {
		avcodec_free_context(&c);
		fail_set(f, FAIL_INPUT, "The decoder for '%s' refuses this file", name);
		return NULL;
	}
	return c;
}

int decoder_send(AVCodecContext *c, const AVPacket *p, struct fail *f)
{
	int e = avcodec_send_packet(c, p);

	if (e == AVERROR(ENOMEM))
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a decoder");
	return 0;
}

int decoder_receive(AVCodecContext *c, AVFrame *frame, struct fail *f)
{
	/* A damaged picture is passed over; one after it may come out whole. */
	for (int i = 0; i < 64; i++) {
		int e = avcodec_receive_frame(c, frame);
		if (e >= 0)
			return 1;
		if (e == AVERROR(ENOMEM))
			return fail_set(f, FAIL_INTERNAL, "There is no memory for a decoder");
		if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
			return 0;
	}
	return 0;
}
