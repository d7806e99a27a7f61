/* fcgi-app/endpoints/purge.h - POST /api/cache/purge: drops what is kept of a title or a stream.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_PURGE_H
#define SLUICE_ENDPOINTS_PURGE_H

#include "fcgi-app/door/reply.h"

struct app;

int purge_post(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
