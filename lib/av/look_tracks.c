/* lib/av/look_tracks.c - one track's entry in a record, out of its first packets.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/look_tracks.h"

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "lib/av/aac.h"
#include "lib/av/decoder.h"
#include "lib/av/look_h264.h"
#include "lib/av/nal.h"
#include "lib/hls/grid.h"

enum { RATE_MAX = 240, COPY_LATE_SAMPLES = 3072, CHANNELS_MAX = 64, DAMAGED_MAX = 16 << 20 };

static int copy_bytes(struct span from, struct arena *arena, struct span *to, struct fail *f)
{
	char *mine;

	*to = span_make(NULL, 0);
	if (!from.len || from.len > RECORD_BLOB_MAX)
		return 0;
	mine = arena_copy(arena, from);
	if (!mine)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	*to = span_make(mine, from.len);
	return 0;
}

static struct span extradata(const AVStream *st)
{
	return span_make((const char *)st->codecpar->extradata,
		st->codecpar->extradata_size > 0 ? (size_t)st->codecpar->extradata_size : 0);
}

/* A title or language as it may stand in playlists: whole UTF-8 characters, no quotes. */
static void words(const AVStream *st, const char *key, char *to, size_t size)
{
	const AVDictionaryEntry *e = av_dict_get(st->metadata, key, NULL, 0);
	size_t len = 0;

	for (const char *s = e ? e->value : ""; *s && len + 1 < size; s++) {
		if ((unsigned char)*s >= ' ' && *s != '"' && *s != 127)
			to[len++] = *s;
	}
	/* A character that was cut in two is left out. */
	if (e && len + 1 >= size) {
		while (len && ((unsigned char)to[len - 1] & 0xc0) == 0x80)
			len--;
		if (len && (unsigned char)to[len - 1] >= 0xc0)
			len--;
	}
	to[len] = '\0';
}

static void language(const AVStream *st, char *to, size_t size)
{
	words(st, "language", to, size);
	for (char *s = to; *s; s++) {
		if (*s < 'a' || *s > 'z')
			*to = '\0';
	}
	if (strcmp(to, "und") == 0)
		*to = '\0';
}

/* Decodes the first `count` packets that were kept until a frame comes out; false where none
 * does. */
static bool frame_of(const struct look_stream *s, size_t count, AVCodecContext *c, AVFrame *frame)
{
	struct fail ignored;

	for (size_t i = 0; i < count; i++) {
		if (decoder_send(c, s->kept[i], &ignored) < 0)
			return false;
		if (decoder_receive(c, frame, &ignored) == 1)
			return true;
	}
	decoder_send(c, NULL, &ignored);
	return decoder_receive(c, frame, &ignored) == 1;
}

/* A keyframe says all by itself, and how it looks does not matter; with some it takes more. */
static bool first_frame(const struct look_stream *s, AVCodecContext *c, AVFrame *frame)
{
	c->skip_loop_filter = AVDISCARD_ALL;
	if (s->kept_count && frame_of(s, 1, c, frame))
		return true;
	avcodec_flush_buffers(c);
	return frame_of(s, s->kept_count, c, frame);
}

/* Reads on, to a keyframe that can be decoded; it is kept in place of the first. A film whose
 * beginning is damaged is one all the same. */
static bool later_frame(
	struct look_stream *s, struct reader *r, unsigned stream, AVCodecContext *c, AVFrame *frame)
{
	uint64_t most = r->bytes + DAMAGED_MAX;
	AVPacket *p = av_packet_alloc();
	bool begun = false, seen = false;
	struct fail ignored;

	avcodec_flush_buffers(c);
	while (p && !seen && r->bytes < most && reader_next(r, p, &ignored) > 0) {
		bool key = (unsigned)p->stream_index == stream && p->flags & AV_PKT_FLAG_KEY;

		if (key && s->kept_count) {
			av_packet_unref(s->kept[0]);
			seen = av_packet_ref(s->kept[0], p) < 0;
		}
		begun |= key;
		if (begun && (unsigned)p->stream_index == stream)
			seen = decoder_send(c, p, &ignored) < 0 ||
			       decoder_receive(c, frame, &ignored) == 1;
		av_packet_unref(p);
	}
	av_packet_free(&p);
	return frame->buf[0];
}

static bool is_rate(AVRational rate)
{
	return rate.num > 0 && rate.den > 0 && rate.num / rate.den <= RATE_MAX &&
	       (int64_t)rate.num * 4 >= rate.den;
}

