/* fcgi-app/endpoints/bandwidth.h - what was sent to viewers, and what it costs.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_BANDWIDTH_H
#define SLUICE_ENDPOINTS_BANDWIDTH_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /api/stats/bandwidth?period=day|week|month|year */
int bandwidth_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
