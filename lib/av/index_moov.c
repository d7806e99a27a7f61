/* lib/av/index_moov.c - keyframes of MP4, by the tables of all samples.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/demux.h"
#include "lib/av/index.h"
#include "lib/av/moov.h"

/* Walks to the sample that the demuxer gave first; false where that is none of them. */
static bool find_first(const struct look_stream *s, struct moov_walk *w)
{
	while (moov_next(w)) {
		if (w->now.place == s->place)
			return true;
	}
	return false;
}

int index_moov(struct index *x, struct fail *f)
{
	const struct look_stream *s = &x->look.streams[x->look.video];
	struct moov_walk w;
	int64_t shift, last = INT64_MIN, key = INT64_MIN;

	moov_begin(&w, &x->reader.moov->tracks[x->look.video]);
	if (s->times[0] == AV_NOPTS_VALUE || !find_first(s, &w)) {
		reader_close(&x->reader);
		return reader_open(&x->reader, x->source, f) < 0 ? -1 : index_samples(x, f);
	}
	/* What the demuxer makes of edit lists is the same for all. */
	shift = s->times[0] - w.now.pts;
	do {
		if (w.now.pts > last)
			last = w.now.pts;
		if (!w.now.key && w.now.pts < key)
			x->out->flags |= RECORD_OPEN_GOP;
		if (!w.now.key)
			continue;
		key = w.now.pts > key ? w.now.pts : key;
		if (index_add(x, index_time(x, w.now.pts + shift), w.now.place, f) < 0)
			return -1;
	} while (moov_next(&w));
	x->last_time = index_time(x, last + shift);
	return 0;
}
