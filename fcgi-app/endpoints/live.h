/* fcgi-app/endpoints/live.h - channels: the list, one of them, a fresh token.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_LIVE_H
#define SLUICE_ENDPOINTS_LIVE_H

#include "fcgi-app/door/reply.h"

struct app;

int live_list(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int live_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int live_refresh(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
