/* fcgi-app/endpoints/live_direct.h - a channel's stream as its source sends it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_LIVE_DIRECT_H
#define SLUICE_ENDPOINTS_LIVE_DIRECT_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /api/live/{id}/direct */
int live_direct(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
