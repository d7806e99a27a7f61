/* lib/av/moov.c - the tables of an MP4 file, read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/moov.h"

#include <stdlib.h>
#include <string.h>

#include "lib/av/moov_box.h"

enum {
	ELST_ENTRY = 12,
	ELST_WIDE_ENTRY = 20,
	RATE_ONE = 0x00010000,
	STEP_MOST = 0x7fffffff,
	OFFSET_MOST = 1 << 28
};

/* The table in a full box, behind its version, flags and `skip` bytes, of entries of `size`
 * bytes. */
static bool table(struct span body, size_t skip, size_t size, struct moov_table *out)
{
	const uint8_t *p = (const uint8_t *)body.ptr;

	if (out->entries || body.len < 8 + skip)
		return false;
	out->count = moov_be32(p + 4 + skip);
	out->entries = p + 8 + skip;
	return out->count <= (body.len - 8 - skip) / size;
}

/* A box of stbl. False for one that changes what the others mean. */
static bool read_table(struct moov_track *t, uint32_t type, struct span body)
{
	switch (type) {
	case MOOV_WORD('s', 't', 's', 'd'): /* encrypted tracks say so in their sample entries */
		return !memmem(body.ptr, body.len, "sinf", 4);
	case MOOV_WORD('s', 't', 't', 's'):
		return table(body, 0, 8, &t->stts);
	case MOOV_WORD('c', 't', 't', 's'):
		return table(body, 0, 8, &t->ctts);
	case MOOV_WORD('s', 't', 's', 's'):
		return table(body, 0, 4, &t->stss) && t->stss.count > 0;
	case MOOV_WORD('s', 't', 's', 'c'):
		return table(body, 0, 12, &t->stsc);
	case MOOV_WORD('s', 't', 's', 'z'):
		return table(body, 4, 4, &t->stsz) && moov_be32((const uint8_t *)body.ptr + 4) == 0;
	case MOOV_WORD('s', 't', 'c', 'o'):
		return table(body, 0, 4, &t->offsets);
	case MOOV_WORD('c', 'o', '6', '4'):
		t->wide = true;
		return table(body, 0, 8, &t->offsets);
	case MOOV_WORD('s', 'b', 'g', 'p'): /* pictures that one may begin with as well */
		return body.len >= 8 &&
		       moov_be32((const uint8_t *)body.ptr + 4) != MOOV_WORD('r', 'a', 'p', ' ');
	case MOOV_WORD('s', 't', 'z', '2'):
	case MOOV_WORD('s', 't', 'p', 's'):
	case MOOV_WORD('s', 'a', 'i', 'o'):
	case MOOV_WORD('s', 'e', 'n', 'c'):
		return false;
	default:
		return true;
	}
}

/* mdhd: timescale and duration. */
static bool read_times(struct moov_track *t, struct span body)
{
	const uint8_t *p = (const uint8_t *)body.ptr;
	bool wide = body.len > 0 && p[0] == 1;

	if (body.len < (wide ? 32u : 20u))
		return false;
	t->timescale = moov_be32(p + (wide ? 20 : 12));
	t->said = wide ? moov_be64(p + 24) : moov_be32(p + 16);
	return t->timescale > 0 && t->timescale <= INT32_MAX;
}

/* tkhd */
static bool read_id(struct moov_track *t, struct span body)
{
	const uint8_t *p = (const uint8_t *)body.ptr;
	size_t at = body.len > 0 && p[0] == 1 ? 20 : 12;

	if (body.len < at + 4)
		return false;
	t->id = moov_be32(p + at);
	return true;
}

struct edits {
	uint64_t empty, length; /* in the film's own timescale */
	int64_t begin;		/* in the track's */
	int others;
};

/* An edit list: at first perhaps nothing, then the media from some time on. */
static bool read_edits(struct span body, struct edits *out)
{
	const uint8_t *p = (const uint8_t *)body.ptr;
	bool wide = body.len > 0 && p[0] == 1;
	struct moov_table list = {0};

	if (!table(body, 0, wide ? ELST_WIDE_ENTRY : ELST_ENTRY, &list))
		return false;
	for (uint32_t i = 0; i < list.count && i < 3; i++) {
		const uint8_t *e = list.entries + i * (wide ? ELST_WIDE_ENTRY : ELST_ENTRY);
		uint64_t length = wide ? moov_be64(e) : moov_be32(e);
		int64_t begin = wide ? (int64_t)moov_be64(e + 8) : (int32_t)moov_be32(e + 4);

		if (moov_be32(e + (wide ? 16 : 8)) != RATE_ONE)
			return false;
		if (begin == -1 && i == 0) {
			out->empty = length;
		} else {
			out->begin = begin;
			out->length = length;
			out->others++;
		}
	}
	return list.count < 3 && out->others == 1 && out->begin >= 0 &&
	       out->begin < INT64_MAX / 4 && out->empty < INT32_MAX;
}

