/* fcgi-app/processes/filler/fill_slot.h - the account's connection that an object takes.
 * SPDX-License-Identifier: BSD-2-Clause
 * Where an account allows a number of them (lib/svc/slot.h), an object has one for all its
 * requests, and gives it back a second after the last. */
#ifndef SLUICE_PROCESSES_FILLER_FILL_SLOT_H
#define SLUICE_PROCESSES_FILLER_FILL_SLOT_H

#include "fcgi-app/processes/filler/fill_object.h"

bool fill_slot_is_limited(const struct fill_object *o);

/* Has one; another object's that nobody reads from now gives way. False, with the object failed,
 * when all are in use. */
bool fill_slot_take(struct fill_object *o);
void fill_slot_keep(struct fill_object *o); /* renews it, or gives it back */
void fill_slot_drop(struct fill_object *o);

#endif