/* The usual rate nearest to a step between pictures, when it is near. */
static AVRational rate_of_step(int64_t step, AVRational base)
{
	static const AVRational usual[] = {{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1},
		{50, 1}, {60000, 1001}, {60, 1}, {12, 1}, {15, 1}, {10, 1}, {5, 1}, {120, 1}};
	double rate = step > 0 ? 1 / ((double)step * av_q2d(base)) : 0;
	double tick = av_q2d(base) * rate;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		double near = av_q2d(usual[i]) / rate;
		if (rate > 0 && near > 1 - tick && near < 1 + tick)
			return usual[i];
	}
	return rate > 0 ? av_d2q(rate, 100000) : (AVRational){0, 0};
}

static void set_rate(const struct look_stream *s, const AVStream *st, struct record *out)
{
	AVRational rate = st->avg_frame_rate;
	int64_t step = look_step(s), first = s->times[0];
	size_t n = s->count < LOOK_TIMES ? s->count : LOOK_TIMES;

	if (!is_rate(rate))
		rate = st->r_frame_rate;
	if (!is_rate(rate))
		rate = rate_of_step(step, st->time_base);
	if (!is_rate(rate))
		return;
	out->video.rate_n = (uint32_t)rate.num;
	out->video.rate_d = (uint32_t)rate.den;
	/* Evenly spaced pictures lie on multiples of the step, give or take the clock's
	 * roundness. */
	for (size_t i = 0; i < n; i++) {
		if (s->times[i] == AV_NOPTS_VALUE || first == AV_NOPTS_VALUE)
			continue;
		double at = (double)(s->times[i] - first) * av_q2d(st->time_base) * av_q2d(rate);
		double off =
			at < 1e9 && at > -1e9 ? at - (double)(int64_t)(at + 1e9 + 0.5) + 1e9 : 1;
		double slack = 1.5 * av_q2d(st->time_base) * av_q2d(rate) + 0.02;
		if (off > slack || off < -slack)
			out->flags |= RECORD_VFR;
	}
}

static int rotation(const AVStream *st)
{
	const int32_t *matrix =
		(const int32_t *)av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	double turn = matrix ? -av_display_rotation_get(matrix) : 0;

	if (!(turn >= -360 && turn <= 360))
		return 0;
	return ((int)turn + 360 + 45) / 90 % 4 * 90;
}

/* Whether browsers can play it as it is. */
static bool is_copied(const AVStream *st, int format, const struct record *out)
{
	const struct record_video *v = &out->video;
	bool plain = format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P;

	if (out->flags & (RECORD_INTERLACED | RECORD_COUNTED) || v->rotation ||
		out->container == RECORD_AVI || out->container == RECORD_OTHER)
		return false;
	if (st->codecpar->codec_id == AV_CODEC_ID_H264)
		return plain;
	return st->codecpar->codec_id == AV_CODEC_ID_HEVC &&
	       (plain || format == AV_PIX_FMT_YUV420P10);
}

static int set_config(const struct look_stream *s, const AVStream *st, int format,
	struct arena *arena, struct record *out, struct fail *f)
{
	enum nal_codec codec = st->codecpar->codec_id == AV_CODEC_ID_H264 ? NAL_H264 : NAL_HEVC;
	struct span extra = extradata(st);
	const AVPacket *key = s->kept_count ? s->kept[0] : NULL;
	struct buf config;
	int result = 0;

	if (!is_copied(st, format, out))
		return copy_bytes(extra, arena, &out->video.extra, f);
	buf_init(&config, RECORD_BLOB_MAX);
	if (extra.len && !nal_has_start_code(extra))
		buf_add(&config, extra.ptr, extra.len);
	else if (!extra.len || !nal_config(codec, extra, out->video.depth, &config)) {
		buf_clear(&config);
		if (key)
			nal_config(codec, span_make((const char *)key->data, (size_t)key->size),
				out->video.depth, &config);
	}
	result = copy_bytes(buf_span(&config), arena, &out->video.extra, f);
	if (nal_codecs(codec, out->video.extra, out->video.codecs, sizeof(out->video.codecs)))
		out->flags |= RECORD_COPY;
	buf_release(&config);
	return result;
}

