/* fcgi-app/endpoints/pages.h - the pages that people open, /, /watch/{id} and /status, and their parts.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_PAGES_H
#define SLUICE_ENDPOINTS_PAGES_H

#include "fcgi-app/door/reply.h"

struct app;

int pages_index(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int pages_status(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int pages_watch(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* A part of the pages that is not published (any more): publishes and sends it. */
int pages_asset(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
