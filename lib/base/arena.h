/* lib/base/arena.h - memory that is given back all at once.
 * SPDX-License-Identifier: BSD-2-Clause
 * What a request needs is taken from its arena and lives until the arena is reset. An arena has a
 * maximum: past it every call gives NULL and `full` stays set, so it may be asked once at the
 * end. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/span.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t used, max; /* bytes */
	bool full;
};

/* Makes an empty arena that gives at most `max` bytes. Allocates nothing yet. */
void arena_init(struct arena *a, size_t max);

/* `size` zeroed bytes, aligned for any type, or NULL when the arena is full. */
void *arena_alloc(struct arena *a, size_t size);

char *arena_copy(struct arena *a, struct span text); /* with a NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Gives all back but one block, which the next request uses again. */
void arena_reset(struct arena *a);

/* Gives all back. Accepts a zeroed arena. */
void arena_release(struct arena *a);

#endif
