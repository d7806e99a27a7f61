/* fcgi-app/endpoints/track.h - a music file of our own, as it is or as it is wished.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_TRACK_H
#define SLUICE_ENDPOINTS_TRACK_H

#include "fcgi-app/door/reply.h"
#include "lib/svc/object.h"
#include "lib/svc/title.h"

struct app;

/* Sends the title as `ask` wishes it: waits for it to be made where it has to be. 1: it is
 * answered; 0: it is to be sent as it is. Fails: FAIL_BUSY when it takes longer, or what is wrong
 * with it. */
int track_send(struct app *app, struct request *rq, struct reply *r, const struct title *t,
	const struct object_ask *ask, struct fail *f);

#endif
