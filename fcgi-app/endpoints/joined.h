/* fcgi-app/endpoints/joined.h - video whose picture and sound are separate objects, joined by HLS.
 * SPDX-License-Identifier: BSD-2-Clause
 * Nothing is made: the segments are parts of the two objects, as the indexes at their beginnings
 * name them (lib/hls/sidx.h), and come through the byte cache. RFC 8216, sections 4.3.2.2 and
 * 4.3.2.5. */
#ifndef SLUICE_ENDPOINTS_JOINED_H
#define SLUICE_ENDPOINTS_JOINED_H

#include <stdbool.h>

#include "fcgi-app/door/reply.h"

struct app;

/* GET /cdn/hls/{id}/{file}: master.m3u8?quality=, which lists what there is up to that;
 * picture-720p.m3u8 (and other heights) and sound.m3u8; their bytes by the same names with
 * ".mp4". */
int joined_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Whether what `ask` means has its picture and its sound apart, as far as that is known. */
bool joined_is(struct app *app, struct request *rq, const struct object_ask *ask);

/* Sends the client to the master of it. Fails: FAIL_INPUT. */
int joined_redirect(
	struct request *rq, struct reply *r, const struct object_ask *ask, struct fail *f);

#endif
