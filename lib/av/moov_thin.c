/* lib/av/moov_thin.c - a small moov with a few of the samples that a large one has.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/av/moov.h"
#include "lib/av/moov_box.h"

enum { STEP_MOST = 0x7fffffff };

struct thin {
	const struct moov *moov;
	const struct moov_want *want;
	struct buf *to;
};

/* Samples of one track that are kept. */
struct kept {
	struct moov_sample *list;
	size_t count;
};

static void put32(struct buf *to, uint32_t value)
{
	uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value};

	buf_add(to, bytes, sizeof(bytes));
}

static void put64(struct buf *to, uint64_t value)
{
	put32(to, (uint32_t)(value >> 32));
	put32(to, (uint32_t)value);
}

/* At `at` stands a number that is known only now. */
static void set32(struct buf *to, size_t at, size_t value)
{
	if (to->failed)
		return;
	for (int i = 0; i < 4; i++)
		to->ptr[at + (size_t)i] = (char)(value >> (24 - 8 * i));
}

static size_t box_begin(struct buf *to, uint32_t type)
{
	size_t at = to->len;

	put32(to, 0);
	put32(to, type);
	return at;
}

static void box_end(struct buf *to, size_t at)
{
	set32(to, at, to->len - at);
}

/* A full box with a table; its number of entries is set by table_end(). */
static size_t table_begin(struct buf *to, uint32_t type)
{
	size_t at = box_begin(to, type);

	put32(to, 0);
	put32(to, 0);
	return at;
}

static void table_end(struct buf *to, size_t at, size_t count)
{
	set32(to, at + 12, count);
	box_end(to, at);
}

/* --- which ------------------------------------------------------------------------------------ */

/* The samples [*first, *end) of the track that are wanted beside its beginning. */
static void find_wanted(
	const struct moov_track *t, const struct moov_want *want, uint32_t *first, uint32_t *end)
{
	struct moov_walk w;

	*first = 0;
	*end = t->samples;
	moov_begin(&w, t);
	while (moov_next(&w)) {
		if (w.now.key && w.now.pts + t->shift <= want->from)
			*first = w.now.number;
		if (want->until < w.now.pts + t->shift && want->until < w.now.dts + t->shift) {
			*end = w.now.number;
			return;
		}
	}
}