/* All boxes within `body`, down to the tables. False where one is in the way. */
static bool read_track(struct moov_track *t, struct span body, struct edits *edits)
{
	struct moov_box b;

	while (moov_box_next(&body, &b)) {
		bool good = true;

		switch (b.type) {
		case MOOV_WORD('e', 'd', 't', 's'):
		case MOOV_WORD('m', 'd', 'i', 'a'):
		case MOOV_WORD('m', 'i', 'n', 'f'):
			good = read_track(t, b.body, edits);
			break;
		case MOOV_WORD('s', 't', 'b', 'l'):
			for (struct span rest = b.body; good && moov_box_next(&rest, &b);)
				good = read_table(t, b.type, b.body);
			break;
		case MOOV_WORD('t', 'k', 'h', 'd'):
			good = read_id(t, b.body);
			break;
		case MOOV_WORD('m', 'd', 'h', 'd'):
			good = read_times(t, b.body);
			break;
		case MOOV_WORD('e', 'l', 's', 't'):
			good = edits->others == 0 && read_edits(b.body, edits);
			break;
		default:
			break;
		}
		if (!good)
			return false;
	}
	return body.len == 0;
}

/* What stts says in all; false for times that cannot be reckoned with. */
static bool sum_times(struct moov_track *t, uint64_t *samples)
{
	for (uint32_t i = 0; i < t->stts.count; i++) {
		const uint8_t *e = t->stts.entries + i * 8ull;

		if (moov_be32(e) == 0 || moov_be32(e + 4) > STEP_MOST)
			return false;
		*samples += moov_be32(e);
		t->duration += (uint64_t)moov_be32(e) * moov_be32(e + 4);
		if (t->duration > INT64_MAX / 4)
			return false;
	}
	return true;
}

static bool sum_offsets(const struct moov_track *t, uint64_t *samples)
{
	for (uint32_t i = 0; i < t->ctts.count; i++) {
		const uint8_t *e = t->ctts.entries + i * 8ull;
		int32_t offset = (int32_t)moov_be32(e + 4);

		if (moov_be32(e) == 0 || offset > OFFSET_MOST || offset < -OFFSET_MOST)
			return false;
		*samples += moov_be32(e);
	}
	return true;
}

static bool sum_chunks(const struct moov_track *t, uint64_t *samples)
{
	uint64_t end = (uint64_t)t->offsets.count + 1;

	for (uint32_t i = 0; i < t->stsc.count; i++) {
		const uint8_t *e = t->stsc.entries + i * 12ull;
		uint64_t first = moov_be32(e),
			 next = i + 1 < t->stsc.count ? moov_be32(e + 12) : end;

		if (next <= first || next > end || (i == 0 && first != 1) || moov_be32(e + 4) == 0)
			return false;
		*samples += (next - first) * moov_be32(e + 4);
		if (*samples > t->samples)
			return false;
	}
	return true;
}

/* Whether all tables are of the same number of samples. */
static bool agree(struct moov_track *t)
{
	uint64_t timed = 0, composed = 0, placed = 0;

	t->samples = t->stsz.count;
	return sum_times(t, &timed) && timed == t->samples && sum_offsets(t, &composed) &&
	       (t->ctts.count == 0 || composed == t->samples) && sum_chunks(t, &placed) &&
	       placed == t->samples;
}

/* The edit list as a shift, where it is no more than that: it must not begin far into the media,
 * nor end before they do. */
static bool set_shift(struct moov_track *t, const struct edits *e, uint32_t film_timescale)
{
	struct moov_walk w;
	uint64_t tick;

	if (e->others == 0)
		return true;
	tick = t->timescale / film_timescale + 1;
	moov_begin(&w, t);
	for (int i = 0; i < MOOV_BEGINNING / 4 && moov_next(&w); i++)
		continue;
	t->shift = (int64_t)(e->empty * t->timescale / film_timescale) - e->begin;
	return t->samples == 0 ||
	       (e->begin <= w.now.dts && e->length <= UINT64_MAX / 4 / t->timescale &&
		       e->length * t->timescale / film_timescale + (uint64_t)e->begin + tick >=
			       t->duration);
}