static int set_shape(
	const AVFrame *frame, AVStream *st, struct reader *r, struct record *out, struct fail *f)
{
	const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
	AVRational sar = av_guess_sample_aspect_ratio(r->format, st, (AVFrame *)(uintptr_t)frame);
	struct record_video *v = &out->video;

	if (frame->width < 1 || frame->height < 1 || frame->width > RECORD_SIDE_MAX ||
		frame->height > RECORD_SIDE_MAX || !format)
		return fail_set(f, FAIL_INPUT, "A picture of %d x %d is too large; %d is the limit",
			frame->width, frame->height, RECORD_SIDE_MAX);
	v->width = (uint16_t)frame->width;
	v->height = (uint16_t)frame->height;
	v->sar_n = v->sar_d = 1;
	/* A shape beyond 1:8 is a mistake of the file's. */
	if (sar.num > 0 && sar.den > 0 && sar.num / 8 <= sar.den && sar.den / 8 <= sar.num) {
		av_reduce(&sar.num, &sar.den, sar.num, sar.den, UINT16_MAX);
		v->sar_n = (uint16_t)sar.num;
		v->sar_d = (uint16_t)sar.den;
	}
	v->depth = (uint8_t)(format->comp[0].depth <= 16 ? format->comp[0].depth : 16);
	v->primaries = (uint8_t)frame->color_primaries;
	v->transfer = (uint8_t)frame->color_trc;
	v->matrix = (uint8_t)frame->colorspace;
	if (frame->color_trc == AVCOL_TRC_SMPTE2084 || frame->color_trc == AVCOL_TRC_ARIB_STD_B67)
		out->flags |= RECORD_HDR;
	if (frame->interlaced_frame)
		out->flags |= RECORD_INTERLACED;
	v->rotation = (uint16_t)rotation(st);
	return 0;
}

/* A frame as it comes out of the decoder, or like it. */
static int see(
	struct look_stream *s, struct reader *r, AVStream *st, AVFrame *frame, struct fail *f)
{
	AVCodecContext *c;
	bool seen;

	if (look_h264(st, s->kept_count ? s->kept[0] : NULL, frame))
		return 0;
	c = decoder_open(st, 1, f);
	if (!c)
		return -1;
	seen = first_frame(s, c, frame) || later_frame(s, r, (unsigned)st->index, c, frame);
	avcodec_free_context(&c);
	if (!seen && r->error)
		return reader_fail(r, 0, "The file", f);
	return seen ? 0
		    : fail_set(f, FAIL_INPUT, "None of the first pictures (%s) can be decoded",
			      decoder_name(st->codecpar->codec_id));
}

int look_video(struct look_stream *s, struct reader *r, unsigned stream, struct arena *arena,
	struct record *out, struct fail *f)
{
	AVStream *st = r->format->streams[stream];
	const char *name = decoder_name(st->codecpar->codec_id);
	AVFrame *frame;
	int result;

	/* Before a decoder takes memory for it. */
	if (st->codecpar->width > RECORD_SIDE_MAX || st->codecpar->height > RECORD_SIDE_MAX)
		return fail_set(f, FAIL_INPUT, "A picture of %d x %d is too large; %d is the limit",
			st->codecpar->width, st->codecpar->height, RECORD_SIDE_MAX);
	frame = av_frame_alloc();
	if (!frame)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a picture");
	result = see(s, r, st, frame, f);
	if (result == 0) {
		out->video.stream = (uint16_t)stream;
		memcpy(out->video.codec, name, strlen(name) + 1);
		if (out->container == RECORD_AVI || s->untimed * 2 > s->count)
			out->flags |= RECORD_COUNTED;
		result = set_shape(frame, st, r, out, f);
	}
	if (result == 0) {
		set_rate(s, st, out);
		result = set_config(s, st, frame->format, arena, out, f);
	}
	av_frame_free(&frame);
	return result;
}

/* The rate that sound is handed out at: its own where AAC has it, else one that it divides into. */
static uint32_t rate_out(uint32_t rate)
{
	static const uint32_t rates[] = {
		48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rates[i] == rate)
			return rate;
	}
	return rate % 44100 == 0 ? 44100 : 48000;
}

