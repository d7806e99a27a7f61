/* fcgi-app/endpoints/sources.h - where channels come from, and how that is going.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_SOURCES_H
#define SLUICE_ENDPOINTS_SOURCES_H

#include "fcgi-app/door/reply.h"
#include "fcgi-app/door/request.h"

struct app;
struct json_object;
struct live_state;

/* The origins of channel `id` in the order in which they are tried, with what is known of each, as
 * a JSON array that the caller owns; `state` is the channel's record. */
struct json_object *sources_of_channel(
	struct app *app, const char *id, const struct live_state *state);

/* GET /api/status: all sources, and all channels that are on. */
int sources_status(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