static bool keep(const struct thin *x, size_t number, struct kept *out)
{
	const struct moov_track *t = &x->moov->tracks[number];
	bool all = x->want->track < 0, chosen = x->want->track == (int)number;
	uint32_t first = 0, end = 0, beginning = all || chosen ? MOOV_BEGINNING : 0;
	struct moov_walk w;

	*out = (struct kept){0};
	if (chosen)
		find_wanted(t, x->want, &first, &end);
	if (!beginning || !t->samples)
		return true;
	out->list = malloc(((size_t)beginning + (end - first)) * sizeof(*out->list));
	if (!out->list)
		return false;
	moov_begin(&w, t);
	while (moov_next(&w) && (w.now.number < beginning || w.now.number < end)) {
		if (w.now.number < beginning || w.now.number >= first)
			out->list[out->count++] = w.now;
	}
	return true;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* How long sample i lasts: until the next one that is kept. */
static int64_t step(const struct kept *k, size_t i)
{
	return i + 1 < k->count ? k->list[i + 1].dts - k->list[i].dts : k->list[i].duration;
}

static bool put_times(const struct kept *k, struct buf *to)
{
	size_t at = table_begin(to, MOOV_WORD('s', 't', 't', 's')), entries = 0;

	for (size_t i = 0, run = 0; i < k->count; i += run) {
		run = 1;
		if (step(k, i) > STEP_MOST)
			return false;
		while (i + run < k->count && step(k, i + run) == step(k, i))
			run++;
		put32(to, (uint32_t)run);
		put32(to, (uint32_t)step(k, i));
		entries++;
	}
	table_end(to, at, entries);
	return true;
}

static void put_offsets(const struct kept *k, struct buf *to)
{
	size_t at = table_begin(to, MOOV_WORD('c', 't', 't', 's'));

	for (size_t i = 0; i < k->count; i++) {
		put32(to, 1);
		put32(to, (uint32_t)(k->list[i].pts - k->list[i].dts));
	}
	table_end(to, at, k->count);
}

/* A table without entries would mean something else. */
static bool put_keys(const struct kept *k, struct buf *to)
{
	size_t at = table_begin(to, MOOV_WORD('s', 't', 's', 's')), entries = 0;

	for (size_t i = 0; i < k->count; i++) {
		if (k->list[i].key) {
			put32(to, (uint32_t)i + 1);
			entries++;
		}
	}
	table_end(to, at, entries);
	return entries > 0;
}

/* Each sample is a chunk of its own. */
static void put_places(const struct kept *k, struct buf *to)
{
	size_t at = table_begin(to, MOOV_WORD('s', 't', 's', 'c')), entries = 0;

	for (size_t i = 0; i < k->count; i++) {
		if (i && k->list[i].description == k->list[i - 1].description)
			continue;
		put32(to, (uint32_t)i + 1);
		put32(to, 1);
		put32(to, k->list[i].description);
		entries++;
	}
	table_end(to, at, entries);
	at = box_begin(to, MOOV_WORD('s', 't', 's', 'z'));
	put64(to, 0);
	put32(to, (uint32_t)k->count);
	for (size_t i = 0; i < k->count; i++)
		put32(to, k->list[i].size);
	box_end(to, at);
	at = table_begin(to, MOOV_WORD('c', 'o', '6', '4'));
	for (size_t i = 0; i < k->count; i++)
		put64(to, MOOV_BASE + k->list[i].place);
	table_end(to, at, k->count);
}

/* --- boxes ------------------------------------------------------------------------------------ */

static bool put_tables(const struct thin *x, size_t number, struct span body)
{
	const struct moov_track *t = &x->moov->tracks[number];
	struct kept k;
	struct moov_box b;
	bool good = keep(x, number, &k);

	while (moov_box_next(&body, &b)) {
		if (b.type == MOOV_WORD('s', 't', 's', 'd'))
			buf_add(x->to, b.whole.ptr, b.whole.len);
	}
	good = good && put_times(&k, x->to);
	if (t->ctts.count && k.count)
		put_offsets(&k, x->to);
	if (t->stss.entries && k.count)
		good = put_keys(&k, x->to) && good;
	put_places(&k, x->to);
	free(k.list);
	return good;
}

/* Copies what stands in a track, but for its tables. */
static bool put_track(const struct thin *x, size_t number, struct span body)
{
	struct moov_box b;
	bool good = true;

	while (good && moov_box_next(&body, &b)) {
		size_t at;

		if (b.type != MOOV_WORD('m', 'd', 'i', 'a') &&
			b.type != MOOV_WORD('m', 'i', 'n', 'f') &&
			b.type != MOOV_WORD('s', 't', 'b', 'l')) {
			buf_add(x->to, b.whole.ptr, b.whole.len);
			continue;
		}
		at = box_begin(x->to, b.type);
		good = b.type == MOOV_WORD('s', 't', 'b', 'l') ? put_tables(x, number, b.body)
							       : put_track(x, number, b.body);
		box_end(x->to, at);
	}
	return good;
}

static bool put_all(const struct thin *x, uint64_t size)
{
	struct span rest = x->moov->box;
	struct moov_box b;
	size_t at, number = 0;
	bool good = moov_box_next(&rest, &b);

	buf_add(x->to, x->moov->file_type.ptr, x->moov->file_type.len);
	at = box_begin(x->to, MOOV_WORD('m', 'o', 'o', 'v'));
	rest = b.body;
	while (good && moov_box_next(&rest, &b)) {
		if (b.type == MOOV_WORD('t', 'r', 'a', 'k')) {
			size_t track = box_begin(x->to, b.type);
			good = put_track(x, number++, b.body);
			box_end(x->to, track);
		} else {
			buf_add(x->to, b.whole.ptr, b.whole.len);
		}
	}
	box_end(x->to, at);
	put32(x->to, 1);
	put32(x->to, MOOV_WORD('m', 'd', 'a', 't'));
	put64(x->to, MOOV_BASE + size - (x->to->len - 8));
	return good && !x->to->failed;
}

bool moov_thin(const struct moov *m, const struct moov_want *want, uint64_t size, struct buf *to)
{
	return put_all(&(struct thin){m, want, to}, size);
}
