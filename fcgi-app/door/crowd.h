/* fcgi-app/door/crowd.h - of so many places one client may hold a share, so that others find one.
 * SPDX-License-Identifier: BSD-2-Clause
 * Counts what each client holds in this process. Clients are numbers (door/rate.h); those that come
 * to share a counter share its bound. All may be called by several threads at once. */
#ifndef SLUICE_DOOR_CROWD_H
#define SLUICE_DOOR_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"

enum { CROWD_COUNTERS = 1024 };

struct crowd {
	int most; /* that one client may hold */
	atomic_int held[CROWD_COUNTERS];
};

/* Of `places` one client may hold three quarters, rounded up. */
void crowd_init(struct crowd *c, int64_t places);

/* Takes a place for `client`; 0, of whom nothing is known, is not counted. True: crowd_leave() must
 * follow. Fails: FAIL_BUSY. */
bool crowd_enter(struct crowd *c, uint64_t client, struct fail *f);
void crowd_leave(struct crowd *c, uint64_t client);

#endif
