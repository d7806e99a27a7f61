/* lib/svc/memstat.c - how memcached does: what every server tells, and what we ask it for.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/memstat.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/io/board.h"

enum {
	CLASS_MAX = 1000,
	RATE_GETS = 1000,  /* fewer say nothing about a hit rate */
	RATE_GOOD = 900,   /* thousandths */
	BUSY_PERCENT = 80, /* of the connections */
	BADVAL_MANY = 100,
	YOUNG_S = 3600
};

/* What no counter of a server reaches, so that all of all servers can be added up. */
static const int64_t number_max = INT64_MAX / 1024;

#define AT(member) offsetof(struct memstat_server, member)
#define IN(member) offsetof(struct memstat_class, member)

/* Lines of memcached's answers and where their numbers go. */
struct field {
	const char *name;
	size_t at;
};

static const struct field general[] = {
	{"uptime", AT(uptime_s)},
	{"cmd_get", AT(gets)},
	{"get_hits", AT(hits)},
	{"get_misses", AT(misses)},
	{"cmd_set", AT(sets)},
	{"evictions", AT(evictions)},
	{"evicted_active", AT(evicted_active)},
	{"expired_unfetched", AT(expired_unfetched)},
	{"reclaimed", AT(reclaimed)},
	{"curr_items", AT(items)},
	{"total_items", AT(items_ever)},
	{"bytes", AT(bytes)},
	{"limit_maxbytes", AT(bytes_limit)},
	{"curr_connections", AT(connections)},
	{"max_connections", AT(connections_limit)},
	{"rejected_connections", AT(connections_refused)},
	{"cas_badval", AT(cas_badval)},
	{"auth_errors", AT(auth_errors)},
	{"cmd_flush", AT(flushes)},
};

static const struct field of_class[] = {
	{"chunk_size", IN(chunk_bytes)},
	{"total_chunks", IN(chunks)},
	{"used_chunks", IN(chunks_used)},
	{"mem_requested", IN(bytes)},
	{"get_hits", IN(hits)},
	{"number", IN(items)},
	{"evicted", IN(evicted)},
	{"reclaimed", IN(reclaimed)},
	{"age", IN(oldest_s)},
};

/* What is no number, or none of these, is left out: versions of memcached differ. */
static void take(
	void *into, const struct field *fields, size_t count, struct span name, struct span value)
{
	int64_t number;

	for (size_t i = 0; i < count; i++) {
		if (!span_is(name, fields[i].name))
			continue;
		if (num_parse(value, 0, number_max, &number))
			memcpy((char *)into + fields[i].at, &number, sizeof(number));
		return;
	}
}

static struct memstat_class *find_class(struct memstat_server *s, int64_t number)
{
	for (size_t i = 0; i < s->class_count; i++) {
		if (s->classes[i].number == number)
			return &s->classes[i];
	}
	if (s->class_count == MEMSTAT_CLASSES)
		return NULL;
	s->classes[s->class_count] = (struct memstat_class){.number = number};
	return &s->classes[s->class_count++];
}

/* "5:chunk_size" of slabs, "items:5:number" of items. */
static void take_of_class(struct memstat_server *s, struct span name, struct span value)
{
	struct memstat_class *class;
	struct span number;
	int64_t n;

	if (span_starts(name, "items:"))
		name = span_make(name.ptr + 6, name.len - 6);
	if (!span_next(&name, ':', &number) || !name.ptr || !num_parse(number, 1, CLASS_MAX, &n))
		return;
	class = find_class(s, n);
	if (class)
		take(class, of_class, sizeof(of_class) / sizeof(of_class[0]), name, value);
}

void memstat_take(struct memstat_server *s, struct span name, struct span value)
{
	if (name.len && memchr(name.ptr, ':', name.len)) {
		take_of_class(s, name, value);
		return;
	}
	if (span_is(name, "version"))
		span_copy(value, s->version, sizeof(s->version));
	take(s, general, sizeof(general) / sizeof(general[0]), name, value);
}

