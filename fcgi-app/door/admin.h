/* fcgi-app/door/admin.h - who may do more than watch.
 * SPDX-License-Identifier: BSD-2-Clause
 * A user is who the front server let in by name and password, where `access` is `password`:
 * elsewhere it may tell names that nobody has looked at. The administrator sends admin_token, as
 * `Authorization: Bearer …` or `X-Sluice-Token`. Where there is no such token it is who sits at
 * this host: no request that went through a proxy, or that a page of somebody else's made. */
#ifndef SLUICE_DOOR_ADMIN_H
#define SLUICE_DOOR_ADMIN_H

#include <stdbool.h>

#include "fcgi-app/door/reply.h"

bool admin_is_here(const struct request *rq, const struct conf *conf);

/* The administrator, or a user. */
bool admin_or_user(const struct request *rq, const struct conf *conf);

/* For answers that only the administrator may have: no page of another host gets them. Fails:
 * FAIL_FORBIDDEN. */
int admin_require(const struct request *rq, struct reply *r, struct fail *f);

#endif
