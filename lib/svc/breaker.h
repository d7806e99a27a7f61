/* lib/svc/breaker.h - what has failed lately is left alone for a while: a circuit breaker.
 * SPDX-License-Identifier: BSD-2-Clause
 * One for a source as a whole, whatever is asked of it, and one for each origin of a channel. After
 * some failures in a row it opens, for longer each time; when that time is over whoever comes next
 * tries again, and the next success forgets all. Shared by all hosts in memcached (family "brk"),
 * and kept in a file for this host. */
#ifndef SLUICE_SVC_BREAKER_H
#define SLUICE_SVC_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/svc/live_reason.h"
#include "lib/svc/origin.h"

struct conf;
struct mc;

/* Which one: `id` a channel and `name` an origin of it; or `id` NULL and `name` a source. */
struct breaker_key {
	const struct conf *conf;
	struct mc *mc; /* NULL: this host alone */
	const char *id, *name;
};

struct breaker {
	int64_t failures;      /* in a row; 0: all is well, and nothing else is set */
	int64_t since_ms;      /* the first of them, since the epoch */
	int64_t open_until_ms; /* 0: not open yet */
	enum live_reason reason;
	struct fail why; /* the last one */
};

void breaker_look(const struct breaker_key *key, struct breaker *out);
bool breaker_is_open(const struct breaker *b, int64_t now_ms);

/* Whether `o` is left alone for now: as an origin of channel `id`, or its source as a whole. */
bool breaker_bars(const struct conf *conf, struct mc *mc, const char *id, const struct origin *o);

/* A channel's origins as they are to be tried, all of them: first those that are well. Borrows from
 * `origins`; returns how many. */
size_t breaker_order(const struct conf *conf, struct mc *mc, const char *id,
	const struct origins *origins, const struct origin *out[ORIGINS_MAX]);

void breaker_failed(const struct breaker_key *key, enum live_reason reason, const struct fail *why);
void breaker_well(const struct breaker_key *key);

/* How long it stays open after so many failures in a row, in ms; 0: not yet. A limit of
 * connections opens it at once, and briefly. */
int64_t breaker_open_ms(bool of_source, int64_t failures, enum live_reason reason);

/* The record as text, and back. */
void breaker_print(const struct breaker *b, struct buf *to);
bool breaker_parse(struct span text, struct breaker *out);

#endif
