/* fcgi-app/endpoints/ops.h - how the service is.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_OPS_H
#define SLUICE_ENDPOINTS_OPS_H

#include "fcgi-app/door/reply.h"

struct app;

int ops_health(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int ops_health_live(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int ops_health_ready(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* GET /api/stats/cache: what every memcached server tells of itself, and our families of keys. */
int ops_stats_cache(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* Whether requests can be answered: what /health/ready says. */
bool ops_is_ready(const struct app *app);

#endif