static void on_line(void *ctx, struct span name, struct span value)
{
	memstat_take(ctx, name, value);
}

bool memstat_ask(struct mc *mc, size_t i, struct memstat_server *out)
{
	bool there;

	*out = (struct memstat_server){.class_count = 0};
	there = mc_stats(mc, i, "", on_line, out) == MC_OK &&
		mc_stats(mc, i, "slabs", on_line, out) == MC_OK &&
		mc_stats(mc, i, "items", on_line, out) == MC_OK;
	mc_state_of(mc, i, &out->state);
	out->state.away = !there;
	return there;
}

int memstat_rate(int64_t hits, int64_t misses)
{
	/* As floats, since counters of a server that runs for years are large. */
	return hits + misses > 0 ? (int)((double)hits / (double)(hits + misses) * 1000.0 + 0.5)
				 : -1;
}

size_t memstat_watch(const struct memstat_server *s, const char *out[MEMSTAT_WATCH])
{
	int rate = memstat_rate(s->hits, s->misses);
	const struct {
		bool is;
		const char *text;
	} rules[MEMSTAT_WATCH] = {
		{s->evicted_active > 0, "It forgets values that are in use: raise -m."},
		{s->evictions > 0 && s->evicted_active == 0,
			"It forgets values before their time: raise -m if there are more each "
			"day."},
		{s->connections_refused > 0, "It refused connections: raise -c."},
		{s->connections_limit > 0 &&
				s->connections > s->connections_limit / 100 * BUSY_PERCENT,
			"Its connections are nearly used up: raise -c."},
		{s->hits + s->misses >= RATE_GETS && rate < RATE_GOOD && s->uptime_s >= YOUNG_S,
			"Fewer than 9 of 10 values that are asked for are there: compare prefix "
			"and "
			"server names of all hosts."},
		{s->cas_badval >= BADVAL_MANY,
			"Two hosts often want the same work: look for a host_name that is used "
			"twice."},
		{s->auth_errors > 0,
			"Somebody came with a wrong password: compare memcached_password of all "
			"hosts."},
		{s->flushes > 0, "Something else flushed it: give Sluice a memcached of its own."},
	};
	size_t count = 0;

	for (size_t i = 0; i < MEMSTAT_WATCH && !s->state.away; i++) {
		if (rules[i].is)
			out[count++] = rules[i].text;
	}
	return count;
}

/* --- our families ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(
		((const struct memstat_family *)a)->name, ((const struct memstat_family *)b)->name);
}

static void add_row(struct memstat_family *f, const struct row *row)
{
	f->hits += row_get(row, FAMILY_HITS);
	f->misses += row_get(row, FAMILY_MISSES);
	f->stored += row_get(row, FAMILY_STORED);
	f->not_stored += row_get(row, FAMILY_NOT_STORED);
	f->deleted += row_get(row, FAMILY_DELETED);
	f->counted += row_get(row, FAMILY_COUNTED);
	f->unanswered += row_get(row, FAMILY_AWAY);
	f->bytes_read += row_get(row, FAMILY_BYTES_READ);
	f->bytes_written += row_get(row, FAMILY_BYTES_WRITTEN);
}

size_t memstat_families(const struct board *board, struct memstat_family *out, size_t max)
{
	_Static_assert(sizeof(out->name) >= ROW_NAME_BYTES, "a row's name fits");
	const struct row *row;
	size_t count = 0, at = 0, i;

	while (board && (row = rows_each(board_rows(board), ROW_FAMILY, &at))) {
		char name[ROW_NAME_BYTES];

		row_name(row, name);
		for (i = 0; i < count && strcmp(out[i].name, name) != 0; i++)
			;
		if (i == max)
			continue;
		if (i == count) {
			out[count] = (struct memstat_family){.hits = 0};
			memcpy(out[count++].name, name, sizeof(name));
		}
		add_row(&out[i], row);
	}
	qsort(out, count, sizeof(*out), by_name);
	return count;
}
