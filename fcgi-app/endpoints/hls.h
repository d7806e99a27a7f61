/* fcgi-app/endpoints/hls.h - playlists that are asked for by a name without a version.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_HLS_H
#define SLUICE_ENDPOINTS_HLS_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /api/hls/{id}/master.m3u8 and /api/hls/{id}/{rendition}.m3u8 (a bare number is a channel). */
int hls_master(struct app *app, struct request *rq, struct reply *r, struct fail *f);
/* Notes that somebody asks for the master, whoever makes it for them. */
void hls_note(struct app *app, struct request *rq);
int hls_media(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Another host encodes the channel: the same request there. */
int hls_send_there(struct request *rq, struct reply *r, const char *base, struct fail *f);

#endif
