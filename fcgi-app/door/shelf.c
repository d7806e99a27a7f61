/* fcgi-app/door/shelf.c - answers that are the same for everyone, kept for a moment.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"

struct shelf_item {
	atomic_int held;
	const char *type;
	int64_t made_ms;
	size_t headers, body; /* bytes, one after the other */
	char bytes[];
};

struct shelf_queue {
	struct shelf_queue *next;
	struct shelf_waiter who;
};

struct entry {
	char *key; /* NULL: free */
	size_t key_len;
	uint64_t hash;
	struct shelf_item *item; /* NULL while it is made for the first time */
	int64_t until_ms;
	bool making;
	unsigned epoch; /* of the shelf when the making began */
	struct shelf_queue *first, **last;
};

struct shelf {
	pthread_mutex_t lock; /* guards what follows */
	struct entry entries[SHELF_ENTRIES];
	size_t bytes;
	int waiting;
	unsigned epoch; /* how often all was forgotten */
};

int shelf_open(struct shelf **out, struct fail *f)
{
	struct shelf *s = calloc(1, sizeof(*s));

	if (!s)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the table of answers");
	must(pthread_mutex_init(&s->lock, NULL) == 0);
	*out = s;
	return 0;
}

/* FNV-1a. Keys that collide are told apart by themselves. */
static uint64_t hash_of(struct span key)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3;
	return hash;
}

/* --- items ------------------------------------------------------------------------------------ */

static struct shelf_item *item_make(const struct shelf_answer *a)
{
	struct shelf_item *item;

	if (a->headers.len + a->body.len > SHELF_ITEM_BYTES)
		return NULL;
	item = malloc(sizeof(*item) + a->headers.len + a->body.len);
	if (!item)
		return NULL;
	atomic_init(&item->held, 1);
	item->type = a->type;
	item->made_ms = clock_mono_ms();
	item->headers = a->headers.len;
	item->body = a->body.len;
	memcpy(item->bytes, a->headers.len ? a->headers.ptr : "", a->headers.len);
	memcpy(item->bytes + a->headers.len, a->body.len ? a->body.ptr : "", a->body.len);
	return item;
}

static struct shelf_item *hold(struct shelf_item *item)
{
	atomic_fetch_add(&item->held, 1);
	return item;
}

void shelf_release(struct shelf_item **item)
{
	if (*item && atomic_fetch_sub(&(*item)->held, 1) == 1)
		free(*item);
	*item = NULL;
}

void shelf_read(const struct shelf_item *item, struct shelf_answer *out)
{
	*out = (struct shelf_answer){
		.type = item->type,
		.headers = span_make(item->bytes, item->headers),
		.body = span_make(item->bytes + item->headers, item->body),
		.age_ms = clock_mono_ms() - item->made_ms,
	};
}

/* --- entries ---------------------------------------------------------------------------------- */

static size_t item_bytes(const struct entry *e)
{
	return e->item ? sizeof(*e->item) + e->item->headers + e->item->body : 0;
}

static void drop_item(struct shelf *s, struct entry *e)
{
	s->bytes -= item_bytes(e);
	shelf_release(&e->item);
}

static void empty(struct shelf *s, struct entry *e)
{
	must(!e->first);
	drop_item(s, e);
	s->bytes -= e->key_len;
	free(e->key);
	*e = (struct entry){0};
}

static void drop_ended(struct shelf *s)
{
	int64_t now_ms = clock_mono_ms();

	for (struct entry *e = s->entries; e < s->entries + SHELF_ENTRIES; e++) {
		if (e->key && !e->making && e->until_ms <= now_ms)
			empty(s, e);
	}
}

/* A free entry. When all are taken the one that ends first goes; NULL when all are being made. */
static struct entry *make_room(struct shelf *s)
{
	struct entry *room = NULL, *soonest = NULL;

	for (struct entry *e = s->entries; e < s->entries + SHELF_ENTRIES; e++) {
		if (!e->key)
			room = e;
		else if (!e->making && (!soonest || e->until_ms < soonest->until_ms))
			soonest = e;
	}
	if (room || !soonest)
		return room;
	empty(s, soonest);
	return soonest;
}

static struct entry *find(struct shelf *s, struct span key)
{
	uint64_t hash = hash_of(key);

