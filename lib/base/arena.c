/* lib/base/arena.c - memory that is given back all at once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"

enum { BLOCK_SIZE = 8192 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
	struct arena_block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	*b = (struct arena_block){.next = a->blocks, .size = size};
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t room = (size + align - 1) & ~(align - 1);
	struct arena_block *b = a->blocks;
	void *p;

	if (room < size || room > a->max - a->used) {
		a->full = true;
		return NULL;
	}
	if (!b || room > b->size - b->used)
		b = add_block(a, room > BLOCK_SIZE ? room : BLOCK_SIZE);
	if (!b) {
		a->full = true;
		return NULL;
	}
	p = b->bytes + b->used;
	b->used += room;
	a->used += room;
	must(a->used <= a->max && b->used <= b->size);
	return memset(p, 0, room);
}

char *arena_copy(struct arena *a, struct span text)
{
	char *s = text.len < a->max ? arena_alloc(a, text.len + 1) : NULL;

	if (!s) {
		a->full = true;
		return NULL;
	}
	if (text.len)
		memcpy(s, text.ptr, text.len);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	must(n >= 0);
	s = arena_alloc(a, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return s;
}

static void free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->blocks;

	if (keep) {
		free_blocks(keep->next);
		keep->next = NULL;
		keep->used = 0;
		if (keep->size > BLOCK_SIZE) {
			free(keep);
			keep = NULL;
		}
	}
	*a = (struct arena){.blocks = keep, .max = a->max};
}

void arena_release(struct arena *a)
{
	free_blocks(a->blocks);
	*a = (struct arena){0};
}
