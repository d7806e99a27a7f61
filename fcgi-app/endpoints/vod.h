/* fcgi-app/endpoints/vod.h - films: masters, playlists, and the parts that are made when asked for.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_VOD_H
#define SLUICE_ENDPOINTS_VOD_H

#include "fcgi-app/door/reply.h"
#include "lib/http/ident.h"

struct app;

/* GET /api/hls/{id}/master.m3u8 and /api/hls/{id}/{rendition}.m3u8 of a film, for hls.c. */
int vod_master(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	struct fail *f);
int vod_latest(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	struct fail *f);

/* GET /api/hls/{id}/thumbnails.vtt and /api/hls/{id}/{rendition}/{file}: to what they are now */
int vod_latest_thumbnails(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int vod_latest_part(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* GET /api/hls/{id}/{ver}/{rendition}.m3u8, …/thumbnails.vtt and …/{rendition}/{file} */
int vod_media(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int vod_thumbnails(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int vod_part(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
