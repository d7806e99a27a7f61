/* t/unit/parts.c - which part of a film is begun next, and for whom.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/parts.h"

#include <stdlib.h>

#include "fcgi-app/processes/packager/askers.h"
#include "t/unit/tap.h"

static struct parts *parts;

static struct package_request want(const char *rendition, uint32_t n)
{
	struct package_request rq = {.version = PACKAGE_VERSION,
		.part = PACKAGE_SEGMENT,
		.n = n,
		.id = "vod-1",
		.ver = "0123",
		.suffix = "m4s"};

	snprintf(rq.rendition, sizeof(rq.rendition), "%s", rendition);
	return rq;
}

static struct package_request by(uint64_t viewer, const char *rendition, uint32_t n)
{
	struct package_request rq = want(rendition, n);

	rq.viewer = viewer;
	return rq;
}

static struct part *ask(const char *rendition, uint32_t n, int priority)
{
	struct package_request rq = want(rendition, n);

	return parts_ask(parts, &rq, priority);
}

static void begin_anew(void)
{
	free(parts);
	parts = calloc(1, sizeof(*parts));
	if (!parts)
		exit(1);
}

static void joining(void)
{
	struct part *a, *b;
	bool good = true;

	begin_anew();
	a = ask("720p", 3, 2);
	ok(a && a->heavy && a->priority == 2, "a picture that is encoded is heavy");
	ok(!ask("source", 3, 0)->heavy && !ask("a0", 3, 0)->heavy, "a copy is not, nor is sound");
	struct package_request sheet = want("thumbnails", 0), picture = want("720p", 0);
	ok(part_priority(&sheet) > 8 && part_priority(&picture) == 0,
		"thumbnails wait for what plays and what comes next");
	a->due_us = 5000;
	b = ask("720p", 3, 0);
	ok(a == b && a->priority == 0, "who asks for the same joins it and makes it urgent");
	ok(a->due_us == 0, "and due");
	ok(ask("720p", 3, 1)->priority == 0, "which it stays");
	ok(ask("480p", 3, 0) != a && ask("720p", 4, 0) != a, "another one is another part");
	for (uint32_t n = 100; n < 100 + PARTS_MAX; n++)
		good = good && (ask("240p", n, 0) != NULL || n > 100 + PARTS_MAX - 10);
	ok(good && !ask("240p", 9999, 0), "until the table is full");
	a = ask("240p", 100, 0);
	a->priority = 1;
	ok(!ask("240p", 9998, 1), "of what is made ahead, too");
	b = ask("240p", 9999, 0);
	ok(b == a && b->rq.n == 9999 && b->priority == 0,
		"which gives way to what somebody waits for");
}

static void order(void)
{
	struct part *copy, *second, *ahead;

	begin_anew();
	ahead = ask("720p", 9, 1);
	second = ask("720p", 2, 0);
	ask("720p", 3, 0);
	copy = ask("source", 7, 0);
	ok(parts_next(parts, 1, 0) == second, "what somebody waits for comes first");
	second->state = PART_RUNNING;
	ok(parts_next(parts, 1, 0) == copy, "with one encoder a copy need not wait for another");
	copy->state = PART_RUNNING;
	ok(parts_next(parts, 1, 0) == NULL, "but no second picture is encoded");
	ok(parts_next(parts, 2, 0)->rq.n == 3, "with two it is");
	ask("720p", 3, 0)->state = PART_FREE;
	ok(parts_next(parts, 2, 0) == NULL && parts_next(parts, 9, 0) == ahead,
		"beside one that somebody waits for, which takes 8 processors, nothing is made "
		"ahead");
	second->state = PART_FREE;
	ok(parts_next(parts, 1, 0) == ahead, "what comes next is made when nobody waits");
	ahead->state = PART_RUNNING;
	ask("720p", 30, 0);
	ok(parts_next(parts, 1, 0) && parts_next(parts, 1, 0)->rq.n == 30,
		"and nobody ever waits for that");
	ask("720p", 30, 0)->due_us = 500;
	ok(parts_next(parts, 1, 499) == NULL && parts_next(parts, 1, 500),
		"one that waits for something is not begun before its time");
}

static void seeks(void)
{
	struct package_request rq = want("720p", 50);

	begin_anew();
	for (uint32_t n = 10; n < 13; n++)
		ask("720p", n, n == 10 ? 0 : 1);
	ask("480p", 11, 1);
	ask("720p", 51, 1);
	struct package_request theirs = by(9, "720p", 12);
	parts_ask(parts, &theirs, 1)->rq.viewer = 9;
	theirs.n = 13;
	parts_ask(parts, &theirs, 2);
	parts_forget_ahead(parts, &rq, 2);
	is_int(parts_count(parts, PART_QUEUED), 5,
		"a seek drops what was queued ahead elsewhere, in that rendition alone");
	ok(ask("720p", 10, 0)->id == 1 && ask("480p", 11, 1)->id == 4 &&
			ask("720p", 51, 1)->id == 5,
		"and nothing that somebody waits for, or another viewer will");
}

static void passing(void)
{
	struct part *old, *other, *now;

	begin_anew();
	old = ask("720p", 100, 0);
	other = ask("720p", 200, 0);
	now = ask("720p", 300, 0);
	old->waiters = other->waiters = 2;
	now->waiters = 1;
	old->passed = 2;
	other->passed = 1;
	ok(parts_next(parts, 1, 0) == other, "what all its viewers have passed by comes later");
	other->state = PART_RUNNING;
	ok(!parts_in_the_way(parts, 1, 0), "what one of them still wants is not in the way");
	other->state = PART_QUEUED;
	old->state = PART_RUNNING;
	ok(!parts_in_the_way(parts, 2, 0), "nor is anything while there is room");
	ok(parts_in_the_way(parts, 1, 0) == old, "else what was passed by is");
	other->state = now->state = PART_FREE;
	ok(!parts_in_the_way(parts, 1, 0), "unless nothing else is wanted");
}

static struct part *ask_for(uint64_t client, const char *rendition, uint32_t n)
{
	struct package_request rq = want(rendition, n);

	rq.client = client;
	return parts_ask(parts, &rq, 0);
}

static void fairness(void)
{
	struct part *first, *second, *other;

	begin_anew();
	first = ask_for(1, "720p", 100);
	second = ask_for(1, "720p", 200);
	ask_for(1, "720p", 300);
	other = ask_for(2, "720p", 400);
	ok(parts_next(parts, 2, 0) == first, "what was asked for first is made first");
	first->state = PART_RUNNING;
	ok(parts_next(parts, 2, 0) == other, "then what another client has asked for");
	other->state = PART_RUNNING;
	ok(parts_next(parts, 3, 0) == second, "where each has one, the older again");
	other->state = PART_FREE;
	ok(parts_next(parts, 3, 0) == second, "and whose alone the machine is has all of it");
}

static void places(void)
{
	static const struct {
		const char *rendition;
		uint32_t n, viewer;
		uint64_t expect;
		const char *what;
	} cases[] = {
		{"720p", 900, 7, 10, "the oldest of six places gives way to a seventh"},
		{"480p", 900, 7, 10, "in another quality, too"},
		{"720p", 502, 7, 0, "nothing gives way to what is asked for beside one of them"},
		{"480p", 98, 7, 0, "nor to another quality there"},
		{"720p", 900, 8, 0, "nor to another viewer"},
		{"720p", 900, 0, 0, "nor to nobody in particular"},
		{"a0", 900, 7, 0, "nor to sound"},
		{"s0", 900, 7, 0, "nor to subtitles"},
		{"thumbnails", 0, 7, 0, "nor to thumbnails"},
		{"iframes", 900, 7, 0, "nor to keyframes"},
	};
	struct askers *a = calloc(1, sizeof(*a));
	struct package_request rq;

	if (!a)
		exit(1);
	askers_init(a);
	/* Two who wait for each of six parts, a hundred segments apart. */
	for (uint32_t i = 0; i < 12; i++)
		a->list[i] = (struct asker){
			.fd = 1000, .rq = by(7, "720p", i / 2 * 100), .part = 10 + i / 2};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rq = by(cases[i].viewer, cases[i].rendition, cases[i].n);
		is_int((int64_t)askers_oldest_place(a, &rq), (int64_t)cases[i].expect, "%s",
			cases[i].what);
	}
	a->list[0].part = a->list[1].part = 0;
	rq = by(7, "720p", 900);
	is_int((int64_t)askers_oldest_place(a, &rq), 0, "six are allowed");
	a->list[0] = a->list[1] =
		(struct asker){.fd = 1000, .rq = by(7, "thumbnails", 0), .part = 10};
	is_int((int64_t)askers_oldest_place(a, &rq), 0, "and thumbnails are no place");
	free(a);
}

int main(void)
{
	joining();
	order();
	seeks();
	passing();
	fairness();
	places();
	free(parts);
	return tap_done();
}
