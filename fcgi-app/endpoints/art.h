/* fcgi-app/endpoints/art.h - GET /cdn/art/{id}: logos, posters and thumbnails by size.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_ART_H
#define SLUICE_ENDPOINTS_ART_H

#include "fcgi-app/door/reply.h"

struct app;

int art_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
