/* fcgi-app/processes/filler/fill_slot.c - the account's connection that an object takes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/filler/fill_slot.h"

#include "fcgi-app/processes/filler/fill_pull.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/svc/origin.h"
#include "lib/svc/slot.h"

enum { KEEP_MS = 1000, BUSY_RETRY_S = 2 };

bool fill_slot_is_limited(const struct fill_object *o)
{
	return o->resolved.account && o->resolved.account->connections > 0;
}

void fill_slot_drop(struct fill_object *o)
{
	lease_drop(&o->slot);
}

/* Another object's connection that nobody reads from now. */
static bool take_idle_slot(struct fill_object *o)
{
	for (struct fill_object *x = o->env->objects; x; x = x->next) {
		if (x == o || !x->slot || x->resolved.account != o->resolved.account ||
			(x->pulls && !x->pulls->held_ms))
			continue;
		while (x->pulls)
			fill_pull_stop(x->pulls);
		fill_slot_drop(x);
		return true;
	}
	return false;
}

bool fill_slot_take(struct fill_object *o)
{
	struct origin origin = {.source = o->resolved.source, .account = o->resolved.account};
	struct fail why = {0};

	o->slot_ms = clock_mono_ms();
	if (!fill_slot_is_limited(o) || o->slot)
		return true;
	for (int i = 0; i < 2; i++) {
		switch (slot_take(
			&o->env->lease, &origin, o->ask.id, SLOT_READER, &o->slot, NULL, &why)) {
		case SLOT_MINE:
		case SLOT_SHARED:
			return true;
		case SLOT_FULL:
			fail_set(&why, FAIL_BUSY, SLOT_FULL_TEXT, o->resolved.source->name);
			break;
		case SLOT_ERROR:
			i = 2;
			break;
		}
		if (!take_idle_slot(o))
			break;
	}
	fill_object_fail(o, &why, BUSY_RETRY_S);
	return false;
}

void fill_slot_keep(struct fill_object *o)
{
	struct fail why = {0};

	if (!o->slot)
		return;
	if (!o->pulls && clock_mono_ms() - o->slot_ms > KEEP_MS) {
		fill_slot_drop(o);
	} else if (!lease_renew(o->slot)) {
		fill_slot_drop(o);
		fail_set(&why, FAIL_BUSY, "The account's connection was lost to another");
		fill_object_fail(o, &why, BUSY_RETRY_S);
	}
}
