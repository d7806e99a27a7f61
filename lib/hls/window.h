/* lib/hls/window.h - the segments that a channel's playlists list, and how they move on.
 * SPDX-License-Identifier: BSD-2-Clause
 * All renditions share one row of columns, one column for each number `n`: the same number is the
 * same time in every rendition. A column's period counts what did not join what was before it (an
 * encoder's start, a slate) since the run began; between two periods stands EXT-X-DISCONTINUITY,
 * and the period of the first segment listed is the EXT-X-DISCONTINUITY-SEQUENCE (RFC 8216
 * sections 4.3.3.3, 6.2.2), so both agree across
 * renditions. */
#ifndef SLUICE_HLS_WINDOW_H
#define SLUICE_HLS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/hls/ladder.h"

enum { WINDOW_COLUMNS = 8, WINDOW_TARGET_S = 2, WINDOW_MISSING = -1 };
#define WINDOW_SLATE "slate"

struct window_column {
	int64_t n, period;
	int64_t date_ms; /* wall clock of its first picture, since the epoch */
	bool slate;	 /* nothing of the channel's own; its title is WINDOW_SLATE */
	/* By rung. 0: there was no such rendition then, and its playlist lists the nearest one's;
	 * WINDOW_MISSING: there was, and it has no such segment. */
	int64_t duration_us[LADDER_MAX];
};

/* All zeros is an empty one. */
struct window {
	struct window_column columns[WINDOW_COLUMNS]; /* oldest first, numbers without a gap */
	size_t count;
	int64_t period; /* of the segments to come */
	int64_t next_n; /* number of the next column; 0: none was ever added */
};

/* Where an encoder that starts now begins: the next number while the window goes on; for an empty
 * one the greater of that and half the seconds since the epoch. */
int64_t window_start(const struct window *w, int64_t now_ms);

/* The encoder was started anew: what is added from now on belongs to the next period. */
void window_break(struct window *w);

/* Empties the list (numbers and period go on): its segments are gone or too old to be useful. */
void window_clear(struct window *w);

/* Adds a column behind the others; the oldest leaves when there are WINDOW_COLUMNS. c->period is
 * set by this. A number beyond the next one clears the list first; one below it is refused
 * (false). */
bool window_add(struct window *w, const struct window_column *c);

/* Takes the oldest columns off the list, so that at most `count` are left. */
void window_trim(struct window *w, size_t count);

/* How long a column is, in microseconds: as its longest segment. */
int64_t window_column_us(const struct window_column *c);

/* For how many whole seconds a list may be kept: half of the time until it has something new, which
 * is less than a second while what it lists last is short, as a channel begins. */
int window_keep_s(const struct window *w);

/* The rung whose segment stands in column `c` of rung `r`'s playlist: its own, or where there was
 * no such rendition the next lower picture's, the lowest one's, any. l->count: there is none. */
size_t window_rung(const struct window_column *c, const struct ladder *l, size_t r);

/* Writes the media playlist of rung `r`: the last unbroken row of its segments. False, with nothing
 * written, when it has none. `prefix` as in m3u8.h. */
bool window_print(const struct window *w, const struct ladder *l, size_t r, const char *prefix,
	struct buf *to);

#endif