/* Fills in rate, channels and frame size as they come out of the decoder; false: nothing does. */
static bool hear(struct look_stream *s, const AVStream *st, struct record_audio *a)
{
	AVFrame *frame = av_frame_alloc();
	struct fail ignored;
	AVCodecContext *c = frame ? decoder_open(st, 1, &ignored) : NULL;
	int sizes[LOOK_KEPT], count = 0, channels = 0;

	for (size_t i = 0; c && i < s->kept_count; i++) {
		if (decoder_send(c, s->kept[i], &ignored) < 0)
			break;
		while (count < LOOK_KEPT && decoder_receive(c, frame, &ignored) == 1) {
			sizes[count++] = frame->nb_samples;
			channels = frame->ch_layout.nb_channels;
			a->source_rate = frame->sample_rate > 0 ? (uint32_t)frame->sample_rate : 0;
		}
	}
	/* The first may be shorter, as decoders begin. */
	a->frame =
		count >= 2 && sizes[count - 1] == sizes[count - 2] ? (uint32_t)sizes[count - 1] : 0;
	if (strncmp(a->codec, "pcm_", 4) == 0 || strcmp(a->codec, "vorbis") == 0)
		a->frame = 0;
	a->channels = channels >= 2 ? 2 : 1;
	av_frame_free(&frame);
	avcodec_free_context(&c);
	return count > 0 && channels >= 1 && channels <= CHANNELS_MAX && a->source_rate >= 1000 &&
	       a->source_rate <= 768000;
}

/* AAC-LC with one or two channels, in whole frames, in a container with real times. */
static bool is_copied_aac(const struct look_stream *s, const AVStream *st, struct record *out,
	struct record_audio *a, struct aac *config)
{
	struct span first;

	if (strcmp(a->codec, "aac") != 0 || out->container == RECORD_AVI || !s->kept_count ||
		s->times[0] == AV_NOPTS_VALUE)
		return false;
	first = span_make((const char *)s->kept[0]->data, (size_t)s->kept[0]->size);
	if (!(extradata(st).len ? aac_parse_config(extradata(st), config)
				: aac_parse_adts(first, config)))
		return false;
	return config->object == AAC_LC && config->channels >= 1 && config->channels <= 2 &&
	       config->rate == a->source_rate && config->channels == a->channels &&
	       a->frame == GRID_AAC_FRAME;
}

int look_audio(struct look_stream *s, struct reader *r, unsigned stream, struct arena *arena,
	struct record *out, struct fail *f)
{
	const AVStream *st = r->format->streams[stream];
	const char *name = decoder_name(st->codecpar->codec_id);
	struct record_audio *a = &out->audio[out->audio_count];
	struct aac config;

	if (!name || out->audio_count == RECORD_AUDIO_MAX || !s->count)
		return 0;
	*a = (struct record_audio){.stream = (uint16_t)stream};
	memcpy(a->codec, name, strlen(name) + 1);
	memcpy(a->codecs, "mp4a.40.2", sizeof("mp4a.40.2"));
	if (!hear(s, st, a)) {
		*a = (struct record_audio){0};
		return 0;
	}
	language(st, a->language, sizeof(a->language));
	words(st, "title", a->title, sizeof(a->title));
	a->is_default = st->disposition & AV_DISPOSITION_DEFAULT;
	a->rate = rate_out(a->source_rate);
	a->copy = is_copied_aac(s, st, out, a, &config);
	if (a->copy) {
		a->rate = a->source_rate;
		if (copy_bytes(span_make(config.bytes, sizeof(config.bytes)), arena, &a->extra, f) <
			0)
			return -1;
	}
	a->start = s->times[0];
	out->audio_count++;
	return 0;
}

int look_text(
	struct reader *r, unsigned stream, struct arena *arena, struct record *out, struct fail *f)
{
	static const char *const known[] = {"subrip", "ass", "mov_text", "webvtt"};
	const AVStream *st = r->format->streams[stream];
	const char *name = decoder_name(st->codecpar->codec_id);
	struct record_text *t = &out->text[out->text_count];

	for (size_t i = 0; name && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], name) != 0 || out->text_count == RECORD_TEXT_MAX)
			continue;
		*t = (struct record_text){.stream = (uint16_t)stream};
		memcpy(t->codec, name, strlen(name) + 1);
		language(st, t->language, sizeof(t->language));
		words(st, "title", t->title, sizeof(t->title));
		if (st->disposition & AV_DISPOSITION_DEFAULT)
			t->flags |= RECORD_TEXT_DEFAULT;
		if (st->disposition & AV_DISPOSITION_FORCED)
			t->flags |= RECORD_TEXT_FORCED;
		if (st->disposition & AV_DISPOSITION_HEARING_IMPAIRED)
			t->flags |= RECORD_TEXT_DEAF;
		out->text_count++;
		return copy_bytes(extradata(st), arena, &t->extra, f);
	}
	return 0;
}
