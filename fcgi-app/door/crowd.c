/* fcgi-app/door/crowd.c - of so many places one client may hold a share, so that others find one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/crowd.h"

void crowd_init(struct crowd *c, int64_t places)
{
	c->most = (int)(places - places / 4);
	for (int i = 0; i < CROWD_COUNTERS; i++)
		atomic_init(&c->held[i], 0);
}

bool crowd_enter(struct crowd *c, uint64_t client, struct fail *f)
{
	atomic_int *held = &c->held[client % CROWD_COUNTERS];

	if (!client || atomic_fetch_add(held, 1) < c->most)
		return true;
	atomic_fetch_sub(held, 1);
	fail_set(f, FAIL_BUSY,
		"You wait for %d answers already; others go first: try again in a moment", c->most);
	return false;
}

void crowd_leave(struct crowd *c, uint64_t client)
{
	if (client)
		atomic_fetch_sub(&c->held[client % CROWD_COUNTERS], 1);
}
