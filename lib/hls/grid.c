/* lib/hls/grid.c - where a title is cut into segments.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/grid.h"

#include <stdbool.h>

#include "lib/base/must.h"

static const int first_s[] = {2, 2, 4};

enum { FIRST = sizeof(first_s) / sizeof(first_s[0]) };

int64_t grid_scale(int64_t a, int64_t b, int64_t c)
{
	__int128 product = (__int128)a * b;

	must(b >= 0 && c > 0);
	/* Half away from below: the same for all numbers, so that steps stay what they are. */
	product = product * 2 + c;
	__int128 whole = product / (2 * (__int128)c);
	if (product < 0 && product % (2 * (__int128)c))
		whole--;
	return (int64_t)whole;
}

static int64_t ceiling(__int128 a, __int128 b)
{
	__int128 whole = a / b;

	return (int64_t)(a > 0 && a % b ? whole + 1 : whole);
}

int64_t grid_sample(int64_t t, uint32_t timescale, uint32_t rate)
{
	return ceiling((__int128)t * rate, timescale);
}

int64_t grid_frame(int64_t sample, uint32_t size)
{
	return ceiling(sample, size);
}

int64_t grid_longest(const struct grid *g)
{
	int64_t longest = 0;

	for (size_t i = 0; i < g->count; i++) {
		int64_t next = i + 1 < g->count ? g->keys[i + 1].t : g->end;
		if (next - g->keys[i].t > longest)
			longest = next - g->keys[i].t;
	}
	return longest;
}

static int make_room(size_t max, struct arena *arena, struct record *r, struct fail *f)
{
	if (max > RECORD_SEGMENTS_MAX)
		max = RECORD_SEGMENTS_MAX;
	r->segments = 0;
	r->t = arena_alloc(arena, (max + 1) * sizeof(*r->t));
	r->pos = arena_alloc(arena, (max + 1) * sizeof(*r->pos));
	if (!r->t || !r->pos)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the list of segments");
	return 0;
}

/* Begins a segment; one that lasts for nothing is none. */
static int add(struct record *r, int64_t t, uint64_t pos, struct fail *f)
{
	if (r->segments && r->t[r->segments - 1] >= t)
		return 0;
	if (r->segments >= RECORD_SEGMENTS_MAX)
		return fail_set(f, FAIL_INPUT, "The file would make more than %d segments",
			RECORD_SEGMENTS_MAX);
	r->t[r->segments] = t;
	r->pos[r->segments++] = pos;
	return 0;
}

/* What remains at the end is joined to the segment before when it is under a third of `target`. */
static void finish(const struct grid *g, int64_t target, struct record *r)
{
	if (r->segments > 1 && (g->end - r->t[r->segments - 1]) * 3 < target)
		r->segments--;
	r->t[r->segments] = g->end;
	r->pos[r->segments] = g->end_pos;
}

static int64_t target_of(size_t n, int later_s, uint32_t timescale)
{
	int s = n < FIRST && first_s[n] < later_s ? first_s[n] : later_s;

	return (int64_t)s * timescale;
}

int grid_cut(const struct grid *g, struct arena *arena, struct record *r, struct fail *f)
{
	must(g->count > 0 && g->keys[0].t == 0 && g->end > g->keys[g->count - 1].t);
	if (make_room(g->count, arena, r, f) < 0 || add(r, 0, g->keys[0].pos, f) < 0)
		return -1;
	for (size_t i = 1; i < g->count; i++) {
		int64_t target = target_of(r->segments - 1, GRID_TARGET_S, g->timescale);
		int64_t begin = r->t[r->segments - 1];
		int64_t length = g->keys[i].t - begin;
		int64_t next = (i + 1 < g->count ? g->keys[i + 1].t : g->end) - begin;

		if (length < target && (length * 2 < target || next * 2 <= target * 3))
			continue;
		if (add(r, g->keys[i].t, g->keys[i].pos, f) < 0)
			return -1;
	}
	finish(g, (int64_t)GRID_TARGET_S * g->timescale, r);
	return 0;
}

/* The time of a whole picture nearest to `s` seconds. */
static int64_t whole_picture(int64_t s, uint32_t rate_n, uint32_t rate_d, uint32_t timescale)
{
	if (!rate_n || !rate_d)
		return s * timescale;
	return grid_scale(grid_scale(s, rate_n, rate_d) * rate_d, timescale, rate_n);
}

int grid_fixed(const struct grid *g, uint32_t rate_n, uint32_t rate_d, struct arena *arena,
	struct record *r, struct fail *f)
{
	int64_t s = 0, t = 0;
	size_t key = 0;

	must(g->count > 0 && g->keys[0].t == 0 && g->end > 0);
	if (make_room((size_t)(g->end / g->timescale) / 2 + 2, arena, r, f) < 0)
		return -1;
	while (t < g->end) {
		while (key + 1 < g->count && g->keys[key + 1].t <= t)
			key++;
		if (add(r, t, g->keys[key].pos, f) < 0)
			return -1;
		s += target_of(r->segments - 1, GRID_FIXED_S, 1);
		t = whole_picture(s, rate_n, rate_d, g->timescale);
	}
	finish(g, (int64_t)GRID_FIXED_S * g->timescale, r);
	return 0;
}
