/* fcgi-app/processes/leftovers.h - what the dead left, and what a crash of the machine spoilt.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_LEFTOVERS_H
#define SLUICE_PROCESSES_LEFTOVERS_H

#include "lib/svc/publish.h"

struct conf;

/* After a change of the boot id: removes what the last two minutes of made/ name, and what is in
 * the live store from before. It may be empty or half: nothing was synced but the lists. */
void leftovers_unsynced(const struct conf *conf, struct publisher *p);

/* Removes temporaries whose owner is gone, in every store. */
void leftovers_temporaries(const struct conf *conf, struct publisher *p);

/* Removes the directories live/work/{id} whose lock nobody holds and that nobody has asked for
 * since live_idle and a minute. */
void leftovers_channels(const struct conf *conf);

#endif
