/* fcgi-app/processes/packager/parts.c - the parts of films that are to be made, and for how many.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/parts.h"

#include <string.h>

#include "lib/hls/rendition.h"

enum { URGENT_THREADS = 8 }; /* as lib/av/decoder.c: of what somebody waits for, at most */

bool part_is_heavy(const struct package_request *rq)
{
	struct rendition r;

	return rq->part == PACKAGE_SEGMENT && rendition_parse(span_of(rq->rendition), &r) &&
	       (r.kind == RENDITION_VIDEO || r.kind == RENDITION_IFRAMES ||
		       r.kind == RENDITION_THUMBNAILS);
}

int part_priority(const struct package_request *rq)
{
	enum { BEHIND_ALL = 100 };
	struct rendition r;

	if (rq->part != PACKAGE_SEGMENT || !rendition_parse(span_of(rq->rendition), &r))
		return 0;
	return r.kind == RENDITION_IFRAMES || r.kind == RENDITION_THUMBNAILS ? BEHIND_ALL : 0;
}

static bool is_same_rendition(const struct package_request *a, const struct package_request *b)
{
	return a->part == b->part && strcmp(a->id, b->id) == 0 && strcmp(a->ver, b->ver) == 0 &&
	       strcmp(a->rendition, b->rendition) == 0 && strcmp(a->suffix, b->suffix) == 0;
}

bool part_is_same(const struct package_request *a, const struct package_request *b)
{
	return a->n == b->n && is_same_rendition(a, b);
}

/* Queued for nobody who waits. */
static bool is_only_ahead(const struct part *part)
{
	return part->state == PART_QUEUED && part->priority > 0 && part->waiters == 0 &&
	       !part->claimed_us;
}

/* Queued for what the viewer in the rendition that `rq` asks for may want later. */
static bool is_ahead_of(const struct part *part, const struct package_request *rq)
{
	return is_only_ahead(part) && part->rq.viewer == rq->viewer &&
	       is_same_rendition(&part->rq, rq);
}

/* The one that would be begun last. */
static struct part *last_ahead(struct parts *p)
{
	struct part *last = NULL;

	for (size_t i = 0; i < PARTS_MAX; i++) {
		if (is_only_ahead(&p->list[i]) && (!last || p->list[i].priority >= last->priority))
			last = &p->list[i];
	}
	return last;
}

struct part *parts_ask(struct parts *p, const struct package_request *rq, int priority)
{
	struct part *free = NULL;

	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct part *part = &p->list[i];

		if (part->state == PART_FREE) {
			free = free ? free : part;
		} else if (part_is_same(&part->rq, rq)) {
			if (priority < part->priority) {
				part->priority = priority;
				part->due_us = 0;
			}
			return part;
		}
	}
	if (!free && priority == 0)
		free = last_ahead(p);
	if (!free)
		return NULL;
	*free = (struct part){.state = PART_QUEUED,
		.rq = *rq,
		.heavy = part_is_heavy(rq),
		.priority = priority,
		.output = -1,
		.id = ++p->ids};
	return free;
}

struct part *parts_find(struct parts *p, uint64_t id)
{
	for (size_t i = 0; id && i < PARTS_MAX; i++) {
		if (p->list[i].state != PART_FREE && p->list[i].id == id)
			return &p->list[i];
	}
	return NULL;
}

/* What runs now, by what it is. */
struct load {
	int light, urgent, ahead;
};

static struct load load_of(const struct parts *p)
{
	struct load l = {0};

	for (size_t i = 0; i < PARTS_MAX; i++) {
		const struct part *part = &p->list[i];

		if (part->state != PART_RUNNING)
			continue;
		if (!part->heavy)
			l.light++;
		else if (part->priority == 0)
			l.urgent++;
		else
			l.ahead++;
	}
	return l;
}

/* What somebody waits for has the processors for itself: what is made ahead beside it would hold it
 * up, and be late itself. */
static bool has_room(const struct part *part, const struct load *l, int heavy_max)
{
	if (!part->heavy)
		return l->light < (part->priority > 0 ? PARTS_LIGHT_AHEAD_MAX : PARTS_LIGHT_MAX);
	if (part->priority == 0)
		return l->urgent < heavy_max;
	return l->urgent * URGENT_THREADS + l->ahead < heavy_max;
}

bool part_is_passed_by(const struct part *part)
{
	return part->waiters > 0 && part->passed >= part->waiters;
}

/* A part that could be begun, and how many of its weight are made for its client now. */
struct candidate {
	struct part *part;
	int beside;
};

static int count_beside(const struct parts *p, const struct part *part)
{
	int n = 0;

	for (size_t i = 0; i < PARTS_MAX; i++)
		n += p->list[i].state == PART_RUNNING && p->list[i].heavy == part->heavy &&
		     p->list[i].rq.client == part->rq.client;
	return n;
}

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
	if (a->part->priority != b->part->priority)
		return a->part->priority < b->part->priority;
	if (part_is_passed_by(a->part) != part_is_passed_by(b->part))
		return part_is_passed_by(b->part);
	if (a->beside != b->beside)
		return a->beside < b->beside;
	return a->part->id < b->part->id;
}

struct part *parts_next(struct parts *p, int heavy_max, int64_t now_us)
{
	struct load load = load_of(p);
	struct candidate best = {NULL, 0};

	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct candidate c = {&p->list[i], 0};

		if (c.part->state != PART_QUEUED || c.part->due_us > now_us ||
			!has_room(c.part, &load, heavy_max))
			continue;
		c.beside = count_beside(p, c.part);
		if (!best.part || goes_before(&c, &best))
			best = c;
	}
	return best.part;
}

struct part *parts_in_the_way(struct parts *p, int heavy_max, int64_t now_us)
{
	struct load load = load_of(p);
	struct part *oldest = NULL;
	bool wanted = false;

	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct part *part = &p->list[i];

		if (!part->heavy || part->priority > 0)
			continue;
		if (part->state == PART_QUEUED && part->due_us <= now_us &&
			!part_is_passed_by(part))
			wanted = wanted || !has_room(part, &load, heavy_max);
		if (part->state == PART_RUNNING && part_is_passed_by(part) &&
			(!oldest || part->id < oldest->id))
			oldest = part;
	}
	return wanted ? oldest : NULL;
}

void parts_forget_ahead(struct parts *p, const struct package_request *rq, uint32_t ahead)
{
	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct part *part = &p->list[i];

		if (is_ahead_of(part, rq) && (part->rq.n <= rq->n || part->rq.n > rq->n + ahead))
			parts_drop(part);
	}
}

void parts_hold_ahead(struct parts *p, const struct package_request *rq, int64_t due_us)
{
	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct part *part = &p->list[i];

		if (is_ahead_of(part, rq) && part->due_us < due_us)
			part->due_us = due_us;
	}
}

void parts_drop(struct part *part)
{
	*part = (struct part){.output = -1};
}

size_t parts_count(const struct parts *p, enum part_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < PARTS_MAX; i++)
		count += p->list[i].state == state;
	return count;
}
