/* lib/av/track.c - the samples of one segment of one track.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/track.h"

#include <libavcodec/packet.h>
#include <libavutil/mem.h>
#include <stdlib.h>

struct sample *track_add(struct track *t, AVPacket *p, struct fail *f)
{
	AVPacket *mine;
	struct sample *s;

	if (t->count >= TRACK_SAMPLES_MAX || t->bytes + (uint64_t)p->size > TRACK_BYTES_MAX) {
		fail_set(f, FAIL_INPUT, "A segment of this file would be too large");
		return NULL;
	}
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 256;
		s = av_realloc_array(t->samples, room, sizeof(*s));
		if (!s)
			goto no_memory;
		t->samples = s;
		t->room = room;
	}
	mine = av_packet_alloc();
	if (!mine || av_packet_make_refcounted(p) < 0) {
		av_packet_free(&mine);
		goto no_memory;
	}
	av_packet_move_ref(mine, p);
	s = &t->samples[t->count++];
	*s = (struct sample){.data = mine->data, .size = (uint32_t)mine->size, .packet = mine};
	t->bytes += s->size;
	return s;

no_memory:
	fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	return NULL;
}

void track_release(struct track *t)
{
	for (size_t i = 0; i < t->count; i++)
		av_packet_free(&t->samples[i].packet);
	av_freep(&t->samples);
	t->count = t->room = 0;
	t->bytes = 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int track_set_times(struct track *t, struct fail *f)
{
	int64_t *times, delay = 0;

	if (t->count == 0)
		return 0;
	times = av_malloc_array(t->count + 1, sizeof(*times));
	if (!times)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	for (size_t i = 0; i < t->count; i++)
		times[i] = t->samples[i].pts;
	qsort(times, t->count, sizeof(*times), by_time);
	for (size_t i = 0; i < t->count; i++) {
		if (times[i] - t->samples[i].pts > delay)
			delay = times[i] - t->samples[i].pts;
	}
	for (size_t i = 0; i < t->count; i++) {
		int64_t dts = times[i] - delay;
		int64_t soonest = i ? t->samples[i - 1].dts + 1 : times[0];
		t->samples[i].dts = dts > soonest ? dts : soonest;
		if (i)
			t->samples[i - 1].duration = t->samples[i].dts - t->samples[i - 1].dts;
	}
	t->samples[t->count - 1].duration = t->end - t->samples[t->count - 1].dts;
	if (t->samples[t->count - 1].duration < 1)
		t->samples[t->count - 1].duration = 1;
	av_free(times);
	return 0;
}
