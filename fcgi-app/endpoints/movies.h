/* fcgi-app/endpoints/movies.h - the films of all sources.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_MOVIES_H
#define SLUICE_ENDPOINTS_MOVIES_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /api/movies: a page of them. */
int movies_list(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
