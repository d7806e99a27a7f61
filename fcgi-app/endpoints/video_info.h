/* fcgi-app/endpoints/video_info.h - POST /api/video-info: what a web page offers to play.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_VIDEO_INFO_H
#define SLUICE_ENDPOINTS_VIDEO_INFO_H

#include "fcgi-app/door/reply.h"

struct app;

int video_info(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
