/* lib/io/rows.h - counters by name, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause
 * A row counts one thing of a kind: a route, a memcached family, a source. It is found by its name,
 * which is written once and stays, so a table outlives the program that made it and rows may come
 * and go with the configuration. Nothing here is a lock: a process may be killed at any
 * instruction, and costs at most one row. */
#ifndef SLUICE_IO_ROWS_H
#define SLUICE_IO_ROWS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { ROWS_MAX = 512, ROW_NAME_BYTES = 56, ROW_CELLS = 32 };

/* Kinds and columns are known by their numbers: a new one is added at the end of its list, and is
 * printed once it stands in the table of fcgi-app/endpoints/metrics.c. */
enum row_kind { ROW_ROUTE, ROW_FAMILY, ROW_SERVER, ROW_SOURCE, ROW_TRAFFIC, ROW_KINDS };

enum { ROUTE_BUCKETS = 14 };

enum route_column {
	ROUTE_1XX, /* by class of status */
	ROUTE_2XX,
	ROUTE_3XX,
	ROUTE_4XX,
	ROUTE_5XX,
	ROUTE_BYTES,	    /* of bodies */
	ROUTE_MICROSECONDS, /* of all requests together */
	ROUTE_BUCKET,	    /* and the ROUTE_BUCKETS - 1 after it: how many took how long */
};

/* Of memcached, by family of keys. */
enum family_column {
	FAMILY_HITS,
	FAMILY_MISSES,
	FAMILY_AWAY, /* calls of any kind that no server answered */
	FAMILY_STORED,
	FAMILY_NOT_STORED, /* add and cas that came second, values that are too large */
	FAMILY_DELETED,
	FAMILY_COUNTED, /* calls of mc_count_up() */
	FAMILY_BYTES_READ,
	FAMILY_BYTES_WRITTEN,
};

/* Of memcached, by server. */
enum server_column {
	SERVER_OUTAGES,	 /* how often a process found it away */
	SERVER_FAILURES, /* questions that it did not answer */
	SERVER_HUNG_MS,	 /* no counter: when a process waited for it in vain, by clock_mono_ms() */
};

/* Of what is fetched, by source. */
enum source_column {
	SOURCE_REQUESTS,
	SOURCE_BYTES,
	SOURCE_REFUSED,	 /* answers of 400 and above */
	SOURCE_FAILURES, /* and those after it: by enum fail_kind, of which there are 11 */
};

/* Of what was sent to viewers, by family of addresses: the meter's sums (lib/svc/traffic.h). */
enum traffic_column {
	TRAFFIC_HITS,
	TRAFFIC_MISSES,
	TRAFFIC_OTHERS,
	TRAFFIC_BYTES,
};

struct row {
	_Atomic uint32_t state; /* free, being named, named */
	uint32_t kind;
	char name[ROW_NAME_BYTES];
	_Atomic int64_t cell[ROW_CELLS];
};

/* All zeros is an empty one. */
struct rows {
	struct row row[ROWS_MAX];
	struct row rest[ROW_KINDS]; /* counts for those that found no room */
};

/* The row of that name (its first bytes, when it is long), made when there is none. Never NULL:
 * when all are taken, it is the one of the rest of its kind. By any thread and process. */
struct row *rows_find(struct rows *rows, enum row_kind kind, const char *name);

/* Walks over the rows of a kind that have a name, in no order: *at starts at 0; NULL at the end.
 * The rest comes last, as "other". Two rows of one name may be found, when two processes made it in
 * the same instant: their sum is what was counted. */
const struct row *rows_each(const struct rows *rows, enum row_kind kind, size_t *at);

/* The row's name as text of our own, with its NUL whatever stands in the shared memory. */
void row_name(const struct row *row, char to[ROW_NAME_BYTES]);

/* Adds to a column; `row` may be NULL: nothing is counted then. */
void row_add(struct row *row, int column, int64_t n);
int64_t row_get(const struct row *row, int column);

/* Sets it, where one process alone knows it. */
void row_set(struct row *row, int column, int64_t value);

#endif
