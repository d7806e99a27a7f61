/* lib/io/rows.c - counters by name, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/rows.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/fail.h"
#include "lib/base/must.h"

enum state { FREE, NAMING, NAMED };
enum { PATIENCE = 10000 }; /* looks at a row that is being named, which takes a few instructions */

_Static_assert((int)ROUTE_BUCKET + (int)ROUTE_BUCKETS <= (int)ROW_CELLS, "a route's columns fit");
_Static_assert((int)SOURCE_FAILURES + (int)FAIL_INTERNAL < (int)ROW_CELLS, "a source's, too");

/* FNV-1a, 32 bits. */
static uint32_t hash(enum row_kind kind, const char *name, size_t len)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h;
}

static bool has_name(const struct row *row, enum row_kind kind, const char *name, size_t len)
{
	return row->kind == (uint32_t)kind && memcmp(row->name, name, len) == 0 &&
	       row->name[len] == '\0';
}

static uint32_t settled(const struct row *row)
{
	uint32_t state = atomic_load_explicit(&row->state, memory_order_acquire);

	for (int i = 0; state == NAMING && i < PATIENCE; i++)
		state = atomic_load_explicit(&row->state, memory_order_acquire);
	return state;
}

struct row *rows_find(struct rows *rows, enum row_kind kind, const char *name)
{
	size_t len = strnlen(name, ROW_NAME_BYTES - 1), at;

	must(kind < ROW_KINDS);
	at = hash(kind, name, len) % ROWS_MAX;
	for (size_t i = 0; i < ROWS_MAX; i++) {
		struct row *row = &rows->row[(at + i) % ROWS_MAX];
		uint32_t state = settled(row);

		if (state == FREE && atomic_compare_exchange_strong(&row->state, &state, NAMING)) {
			row->kind = (uint32_t)kind;
			memcpy(row->name, name, len); /* zeros follow */
			atomic_store_explicit(&row->state, NAMED, memory_order_release);
			return row;
		}
		if (settled(row) == NAMED && has_name(row, kind, name, len))
			return row;
	}
	return &rows->rest[kind];
}

static bool counts_anything(const struct row *row)
{
	for (int i = 0; i < ROW_CELLS; i++) {
		if (row_get(row, i))
			return true;
	}
	return false;
}

const struct row *rows_each(const struct rows *rows, enum row_kind kind, size_t *at)
{
	while (*at < ROWS_MAX) {
		const struct row *row = &rows->row[(*at)++];
		if (settled(row) == NAMED && row->kind == (uint32_t)kind)
			return row;
	}
	if ((*at)++ == ROWS_MAX && counts_anything(&rows->rest[kind]))
		return &rows->rest[kind];
	return NULL;
}

void row_name(const struct row *row, char to[ROW_NAME_BYTES])
{
	size_t len = strnlen(row->name, ROW_NAME_BYTES - 1);

	memcpy(to, row->name, len);
	to[len] = '\0';
	if (atomic_load(&row->state) != NAMED)
		memcpy(to, "other", sizeof("other"));
}

void row_add(struct row *row, int column, int64_t n)
{
	must(column >= 0 && column < ROW_CELLS);
	if (row && n)
		atomic_fetch_add_explicit(&row->cell[column], n, memory_order_relaxed);
}

int64_t row_get(const struct row *row, int column)
{
	must(column >= 0 && column < ROW_CELLS);
	return atomic_load_explicit(&row->cell[column], memory_order_relaxed);
}

void row_set(struct row *row, int column, int64_t value)
{
	must(column >= 0 && column < ROW_CELLS);
	if (row)
		atomic_store_explicit(&row->cell[column], value, memory_order_relaxed);
}
