/* fcgi-app/endpoints/series.h - series: the list, and one with its episodes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_SERIES_H
#define SLUICE_ENDPOINTS_SERIES_H

#include "fcgi-app/door/reply.h"
#include "lib/http/ident.h"

struct app;

/* GET /api/series and GET /api/series/{id} */
int series_list(struct app *app, struct request *rq, struct reply *r, struct fail *f);
int series_show(struct app *app, struct request *rq, struct reply *r, struct fail *f);

/* The episode that a path names by {series}/{season}/{episode}; waits up to `wait_ms` for the
 * source to tell of it. Fails: FAIL_INPUT, FAIL_MISSING, FAIL_BUSY (with r->retry_after_s), or why
 * the source does not tell. */
int series_find_episode(struct app *app, struct request *rq, struct reply *r, int64_t wait_ms,
	struct ident *out, struct fail *f);

#endif
