/* lib/hls/window.c - the segments that a channel's playlists list.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/window.h"

#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/m3u8.h"

int64_t window_start(const struct window *w, int64_t now_ms)
{
	int64_t by_clock = now_ms / 2000;

	if (w->count || w->next_n > by_clock)
		return w->next_n;
	return by_clock;
}

void window_break(struct window *w)
{
	w->period++;
}

void window_clear(struct window *w)
{
	w->count = 0;
}

void window_trim(struct window *w, size_t count)
{
	size_t off = w->count > count ? w->count - count : 0;

	memmove(w->columns, w->columns + off, (w->count - off) * sizeof(w->columns[0]));
	w->count -= off;
}

bool window_add(struct window *w, const struct window_column *c)
{
	if (c->n < w->next_n)
		return false;
	if (c->n > w->next_n)
		window_clear(w);
	if (w->count == WINDOW_COLUMNS) {
		w->count--;
		memmove(w->columns, w->columns + 1, w->count * sizeof(w->columns[0]));
	}
	w->columns[w->count] = *c;
	w->columns[w->count++].period = w->period;
	w->next_n = c->n + 1;
	return true;
}

int64_t window_column_us(const struct window_column *c)
{
	int64_t longest_us = 0;

	for (size_t i = 0; i < LADDER_MAX; i++) {
		if (c->duration_us[i] > longest_us)
			longest_us = c->duration_us[i];
	}
	return longest_us;
}

/* A broadcast's frames do not add up to two seconds exactly. */
int window_keep_s(const struct window *w)
{
	const int64_t usual_us = WINDOW_TARGET_S * 1000000;

	if (w->count && window_column_us(&w->columns[w->count - 1]) < usual_us * 3 / 4)
		return 0;
	return WINDOW_TARGET_S / 2;
}

/* How far another rung is from what a player of `r` expects: pictures below it before those above,
 * sound last. */
static int distance(const struct rung *r, const struct rung *other)
{
	const int far = 100000;

	if (!other->height)
		return 2 * far;
	return other->height <= r->height ? r->height - other->height : far + other->height;
}

size_t window_rung(const struct window_column *c, const struct ladder *l, size_t r)
{
	size_t best = l->count;

	if (c->duration_us[r])
		return c->duration_us[r] > 0 ? r : l->count;
	for (size_t i = 0; i < l->count; i++) {
		if (c->duration_us[i] > 0 &&
			(best == l->count || distance(l->rungs[r], l->rungs[i]) <
						     distance(l->rungs[r], l->rungs[best])))
			best = i;
	}
	return best;
}

bool window_print(const struct window *w, const struct ladder *l, size_t r, const char *prefix,
	struct buf *to)
{
	struct m3u8_segment segments[WINDOW_COLUMNS];
	struct m3u8_media m = {WINDOW_TARGET_S, 0, prefix, segments, 0};
	size_t end = w->count, first;

	must(r < l->count && w->count <= WINDOW_COLUMNS);
	while (end && window_rung(&w->columns[end - 1], l, r) == l->count)
		end--;
	for (first = end; first && window_rung(&w->columns[first - 1], l, r) < l->count;)
		first--;
	if (first == end)
		return false;
	m.discontinuity_sequence = w->columns[first].period;
	for (size_t i = first; i < end; i++) {
		const struct window_column *c = &w->columns[i];
		size_t from = window_rung(c, l, r);
		segments[m.count++] = (struct m3u8_segment){c->n, c->duration_us[from], c->date_ms,
			i > first && c->period != w->columns[i - 1].period, l->rungs[from]->name,
			c->slate ? WINDOW_SLATE : NULL};
	}
	m3u8_media_print(&m, to);
	return true;
}
