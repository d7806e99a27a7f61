/* lib/av/reader_moov.c - the reader's way with plain MP4: the tables of a part in place of all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/reader_moov.h"

#include <limits.h>
#include <stdlib.h>

#include "lib/av/moov.h"
#include "lib/av/moov_box.h"
#include "lib/hls/grid.h"

enum { BOXES_MAX = 64, BOX_HEADER = 16, FTYP_MAX = 4096 };

static const uint64_t moov_max = 64 << 20;

struct place {
	uint64_t at, size;
};

/* Walks over the file's boxes up to its moov. */
static bool find(struct reader *r, struct place *ftyp, struct place *moov)
{
	uint64_t at = 0;

	*ftyp = *moov = (struct place){0, 0};
	for (int i = 0; i < BOXES_MAX && !moov->size; i++) {
		const uint8_t *p;
		int have = reader_peek(r, at, BOX_HEADER, &p);
		uint64_t size = have >= 8 ? moov_be32(p) : 0;
		uint32_t type = have >= 8 ? moov_be32(p + 4) : 0;

		if (size == 1)
			size = have >= BOX_HEADER ? moov_be64(p + 8) : 0;
		if (size < 8 || size > r->source->size - at ||
			type == MOOV_WORD('m', 'o', 'o', 'f'))
			return false;
		if (i == 0 && type == MOOV_WORD('f', 't', 'y', 'p') && size <= FTYP_MAX)
			*ftyp = (struct place){at, size};
		if (type == MOOV_WORD('m', 'o', 'o', 'v'))
			*moov = (struct place){at, size};
		at += size;
	}
	return moov->size > 0 && moov->size <= moov_max;
}

static bool read_all(struct reader *r, struct place from, char *to)
{
	return reader_read(r, from.at, to, (size_t)from.size) == (int)from.size;
}

static struct moov *load(struct reader *r)
{
	struct place ftyp, moov;
	struct moov *m;
	char *bytes;

	if (!find(r, &ftyp, &moov))
		return NULL;
	m = calloc(1, sizeof(*m));
	bytes = malloc((size_t)(ftyp.size + moov.size));
	if (m && bytes && read_all(r, ftyp, bytes) && read_all(r, moov, bytes + ftyp.size)) {
		if (moov_read(m, bytes, span_make(bytes, (size_t)ftyp.size),
			    span_make(bytes + ftyp.size, (size_t)moov.size)))
			return m;
		bytes = NULL;
		moov_release(m);
	}
	free(bytes);
	free(m);
	return NULL;
}

bool reader_moov(struct reader *r, const struct reader_part *part)
{
	struct moov_want want = {part->stream, part->from, part->until};
	struct moov *m = load(r);
	struct buf head;

	if (!m)
		return false;
	r->moov = m;
	buf_init(&head, moov_max);
	if (part->stream < (int)m->count) {
		uint32_t scale = part->stream >= 0 ? m->tracks[part->stream].timescale : 1;

		if (part->until != INT64_MAX)
			want.until = grid_scale(part->until, scale, part->timescale);
		want.from = grid_scale(part->from, scale, part->timescale);
		if (moov_thin(m, &want, r->source->size, &head)) {
			r->head = buf_span(&head);
			r->joined = r->thin = true;
			r->from = r->head.len - MOOV_BASE; /* so that places are from there on */
			return true;
		}
	}
	buf_release(&head);
	reader_moov_release(r);
	return false;
}

bool reader_moov_fits(struct reader *r)
{
	const struct moov *m = r->moov;

	if (r->format->nb_streams < m->count)
		return false;
	for (size_t i = 0; i < m->count; i++) {
		const struct moov_track *t = &m->tracks[i];
		AVStream *st = r->format->streams[i];

		if (st->id != (int)t->id)
			return false;
		st->duration = (int64_t)(t->duration < t->said || !t->said ? t->duration : t->said);
		if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && t->duration > 0)
			av_reduce(&st->avg_frame_rate.num, &st->avg_frame_rate.den,
				(int64_t)t->timescale * t->samples, (int64_t)t->duration, INT_MAX);
	}
	return true;
}

void reader_moov_release(struct reader *r)
{
	if (!r->moov)
		return;
	if (r->thin)
		free((char *)(uintptr_t)r->head.ptr);
	r->head = span_make(NULL, 0);
	r->thin = r->joined = false;
	moov_release(r->moov);
	free(r->moov);
	r->moov = NULL;
}