static bool add_track(struct moov *m, struct moov_box *b, uint32_t film_timescale)
{
	struct moov_track *t = &m->tracks[m->count];
	struct edits edits = {0};

	if (m->count == MOOV_TRACKS_MAX)
		return false;
	*t = (struct moov_track){.box = b->whole};
	m->count++;
	return read_track(t, b->body, &edits) && t->timescale && agree(t) &&
	       set_shift(t, &edits, film_timescale);
}

bool moov_read(struct moov *m, char *bytes, struct span file_type, struct span box)
{
	struct span rest = box;
	uint32_t film_timescale = 0;
	struct moov_box b;

	*m = (struct moov){.bytes = bytes, .file_type = file_type, .box = box};
	if (!moov_box_next(&rest, &b))
		return false;
	rest = b.body;
	while (moov_box_next(&rest, &b)) {
		const uint8_t *p = (const uint8_t *)b.body.ptr;

		if (b.type == MOOV_WORD('m', 'v', 'e', 'x') ||
			b.type == MOOV_WORD('c', 'm', 'o', 'v'))
			return false;
		if (b.type == MOOV_WORD('m', 'v', 'h', 'd') && b.body.len >= 32)
			film_timescale = moov_be32(p + (p[0] == 1 ? 20 : 12));
		if (b.type == MOOV_WORD('t', 'r', 'a', 'k') &&
			(!film_timescale || !add_track(m, &b, film_timescale)))
			return false;
	}
	return rest.len == 0 && m->count > 0;
}

void moov_release(struct moov *m)
{
	free(m->bytes);
	*m = (struct moov){0};
}

/* --- one sample after the other --------------------------------------------------------------- */

void moov_begin(struct moov_walk *w, const struct moov_track *track)
{
	*w = (struct moov_walk){.track = track, .now = {.number = UINT32_MAX}};
}

static uint64_t offset_of(const struct moov_track *t, uint32_t chunk)
{
	return t->wide ? moov_be64(t->offsets.entries + chunk * 8ull)
		       : moov_be32(t->offsets.entries + chunk * 4ull);
}

/* Goes on to the next chunk where the present one has been walked through. */
static void enter_chunk(struct moov_walk *w)
{
	const struct moov_track *t = w->track;

	if (w->chunk_left)
		return;
	if (w->stsc + 1 < t->stsc.count &&
		moov_be32(t->stsc.entries + (w->stsc + 1) * 12ull) == w->chunk + 1)
		w->stsc++;
	w->chunk_left = moov_be32(t->stsc.entries + w->stsc * 12ull + 4);
	w->next_place = offset_of(t, w->chunk++);
}

bool moov_next(struct moov_walk *w)
{
	const struct moov_track *t = w->track;
	struct moov_sample *s = &w->now;

	if (s->number + 1 >= t->samples)
		return false;
	s->number++;
	s->dts += s->duration;
	if (!w->stts_left)
		w->stts_left = moov_be32(t->stts.entries + w->stts++ * 8ull);
	w->stts_left--;
	s->duration = moov_be32(t->stts.entries + (w->stts - 1) * 8ull + 4);
	s->pts = s->dts;
	if (t->ctts.count) {
		if (!w->ctts_left)
			w->ctts_left = moov_be32(t->ctts.entries + w->ctts++ * 8ull);
		w->ctts_left--;
		s->pts += (int32_t)moov_be32(t->ctts.entries + (w->ctts - 1) * 8ull + 4);
	}
	while (w->stss < t->stss.count &&
		moov_be32(t->stss.entries + w->stss * 4ull) < s->number + 1)
		w->stss++;
	s->key = !t->stss.entries ||
		 (w->stss < t->stss.count &&
			 moov_be32(t->stss.entries + w->stss * 4ull) == s->number + 1);
	enter_chunk(w);
	w->chunk_left--;
	s->place = w->next_place;
	s->size = moov_be32(t->stsz.entries + s->number * 4ull);
	s->description = moov_be32(t->stsc.entries + w->stsc * 12ull + 8);
	w->next_place += s->size;
	return true;
}
