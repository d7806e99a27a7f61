/* fcgi-app/endpoints/metrics.h - figures of the whole service for Prometheus.        api, section 9
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_METRICS_H
#define SLUICE_ENDPOINTS_METRICS_H

#include "fcgi-app/door/reply.h"

struct app;

/* GET /metrics: what is counted on the board (lib/io/board.h, lib/io/rows.h), and what can be seen
 * now of processes, pools and stores. Any process answers for all of them. */
int metrics_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

#endif
