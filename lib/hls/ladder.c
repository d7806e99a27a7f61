/* lib/hls/ladder.c - the rungs that a channel is encoded at.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/ladder.h"

#include <stdint.h>

#include "lib/base/must.h"
#include "lib/base/num.h"

/* The encoder may spend maxrate x 2 s + bufsize in two seconds; MPEG-TS adds 4 bytes in 188, about
 * 111 bytes of headers and stuffing a picture (60 a second at most) and 10 kb/s of tables and
 * clock; sound adds a thirtieth and 5 kb/s of its own. t/unit/ladder.c holds the sums against the
 * totals. The levels allow 60 pictures a second. */
static const struct rung all_rungs[] = {
	{"1080p", 1080, 1920, 4500, 3750, 3500, 1400, 128, "high", "4.2", "avc1.64002A"},
	{"720p", 720, 1280, 2500, 2080, 1870, 748, 128, "high", "3.2", "avc1.640020"},
	{"480p", 480, 854, 1000, 830, 680, 272, 96, "main", "3.1", "avc1.4D401F"},
	{"360p", 360, 640, 600, 490, 380, 152, 64, "main", "3.1", "avc1.4D401F"},
	{"240p", 240, 426, 350, 280, 190, 76, 48, "main", "3.1", "avc1.4D401F"},
	{"audio", 0, 0, 150, 140, 0, 0, 128, NULL, NULL, NULL},
};

enum { ALL_RUNGS = sizeof(all_rungs) / sizeof(all_rungs[0]) };

_Static_assert((int)ALL_RUNGS <= (int)LADDER_MAX, "a ladder holds every rung");

const struct rung *ladder_known(struct span name)
{
	for (size_t i = 0; i < ALL_RUNGS; i++) {
		if (span_is(name, all_rungs[i].name))
			return &all_rungs[i];
	}
	return NULL;
}

const struct rung *ladder_find(const struct ladder *l, struct span name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (span_is(name, l->rungs[i]->name))
			return l->rungs[i];
	}
	return NULL;
}

const struct rung *ladder_nearest(const struct ladder *l, int height)
{
	const struct rung *best = NULL;

	must(l->count > 0);
	for (size_t i = 0; i < l->count; i++) {
		const struct rung *r = l->rungs[i];
		bool fits = r->height <= height, best_fits = best && best->height <= height;
		if (r->height == 0)
			continue;
		if (!best || (fits && !best_fits) || (fits && r->height > best->height) ||
			(!fits && !best_fits && r->height < best->height))
			best = r;
	}
	return best ? best : l->rungs[0];
}

void ladder_fit(const struct ladder *l, int height, bool fits[LADDER_MAX])
{
	const struct rung *lowest = ladder_nearest(l, 0);

	for (size_t i = 0; i < l->count; i++) {
		if (l->rungs[i]->height)
			fits[i] = height == 0 || l->rungs[i] == lowest ||
				  l->rungs[i]->height * 20 <= height * 21;
	}
}

/* Lines of a quality word: "720p", "source" (no bound) or "audio" (0). */
static int quality_height(const char *what, const char *word, int *height, struct fail *f)
{
	struct span s = span_of(word);
	int64_t value;

	if (s.len == 0 || span_is(s, "source") || span_is(s, "auto"))
		*height = INT32_MAX;
	else if (span_is(s, "audio"))
		*height = 0;
	else if (span_ends(s, "p") && num_parse(span_make(s.ptr, s.len - 1), 1, 8640, &value))
		*height = (int)value;
	else
		return fail_set(f, FAIL_INPUT,
			"%s is '%s', which is no quality; give one such as 720p, or source", what,
			word);
	return 0;
}

static int add_rung(struct ladder *l, struct span name, struct fail *f)
{
	const struct rung *rung = ladder_known(name);

	if (ladder_find(l, name))
		return fail_set(
			f, FAIL_INPUT, "The ladder names %.*s twice", (int)name.len, name.ptr);
	if (rung) {
		l->rungs[l->count++] = rung;
		return 0;
	}
	return fail_set(f, FAIL_INPUT,
		"The ladder names '%.*s'; there are 1080p, 720p, 480p, 360p, 240p and audio",
		(int)(name.len < 40 ? name.len : 40), name.ptr);
}

/* The next name, apart by blanks or commas; false at the end. */
static bool next_name(struct span *rest, struct span *name)
{
	size_t i = 0;

	while (rest->len && (*rest->ptr == ' ' || *rest->ptr == '\t' || *rest->ptr == ','))
		*rest = span_make(rest->ptr + 1, rest->len - 1);
	while (i < rest->len && rest->ptr[i] != ' ' && rest->ptr[i] != '\t' && rest->ptr[i] != ',')
		i++;
	*name = span_make(rest->ptr, i);
	*rest = span_make(rest->ptr + i, rest->len - i);
	return i > 0;
}

/* Drops what is higher than `max`; where all pictures are, the lowest of them stays. */
static void cut(struct ladder *l, int max)
{
	int lowest = ladder_nearest(l, 0)->height;
	size_t kept = 0;

	if (max < lowest && max > 0)
		max = lowest;
	for (size_t i = 0; i < l->count; i++) {
		if (l->rungs[i]->height <= max)
			l->rungs[kept++] = l->rungs[i];
	}
	if (kept)
		l->count = kept;
}

static void put_first(struct ladder *l, const struct rung *first)
{
	const struct rung *held = first;

	for (size_t i = 0; i < l->count; i++) {
		const struct rung *here = l->rungs[i];
		l->rungs[i] = held;
		held = here;
		if (here == first)
			return;
	}
}

int ladder_parse(const char *text, const char *max_quality, const char *default_quality,
	struct ladder *out, struct fail *f)
{
	struct ladder l = {0};
	struct span rest = span_of(text), name;
	int max, first;

	if (quality_height("max_quality", max_quality, &max, f) < 0 ||
		quality_height("default_quality", default_quality, &first, f) < 0)
		return -1;
	while (next_name(&rest, &name)) {
		if (add_rung(&l, name, f) < 0)
			return -1;
	}
	if (l.count == 0)
		return fail_set(f, FAIL_INPUT, "The ladder names no rung");
	cut(&l, max);
	put_first(&l, first == 0 && ladder_find(&l, span_of("audio"))
			      ? ladder_find(&l, span_of("audio"))
			      : ladder_nearest(&l, first));
	*out = l;
	return 0;
}

int ladder_height(const struct ladder *l)
{
	int height = 0;

	for (size_t i = 0; i < l->count; i++)
		height = l->rungs[i]->height > height ? l->rungs[i]->height : height;
	return height;
}
