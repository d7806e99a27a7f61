/* fcgi-app/endpoints/prefetch.h - what will be played soon is made ready: /prefetch.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_PREFETCH_H
#define SLUICE_ENDPOINTS_PREFETCH_H

#include "fcgi-app/door/reply.h"

struct app;

int prefetch_query(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int prefetch_id(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
