/* fcgi-app/endpoints/stream.h - a film as a whole: what plays now, and its bytes as they are.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_STREAM_H
#define SLUICE_ENDPOINTS_STREAM_H

#include "fcgi-app/door/reply.h"
#include "lib/svc/title.h"

struct app;

/* GET /api/stream/vod/{id}: the film's own bytes where browsers play them, else the way to its
 * playlist; or all of that as JSON. GET /api/stream/series/{series}/{season}/{episode}: the same of
 * an episode. GET /api/stream/{id}: the bytes of either. */
int stream_vod(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int stream_episode(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int stream_bytes(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Answers with the bytes of a TITLE_FILE; ?download makes them a file with a name. */
int stream_file(struct request *rq, struct reply *r, const struct title *t, struct fail *f);

#endif
