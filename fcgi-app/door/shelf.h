/* fcgi-app/door/shelf.h - answers that are the same for everyone, kept for a moment.
 * SPDX-License-Identifier: BSD-2-Clause
 * One of many that ask for the same makes the answer. The others need no thread meanwhile: they are
 * put aside here, and whoever made it answers them too.
 *
 * Bounded in entries, bytes and in how many wait; what does not fit is made for each. All may be
 * called by several threads at once; one lock guards everything and nothing is taken under it. */
#ifndef SLUICE_DOOR_SHELF_H
#define SLUICE_DOOR_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum {
	SHELF_ENTRIES = 128,
	SHELF_BYTES = 1024 * 1024,     /* of all keys and answers */
	SHELF_ITEM_BYTES = 256 * 1024, /* of the largest */
	SHELF_WAITERS = 512
};

struct shelf;

/* An answer, immutable, shared by those who send it. */
struct shelf_item;

struct shelf_answer {
	const char *type; /* a literal */
	struct span headers, body;
	int64_t age_ms; /* of what is kept: how long it has been there */
};

/* Somebody who waits: an exchange, and when it began. */
struct shelf_waiter {
	void *x;
	int64_t begun_us;
};

/* Those who waited for the same. */
struct shelf_queue;

enum shelf_result {
	SHELF_HIT,    /* *item is the answer; shelf_release() it */
	SHELF_MAKE,   /* make it; shelf_done() must follow, whatever comes of it */
	SHELF_PARKED, /* somebody makes it, and will answer the waiter: do not touch it any more */
	SHELF_PASS    /* make it, for this request alone */
};

int shelf_open(struct shelf **out, struct fail *f);
void shelf_close(struct shelf **s); /* nobody may wait */

/* Looks for the answer to `key`. `who`, copied, waits if somebody makes it; NULL: does not. */
enum shelf_result shelf_take(
	struct shelf *s, struct span key, const struct shelf_waiter *who, struct shelf_item **item);

/* Says what came of SHELF_MAKE: `answer` (copied) is kept for `life_ms`, 0 for those who wait now
 * only; NULL when there is none to share. *item is what they get, to be released, or NULL. Gives
 * those who wait. */
struct shelf_queue *shelf_done(struct shelf *s, struct span key, const struct shelf_answer *answer,
	int64_t life_ms, struct shelf_item **item);

/* Takes the next one; false when there is none (left). */
bool shelf_next(struct shelf_queue **queue, struct shelf_waiter *who);

/* Good as long as the item is held. */
void shelf_read(const struct shelf_item *item, struct shelf_answer *out);
void shelf_release(struct shelf_item **item); /* accepts NULL in it */

/* Forgets all; what is being made now will not be kept. */
void shelf_clear(struct shelf *s);

#endif
