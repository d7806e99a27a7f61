/* fcgi-app/processes/live/supply.h - what a channel needs before it can connect.
 * SPDX-License-Identifier: BSD-2-Clause
 * An origin, one of its account's connections, a token. A connection is taken before anything is
 * asked for and held until supply_release(), so that no process connects that has none; when all
 * are in use, a channel that nobody else watches gives way (lib/svc/viewers.h). Tokens come from
 * the resolver (lib/svc/token.h), and are renewed while they still work. */
#ifndef SLUICE_PROCESSES_LIVE_SUPPLY_H
#define SLUICE_PROCESSES_LIVE_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/live_reason.h"
#include "lib/svc/origin.h"
#include "lib/svc/slot.h"
#include "lib/svc/token.h"

struct conf;
struct mc;

struct supply {
	const struct conf *conf;
	struct mc *mc;
	const char *id;
	const struct lease_env *env;
	struct origins origins;

	const struct origin *held;   /* whose account's connection is held; NULL: none */
	struct lease *slot;	     /* NULL where there is no limit */
	struct token token;	     /* the last good one */
	struct token fresh;	     /* one that was renewed ahead of its time */
	const struct origin *origin; /* of the token; NULL: there was none yet */
	int64_t origin_ms;	     /* real: since when it is that one */

	int64_t dead_ms;   /* resolved_ms of the token that stopped working; 0: none */
	int64_t proven_ms; /* resolved_ms of the one that media has come with */
	int64_t life_ms;   /* how old a token grew before it was refused; 0: not known */
	int64_t asked_ms, slot_ms, leave_ms, renewed_ms; /* monotonic: last asked; not before */
	struct fail why;				 /* what is missing; FAIL_NONE: nothing */
	enum live_reason reason;
};

enum supply_answer {
	SUPPLY_READY,  /* s->token and s->origin say where to connect */
	SUPPLY_WAITS,  /* for something that comes soon */
	SUPPLY_REFUSED /* s->why, s->reason: as long as the resolver's answer is good */
};

/* Finds the channel's origins. Borrows all, `env` with its memcached. Fails: as origins_find(). */
int supply_open(struct supply *s, const struct conf *conf, const struct lease_env *env,
	const char *id, struct fail *f);
void supply_release(struct supply *s); /* gives the connection back; accepts a zeroed one */

/* Does what is due before a connection can be made. Never waits. */
enum supply_answer supply_step(struct supply *s);

/* While connected, at least every second: renews what is held. False when the connection is no
 * longer ours and must end. */
bool supply_keep(struct supply *s);

/* Media has come with this token. */
void supply_proven(struct supply *s);

/* The token has stopped working: another one is asked for. `refused`: an edge said so. */
void supply_died(struct supply *s, bool refused);

/* Whether it had stopped working before: it is too early to ask for another. */
bool supply_is_dead(const struct supply *s);

/* The origin has failed, or is well again after it had. */
void supply_failed(struct supply *s, const struct fail *why);
void supply_well(struct supply *s);

/* The first origin before the one in use that is not left alone any more, or NULL. */
const struct origin *supply_better(const struct supply *s);

/* From here on `o` is in use, with `token`, on `slot`, which it takes; the old connection is given
 * back and must have ended. */
void supply_change(
	struct supply *s, const struct origin *o, struct lease *slot, const struct token *token);

#endif
