/* t/unit/shelf.c - answers kept for a moment: one makes, others wait, nothing grows.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/shelf.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "t/unit/tap.h"

static int clock_fd;

static void move_to(int64_t ms)
{
	if (pwrite(clock_fd, &ms, sizeof(ms), 0) != sizeof(ms))
		abort();
}

static void open_clock(void)
{
	char path[] = "/tmp/sluice-clock-XXXXXX";

	clock_fd = mkstemp(path);
	move_to(0);
	setenv("SLUICE_CLOCK", path, 1);
	clock_init();
	unlink(path);
}

static struct shelf *open_shelf(void)
{
	struct shelf *s = NULL;
	struct fail f = {0};

	if (shelf_open(&s, &f) < 0)
		abort();
	return s;
}

static enum shelf_result take(struct shelf *s, const char *key, void *who, char *body)
{
	const struct shelf_waiter waiter = {who, 7};
	struct shelf_item *item;
	enum shelf_result result = shelf_take(s, span_of(key), who ? &waiter : NULL, &item);
	struct shelf_answer a;

	if (item) {
		shelf_read(item, &a);
		snprintf(body, 64, "%s|%.*s|%.*s|%lld", a.type, (int)a.headers.len, a.headers.ptr,
			(int)a.body.len, a.body.ptr, (long long)(a.age_ms / 1000));
	}
	shelf_release(&item);
	return result;
}

static struct shelf_queue *done(struct shelf *s, const char *key, const char *body, int64_t life_ms)
{
	struct shelf_answer answer = {"text/plain", span_of("H: v"), span_of(body), 0};
	struct shelf_item *item;
	struct shelf_queue *queue =
		shelf_done(s, span_of(key), body ? &answer : NULL, life_ms, &item);

	ok((item != NULL) == (body != NULL), "what was made for '%s' can be shared", key);
	shelf_release(&item);
	return queue;
}

static void keeps(void)
{
	struct shelf *s = open_shelf();
	char body[64] = "";

	is_int(take(s, "a", NULL, body), SHELF_MAKE, "the first makes it");
	ok(!done(s, "a", "one", 20000), "nobody waited");
	is_int(take(s, "a", NULL, body), SHELF_HIT, "the next finds it");
	is_str(body, "text/plain|H: v|one|0", "whole");
	is_int(take(s, "b", NULL, body), SHELF_MAKE, "another question has another answer");
	ok(!done(s, "b", NULL, 2000), "which is for itself alone");
	is_int(take(s, "b", NULL, body), SHELF_MAKE, "and is not kept");
	ok(!done(s, "b", "zero", 0), "nor is one with no life");
	is_int(take(s, "b", NULL, body), SHELF_MAKE, "it is made anew");
	ok(!done(s, "b", NULL, 0), "each time");
	move_to(18000);
	is_int(take(s, "a", NULL, body), SHELF_HIT, "towards its end it is there");
	is_str(body, "text/plain|H: v|one|18", "and says its age");
	move_to(20001);
	is_int(take(s, "a", NULL, body), SHELF_MAKE, "then it is not");
	shelf_clear(s);
	ok(!done(s, "a", "old", 2000), "what was being made while all was forgotten");
	is_int(take(s, "a", NULL, body), SHELF_MAKE, "is not kept");
	ok(!done(s, "a", "new", 2000), "what comes after");
	is_int(take(s, "a", NULL, body), SHELF_HIT, "is");
	shelf_clear(s);
	is_int(take(s, "a", NULL, body), SHELF_MAKE, "until all is forgotten");
	ok(!done(s, "a", NULL, 0), "again");
	shelf_close(&s);
}

static void waits(void)
{
	struct shelf *s = open_shelf();
	struct shelf_queue *queue;
	struct shelf_waiter who;
	int people[SHELF_WAITERS + 1];
	char body[64] = "";

	take(s, "a", NULL, body);
	is_int(take(s, "a", &people[0], body), SHELF_PARKED, "who asks meanwhile waits");
	is_int(take(s, "a", &people[1], body), SHELF_PARKED, "however many");
	is_int(take(s, "a", NULL, body), SHELF_PASS, "but who must not wait makes his own");
	queue = done(s, "a", "one", 0);
	ok(shelf_next(&queue, &who) && who.x == &people[0] && who.begun_us == 7, "the first");
	ok(shelf_next(&queue, &who) && who.x == &people[1], "and the second");
	ok(!shelf_next(&queue, &who), "are given to who made it");
	take(s, "a", NULL, body);
	for (int i = 0; i < SHELF_WAITERS; i++)
		take(s, "a", &people[i], body);
	is_int(take(s, "a", &people[SHELF_WAITERS], body), SHELF_PASS, "no more wait than may");
	queue = done(s, "a", NULL, 0);
	int count = 0;
	while (shelf_next(&queue, &who))
		count += who.x == &people[count];
	is_int(count, SHELF_WAITERS, "all of them are given back, in their order");
	take(s, "a", NULL, body);
	is_int(take(s, "a", &people[0], body), SHELF_PARKED, "then there is room to wait");
	queue = done(s, "a", NULL, 0);
	while (shelf_next(&queue, &who))
		continue;
	shelf_close(&s);
}

static void stays_small(void)
{
	struct shelf *s = open_shelf();
	char key[16], body[64] = "", *large = calloc(1, SHELF_ITEM_BYTES + 2);
	int there = 0;

	for (int i = 0; i <= SHELF_ENTRIES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		take(s, key, NULL, body);
		done(s, key, "x", 1000 + i);
	}
	is_int(take(s, "1", NULL, body), SHELF_HIT, "one more than fits: the others stay");
	is_int(take(s, "0", NULL, body), SHELF_MAKE, "but the one that ended first");
	for (int i = 1; i < SHELF_ENTRIES; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		take(s, key, NULL, body);
	}
	is_int(take(s, "more", NULL, body), SHELF_PASS, "when all are being made, nothing is kept");
	done(s, "0", NULL, 0);
	for (int i = 1; i < SHELF_ENTRIES; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		done(s, key, NULL, 0);
	}
	memset(large, 'x', SHELF_ITEM_BYTES + 1);
	take(s, "large", NULL, body);
	struct shelf_answer answer = {"text/plain", span_of(""), span_of(large), 0};
	struct shelf_item *item;
	ok(!shelf_done(s, span_of("large"), &answer, 1000, &item) && !item, "a giant is not kept");
	large[SHELF_ITEM_BYTES - 64] = '\0';
	answer.body = span_of(large);
	for (int i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "g%d", i);
		take(s, key, NULL, body);
		shelf_done(s, span_of(key), &answer, 1000, &item);
		ok(item, "large ones are made");
		shelf_release(&item);
	}
	for (int i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "g%d", i);
		if (take(s, key, NULL, body) == SHELF_HIT)
			there++;
		else
			done(s, key, NULL, 0);
	}
	ok(there > 0 && there <= SHELF_BYTES / (SHELF_ITEM_BYTES - 64), "%d are kept", there);
	free(large);
	shelf_close(&s);
}

/* --- many threads ----------------------------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 4000 };

struct crowd {
	struct shelf *shelf;
	atomic_int making[4], made, answered, wrong;
};

static void answer_all(struct crowd *c, int key, struct shelf_queue *queue, struct shelf_item *item)
{
	struct shelf_waiter who;
	struct shelf_answer a;

	while (shelf_next(&queue, &who)) {
		shelf_read(item, &a);
		if (a.body.ptr[0] != 'a' + key)
			atomic_fetch_add(&c->wrong, 1);
		free(who.x);
		atomic_fetch_add(&c->answered, 1);
	}
}

static void visit(struct crowd *c, int key, int64_t life_ms)
{
	char name[2] = {(char)('a' + key), '\0'};
	struct shelf_answer a = {"text/plain", span_of(""), span_of(name), 0};
	const struct shelf_waiter who = {malloc(1), 0};
	struct shelf_queue *queue;
	struct shelf_item *item;

	switch (shelf_take(c->shelf, span_of(name), &who, &item)) {
	case SHELF_PARKED:
		return;
	case SHELF_HIT:
		shelf_read(item, &a);
		if (a.body.ptr[0] != 'a' + key)
			atomic_fetch_add(&c->wrong, 1);
		break;
	case SHELF_MAKE:
		if (atomic_fetch_add(&c->making[key], 1) != 0)
			atomic_fetch_add(&c->wrong, 1);
		atomic_fetch_add(&c->made, 1);
		atomic_fetch_sub(&c->making[key], 1);
		queue = shelf_done(c->shelf, span_of(name), &a, life_ms, &item);
		answer_all(c, key, queue, item);
		break;
	case SHELF_PASS:
		break;
	}
	shelf_release(&item);
	free(who.x);
	atomic_fetch_add(&c->answered, 1);
}

static void *wander(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < ROUNDS; i++) {
		visit(c, i % 4, i % 3 ? 0 : 1000);
		if (i % 50 == 0)
			shelf_clear(c->shelf);
	}
	return NULL;
}

static void is_shared(void)
{
	struct crowd c = {.shelf = open_shelf()};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, wander, &c);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_int(c.answered, THREADS * ROUNDS, "many threads: everyone is answered, once");
	is_int(c.wrong, 0, "rightly, and no two make the same at once");
	ok(c.made > 0 && c.made <= c.answered, "%d of %d were made", c.made, c.answered);
	shelf_close(&c.shelf);
}

int main(void)
{
	open_clock();
	keeps();
	waits();
	stays_small();
	is_shared();
	return tap_done();
}
