/* fcgi-app/endpoints/joined.h - video whose picture and sound are separate objects, joined by HLS.
 * SPDX-License-Identifier: BSD-2-Clause
 * Nothing is made: the segments are parts of the two objects, as the indexes at their beginnings
 * name them (lib/hls/sidx.h), and come through the byte cache. RFC 8216, sections 4.3.2.2 and
 * 4.3.2.5. */
#ifndef SLUICE_ENDPOINTS_JOINED_H
#define SLUICE_ENDPOINTS_JOINED_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /cdn/hls/{id}/{file}: master.m3u8?quality=, which lists what there is up to that;
 * picture-720p.m3u8 (and other heights) and sound.m3u8; their bytes by the same names with
 * ".mp4". */
int joined_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Where `ask` failed as *f says: sends the client to the master of what is there in two parts, or
 * says why those cannot be joined; otherwise *f stays. Waits for what must be resolved. */
int joined_redirect(struct app *app, struct request *rq, struct reply *r,
	const struct object_ask *ask, struct fail *f);

#endif
