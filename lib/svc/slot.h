/* lib/svc/slot.h - the connections that an account allows at once.
 * SPDX-License-Identifier: BSD-2-Clause
 * Each is a lease "slot:{account}:{i}" (lib/io/lease.h), held by who is connected: a channel's
 * process, or for a moment its resolver. A process that dies gives its own back at once on this
 * host, within 15 s to others. */
#ifndef SLUICE_SVC_SLOT_H
#define SLUICE_SVC_SLOT_H

#include <stddef.h>

#include "lib/base/fail.h"
#include "lib/http/ident.h"
#include "lib/io/lease.h"

struct origin;

/* Takes the origin's name. */
#define SLOT_FULL_TEXT "All connections that the account %s allows are in use"

enum { SLOT_HOLDERS_MAX = 16 };

/* Channels that hold an account's connections. */
struct slot_holders {
	char ids[SLOT_HOLDERS_MAX][IDENT_MAX];
	size_t count;
};

enum slot_result {
	SLOT_MINE,   /* *out is held until lease_drop(); NULL where there is no limit */
	SLOT_SHARED, /* the channel's other process (see `who`) has one already */
	SLOT_FULL,   /* all are taken: `holders` (may be NULL) says by which channels */
	SLOT_ERROR   /* *f says why */
};

enum slot_who { SLOT_READER, SLOT_RESOLVER };

/* Takes a connection of the origin's account for channel `id`. Never waits. */
enum slot_result slot_take(const struct lease_env *env, const struct origin *o, const char *id,
	enum slot_who who, struct lease **out, struct slot_holders *holders, struct fail *f);

#endif
