/* lib/hls/window.c - the segments that a channel's playlists list.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/window.h"

#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/m3u8.h"

void window_init(struct window *w)
{
	*w = (struct window){0};
}

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

bool window_print(const struct window *w, size_t r, const char *prefix, struct buf *to)
{
	struct m3u8_segment segments[WINDOW_COLUMNS];
	struct m3u8_media m = {WINDOW_TARGET_S, 0, prefix, segments, 0};
	size_t end = w->count, first;

	must(r < LADDER_MAX && w->count <= WINDOW_COLUMNS);
	while (end && w->columns[end - 1].duration_us[r] == 0)
		end--;
	for (first = end; first && w->columns[first - 1].duration_us[r];)
		first--;
	if (first == end)
		return false;
	m.discontinuity_sequence = w->columns[first].period;
	for (size_t i = first; i < end; i++) {
		const struct window_column *c = &w->columns[i];
		segments[m.count++] = (struct m3u8_segment){c->n, c->duration_us[r], c->date_ms,
			i > first && c->period != w->columns[i - 1].period};
	}
	m3u8_media_print(&m, to);
	return true;
}
