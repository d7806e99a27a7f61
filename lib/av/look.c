/* lib/av/look.c - what the first seconds of a file say of its tracks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/look.h"

#include <libavutil/mem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/av/decoder.h"
#include "lib/av/look_tracks.h"
#include "lib/base/must.h"

enum { PACKETS_MAX = 3000, BYTES_MAX = 16 << 20, SECONDS = 6 };

/* Packets that say enough of a track: of pictures, where their rate has to be found out, and where
 * it is said. */
enum { ENOUGH_VIDEO = 40, ENOUGH_VIDEO_SAID = 8, ENOUGH_AUDIO = 3 };

static bool is_picture(const AVStream *st)
{
	return st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
	       !(st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
}

static void keep(struct look_stream *s, AVPacket *p)
{
	AVPacket *copy;

	if (s->kept_count == LOOK_KEPT || !(copy = av_packet_clone(p)))
		return;
	s->kept[s->kept_count++] = copy;
}

static void count_packet(struct look *l, struct reader *r, AVPacket *p)
{
	const AVStream *st = r->format->streams[p->stream_index];
	struct look_stream *s = &l->streams[p->stream_index];

	if (is_picture(st) && !s->count && !(p->flags & AV_PKT_FLAG_KEY))
		return;
	if (!s->count)
		s->place = reader_place(r, p);
	if (p->pts == AV_NOPTS_VALUE)
		s->untimed++;
	if (s->count < LOOK_TIMES)
		s->times[s->count] = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
	s->count++;
	if (st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE)
		keep(s, p);
}

static size_t enough(const struct reader *r, const AVStream *st)
{
	bool said = st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0;

	if (!is_picture(st))
		return ENOUGH_AUDIO;
	return said && r->container != RECORD_AVI ? ENOUGH_VIDEO_SAID : ENOUGH_VIDEO;
}

/* Whether every track has said enough, or those that said nothing have been given their time. */
static bool is_enough(const struct look *l, const struct reader *r)
{
	bool all = r->format->nb_streams > 0;

	for (unsigned i = 0; i < r->format->nb_streams && i < READER_STREAMS_MAX; i++) {
		const AVStream *st = r->format->streams[i];
		const struct look_stream *s = &l->streams[i];
		size_t last = s->count < LOOK_TIMES ? s->count : LOOK_TIMES;
		if (st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO && !is_picture(st))
			continue;
		all &= s->count >= enough(r, st);
		if (last > 1 && s->count >= enough(r, st) && s->times[0] != AV_NOPTS_VALUE &&
			s->times[last - 1] != AV_NOPTS_VALUE &&
			(double)(s->times[last - 1] - s->times[0]) * av_q2d(st->time_base) >
				SECONDS)
			return true;
		if (s->count > LOOK_TIMES * 4)
			return true;
	}
	/* Where streams show only as they come, both kinds are waited for a while. */
	return all && (!(r->format->ctx_flags & AVFMTCTX_NOHEADER) || r->bytes > READER_RANGE_MAX ||
			      r->format->nb_streams > 1);
}

int look_begin(struct look *l, struct reader *r, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	uint64_t most = r->bytes + BYTES_MAX; /* what was read to open it does not count */
	int got = 0;

	*l = (struct look){.video = -1};
	if (!p)
		return fail_set(f, FAIL_INTERNAL, "There is no memory to read a file");
	for (int i = 0; i < PACKETS_MAX && r->bytes < most; i++) {
		got = reader_next(r, p, f);
		if (got <= 0)
			break;
		if (p->stream_index < READER_STREAMS_MAX)
			count_packet(l, r, p);
		av_packet_unref(p);
		if (is_enough(l, r))
			break;
	}
	av_packet_free(&p);
	for (unsigned i = 0; i < r->format->nb_streams && i < READER_STREAMS_MAX; i++) {
		const AVStream *st = r->format->streams[i];
		if (l->video < 0 && is_picture(st) && l->streams[i].count &&
			decoder_name(st->codecpar->codec_id))
			l->video = (int)i;
	}
	return got < 0 ? -1 : 0;
}

void look_release(struct look *l)
{
	for (size_t i = 0; i < READER_STREAMS_MAX; i++) {
		for (size_t k = 0; k < l->streams[i].kept_count; k++)
			av_packet_free(&l->streams[i].kept[k]);
		l->streams[i].kept_count = 0;
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int64_t look_step(const struct look_stream *s)
{
	int64_t steps[LOOK_TIMES];
	size_t n = s->count < LOOK_TIMES ? s->count : LOOK_TIMES, count = 0;

	memcpy(steps, s->times, n * sizeof(*steps));
	qsort(steps, n, sizeof(*steps), by_time);
	for (size_t i = 1; i < n; i++) {
		if (steps[i - 1] != AV_NOPTS_VALUE && steps[i] > steps[i - 1])
			steps[count++] = steps[i] - steps[i - 1];
	}
	qsort(steps, count, sizeof(*steps), by_time);
	return count ? steps[count / 2] : 0;
}

int look_tracks(
	struct look *l, struct reader *r, struct arena *arena, struct record *out, struct fail *f)
{
	if (l->video >= 0 &&
		look_video(&l->streams[l->video], r, (unsigned)l->video, arena, out, f) < 0)
		return -1;
	for (unsigned i = 0; i < r->format->nb_streams && i < READER_STREAMS_MAX; i++) {
		int type = r->format->streams[i]->codecpar->codec_type;
		int result = 0;
		if (type == AVMEDIA_TYPE_AUDIO)
			result = look_audio(&l->streams[i], r, i, arena, out, f);
		else if (type == AVMEDIA_TYPE_SUBTITLE)
			result = look_text(r, i, arena, out, f);
		if (result < 0)
			return -1;
	}
	if (!out->video.codec[0] && !out->audio_count)
		return fail_set(
			f, FAIL_INPUT, "There is no picture and no sound that can be played");
	return 0;
}
