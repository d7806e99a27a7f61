/* fcgi-app/endpoints/cdn.h - music and video under a stable address, over bytes elsewhere.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_CDN_H
#define SLUICE_ENDPOINTS_CDN_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /cdn/stream/{id}?quality=&format=, /proxy?v=&quality=, /proxy/{id}: the bytes. */
int cdn_stream(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int cdn_proxy(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Answers with the bytes that `ask` means, from the byte cache or a file of ours. Fails: as
 * blocks_learn(). */
int cdn_object(struct app *app, struct request *rq, struct reply *r, const struct object_ask *ask,
	struct fail *f);

#endif
