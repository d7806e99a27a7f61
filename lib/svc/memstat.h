/* lib/svc/memstat.h - how memcached does: what servers tell, and what we ask them for.
 * SPDX-License-Identifier: BSD-2-Clause
 * Servers do not know our families of keys, since keys are hashed: those are counted on our side,
 * by all processes of this host, since the board was made. */
#ifndef SLUICE_SVC_MEMSTAT_H
#define SLUICE_SVC_MEMSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/io/mc.h"

struct board;

enum { MEMSTAT_CLASSES = 64, MEMSTAT_WATCH = 8 };

/* One class of slabs: items of about one size. */
struct memstat_class {
	int64_t number;
	int64_t chunk_bytes, chunks, chunks_used;
	int64_t bytes; /* asked for by the items there; the rest of their chunks is lost */
	int64_t hits, items, evicted, reclaimed;
	int64_t oldest_s; /* since its oldest item was asked for */
};

/* What a server tells of itself. Counters are since its start. */
struct memstat_server {
	struct mc_server_state state; /* its name; and why it is away, with nothing else known */
	char version[32];
	int64_t uptime_s;
	int64_t gets, hits, misses, sets;
	int64_t evictions, evicted_active; /* before their time; of those that were in use */
	int64_t expired_unfetched, reclaimed;
	int64_t items, items_ever, bytes, bytes_limit;
	int64_t connections, connections_limit, connections_refused;
	int64_t cas_badval, auth_errors, flushes;
	struct memstat_class classes[MEMSTAT_CLASSES];
	size_t class_count;
};

/* Asks server `i` of `mc` for all of it. A server that is dead or hung costs at most 250 ms, once
 * in 3 s. False when it is away: out->state says why. */
bool memstat_ask(struct mc *mc, size_t i, struct memstat_server *out);

/* Takes over one line of a server's statistics, whatever it sent: what is unknown, or no number, is
 * left out. */
void memstat_take(struct memstat_server *s, struct span name, struct span value);

/* What `s` should make its owner do, in sentences (memcached-conf/README.md, "What to watch"); at
 * most MEMSTAT_WATCH of them, which live as long as the program. */
size_t memstat_watch(const struct memstat_server *s, const char *out[MEMSTAT_WATCH]);

/* All servers and families as JSON, as doc/api.md shows it for GET /api/stats/cache. `board` may be
 * NULL: no families then. */
void memstat_json(struct mc *mc, const struct board *board, struct buf *to);

/* The same for people, with a table of classes for each server. */
void memstat_print(struct mc *mc, const struct board *board, FILE *to);

/* One of our families of keys, all processes together. */
struct memstat_family {
	char name[64];
	int64_t hits, misses, stored, not_stored, deleted, counted, unanswered;
	int64_t bytes_read, bytes_written;
};

/* Sorted by name, at most `max`; how many there are. */
size_t memstat_families(const struct board *board, struct memstat_family *out, size_t max);

/* hits / (hits + misses) in thousandths; -1 when nothing was asked for. */
int memstat_rate(int64_t hits, int64_t misses);

#endif
