/* fcgi-app/endpoints/pages.h - the pages that people open, their parts, and their manifest.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_PAGES_H
#define SLUICE_ENDPOINTS_PAGES_H

#include "fcgi-app/door/reply.h"

struct app;

int pages_index(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int pages_status(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int pages_watch(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* The page that stands for all others where there is no connection; the service worker keeps it. */
int pages_offline(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* The web app manifest (W3C), and the service worker, which is the part worker.js with the list of
 * all parts: another version of them is another worker. */
int pages_manifest(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int pages_worker(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* A part of the pages that is not published (any more): publishes and sends it. */
int pages_asset(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
