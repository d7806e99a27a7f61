/* fcgi-app/processes/filler/fill_plan.c - which parts of an object are got now.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/filler/fill_pull.h"
#include "fcgi-app/processes/filler/fill_slot.h"
#include "lib/base/clock.h"

enum {
	NEAR_BLOCKS = 8,	 /* so far a reader waits for a request that is under way */
	FIRST_BYTES = 4 << 20,	 /* of the first request, while nobody knows how long it is */
	LIMITED_BYTES = 2 << 20, /* of each request where an account allows few */
	HOLD_MS = 5000		 /* a request that nobody wants more of ends */
};

static int64_t block_of(int64_t at)
{
	return at / BLOCK_BYTES;
}

/* The last byte that a reader wants, of what is there. */
static int64_t last_of(const struct fill_object *o, const struct fill_reader *r)
{
	return r->last < 0 || (o->known && r->last >= o->info.size) ? o->info.size - 1 : r->last;
}

static bool wants(const struct fill_object *o, const struct fill_reader *r, int64_t n)
{
	return n >= block_of(r->first) && n < block_of(r->first) + FILL_AHEAD &&
	       n <= block_of(last_of(o, r));
}

bool fill_plan_wants(const struct fill_object *o, int64_t n)
{
	for (const struct fill_reader *r = o->readers; r; r = r->next) {
		if (o->no_parts || wants(o, r, n))
			return true;
	}
	return false;
}

/* --- requests under way ----------------------------------------------------------------------- */

static bool may_go_on(const struct fill_object *o, const struct fill_pull *p)
{
	return p->reader ? !p->reader->full && p->reader->told
			 : fill_plan_wants(o, block_of(p->at));
}

static void look_at_pulls(struct fill_object *o)
{
	int64_t now_ms = clock_mono_ms();
	struct fill_pull *next;

	for (struct fill_pull *p = o->pulls; p; p = next) {
		next = p->next;
		fill_pull_tell(p);
		if (!p->held_ms)
			continue;
		if (may_go_on(o, p)) {
			p->held_ms = 0;
			transfer_resume(p->transfer);
		} else if (!p->reader && now_ms - p->held_ms > HOLD_MS) {
			fill_pull_stop(p);
		}
	}
}

/* Whether block `n` is about to come. */
static bool is_coming(const struct fill_object *o, int64_t n)
{
	int64_t from = n * BLOCK_BYTES;

	for (const struct fill_pull *p = o->pulls; p; p = p->next) {
		if (!p->reader && p->end > from && block_of(p->at) <= n &&
			(o->no_parts || !o->known || n - block_of(p->at) <= NEAR_BLOCKS))
			return true;
	}
	return false;
}

/* Where a request from block `n` on ends: at what is there, under way, or not wanted. */
static int64_t end_of_run(const struct fill_object *o, const struct fill_reader *r, int64_t n)
{
	int64_t last = block_of(last_of(o, r)), end = n + 1;

	while (end <= last && block_map_have(o->map, end) == 0) {
		bool taken = false;

		for (const struct fill_pull *p = o->pulls; p && !taken; p = p->next)
			taken = block_of(p->at) == end;
		if (taken)
			break;
		end++;
	}
	end *= BLOCK_BYTES;
	return end < o->info.size ? end : o->info.size;
}

/* --- new ones --------------------------------------------------------------------------------- */

static size_t count_pulls(const struct fill_object *o)
{
	size_t n = 0;

	for (const struct fill_pull *p = o->pulls; p; p = p->next)
		n++;
	return n;
}

/* Room for one more; where an account allows one connection, what nobody reads from gives way. */
static bool may_start(struct fill_object *o)
{
	if (fill_slot_is_limited(o)) {
		if (o->pulls && !o->pulls->held_ms)
			return false;
		while (o->pulls)
			fill_pull_stop(o->pulls);
	}
	return o->env->pulls < FILL_PULLS_MAX && count_pulls(o) < FILL_OBJECT_PULLS_MAX &&
	       fill_slot_take(o);
}

/* The beginning of what the first reader wants tells what it is. */
static void start_first(struct fill_object *o)
{
	const struct fill_reader *r = o->readers;
	int64_t from = block_of(r->first) * BLOCK_BYTES, end = from + FIRST_BYTES;

	if (o->pulls)
		return;
	if (r->last >= 0 && r->last < end)
		end = (block_of(r->last) + 1) * BLOCK_BYTES;
	if (may_start(o))
		fill_pull_start(o, NULL, from, end);
}

/* The others have their turn first, next time. */
static void wait_behind(struct fill_object *o, struct fill_reader *r)
{
	struct fill_reader **at = &o->readers;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	while (*at)
		at = &(*at)->next;
	*at = r;
	r->next = NULL;
}

/* The first block that this reader wants soon and that is not there; -1: none. */
static int64_t missing_for(const struct fill_object *o, const struct fill_reader *r)
{
	int64_t first = block_of(r->first), n;

	if (r->first >= o->info.size)
		return -1;
	n = block_map_missing(o->map, first);
	return n <= block_of(last_of(o, r)) && n < first + FILL_AHEAD ? n : -1;
}

bool fill_plan_rests(const struct fill_object *o)
{
	if (!o->map || !o->is_resolved)
		return false;
	for (const struct fill_reader *r = o->readers; r; r = r->next) {
		if (!r->told || missing_for(o, r) >= 0)
			return false;
	}
	return true;
}

static void start_kept(struct fill_object *o, struct fill_reader *r)
{
	int64_t n = missing_for(o, r), from, end;

	if (n < 0 || is_coming(o, n) || !may_start(o))
		return;
	if (block_map_take(o->map, n) != BLOCK_MINE) /* another process fills it */
		return;
	from = n * BLOCK_BYTES + block_map_have(o->map, n);
	end = end_of_run(o, r, n);
	if (fill_slot_is_limited(o) && end - from > LIMITED_BYTES)
		end = (n + LIMITED_BYTES / BLOCK_BYTES) * BLOCK_BYTES;
	if (!fill_pull_start(o, NULL, from, end) && o->map)
		block_map_drop(o->map, n);
	if (fill_slot_is_limited(o))
		wait_behind(o, r);
}

static void start_passed(struct fill_object *o, struct fill_reader *r)
{
	int64_t last = last_of(o, r);

	if (!r->told || r->pull || r->first > last || !may_start(o))
		return;
	fill_pull_start(o, r, r->first, last + 1);
}

void fill_plan(struct fill_object *o, bool may)
{
	struct fill_reader *next;

	look_at_pulls(o);
	if (!may || !o->readers)
		return;
	if (!o->known) {
		start_first(o);
		return;
	}
	for (struct fill_reader *r = o->readers; r && o->known && o->is_resolved; r = next) {
		next = r->next;
		if (o->passed)
			start_passed(o, r);
		else
			start_kept(o, r);
	}
}