	for (struct entry *e = s->entries; e < s->entries + SHELF_ENTRIES; e++) {
		if (e->key && e->hash == hash && span_eq(span_make(e->key, e->key_len), key))
			return e;
	}
	return NULL;
}

/* A new entry for `key`; NULL when there is no room. */
static struct entry *add(struct shelf *s, struct span key)
{
	struct entry *e;
	char *copy;

	drop_ended(s);
	if (key.len > SHELF_BYTES - s->bytes)
		return NULL;
	e = make_room(s);
	copy = e ? malloc(key.len + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, key.ptr, key.len);
	*e = (struct entry){.key = copy, .key_len = key.len, .hash = hash_of(key)};
	s->bytes += key.len;
	return e;
}

static bool put_aside(struct shelf *s, struct entry *e, const struct shelf_waiter *who)
{
	struct shelf_queue *q;

	if (!who || s->waiting == SHELF_WAITERS)
		return false;
	q = malloc(sizeof(*q));
	if (!q)
		return false;
	*q = (struct shelf_queue){.who = *who};
	*e->last = q;
	e->last = &q->next;
	s->waiting++;
	return true;
}

static enum shelf_result take(
	struct shelf *s, struct span key, const struct shelf_waiter *who, struct shelf_item **item)
{
	int64_t now_ms = clock_mono_ms();
	struct entry *e = find(s, key);

	if (e && e->making)
		return put_aside(s, e, who) ? SHELF_PARKED : SHELF_PASS;
	if (e && e->until_ms > now_ms) {
		*item = hold(e->item);
		return SHELF_HIT;
	}
	if (!e)
		e = add(s, key);
	if (!e)
		return SHELF_PASS;
	drop_item(s, e);
	e->making = true;
	e->epoch = s->epoch;
	e->last = &e->first;
	return SHELF_MAKE;
}

enum shelf_result shelf_take(
	struct shelf *s, struct span key, const struct shelf_waiter *who, struct shelf_item **item)
{
	enum shelf_result result;

	*item = NULL;
	pthread_mutex_lock(&s->lock);
	result = take(s, key, who, item);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* Keeps the item if it fits, else forgets the entry. */
static void keep(struct shelf *s, struct entry *e, struct shelf_item *item, int64_t life_ms)
{
	if (!item || life_ms <= 0 || e->epoch != s->epoch) {
		empty(s, e);
		return;
	}
	e->item = hold(item);
	e->until_ms = item->made_ms + life_ms;
	s->bytes += item_bytes(e);
	if (s->bytes > SHELF_BYTES)
		empty(s, e);
}

struct shelf_queue *shelf_done(struct shelf *s, struct span key, const struct shelf_answer *answer,
	int64_t life_ms, struct shelf_item **item)
{
	struct shelf_queue *queue;
	struct entry *e;

	*item = answer ? item_make(answer) : NULL;
	pthread_mutex_lock(&s->lock);
	e = find(s, key);
	must(e && e->making);
	queue = e->first;
	e->first = NULL;
	for (struct shelf_queue *q = queue; q; q = q->next)
		s->waiting--;
	drop_ended(s);
	e->making = false;
	keep(s, e, *item, life_ms);
	pthread_mutex_unlock(&s->lock);
	return queue;
}

bool shelf_next(struct shelf_queue **queue, struct shelf_waiter *who)
{
	struct shelf_queue *q = *queue;

	if (!q)
		return false;
	*who = q->who;
	*queue = q->next;
	free(q);
	return true;
}

void shelf_clear(struct shelf *s)
{
	pthread_mutex_lock(&s->lock);
	s->epoch++;
	for (struct entry *e = s->entries; e < s->entries + SHELF_ENTRIES; e++) {
		if (e->key && !e->making)
			empty(s, e);
	}
	pthread_mutex_unlock(&s->lock);
}

void shelf_close(struct shelf **s)
{
	if (!*s)
		return;
	shelf_clear(*s);
	for (size_t i = 0; i < SHELF_ENTRIES; i++)
		must(!(*s)->entries[i].key);
	must((*s)->bytes == 0 && (*s)->waiting == 0);
	pthread_mutex_destroy(&(*s)->lock);
	free(*s);
	*s = NULL;
}
