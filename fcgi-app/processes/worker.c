/* fcgi-app/processes/worker.c - a process of the api or relay pool: requests in, answers out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/worker.h"

#include <malloc.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/fcgi.h"
#include "fcgi-app/door/reply.h"
#include "fcgi-app/door/request.h"
#include "fcgi-app/door/route.h"
#include "fcgi-app/door/tally.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"

enum { DRAIN_MS = 10000 };

static int refuse_method(struct reply *r, const char *allow, struct fail *f)
{
	r->status = 405;
	r->error_code = "method_not_allowed";
	reply_header(r, "Allow", allow);
	return fail_set(f, FAIL_INPUT, "This address answers %s only", allow);
}

static void answer_preflight(struct reply *r, const char *allow)
{
	r->status = 204;
	reply_header(r, "Allow", allow);
	reply_cache(r, "max-age=86400");
}

static int answer(
	struct app *app, struct request *rq, struct reply *r, const char **name, struct fail *f)
{
	const struct route *route = NULL;
	char allow[64];

	switch (route_find(rq, &route, allow, sizeof(allow))) {
	case ROUTE_MISSING:
		if (rq->method == METHOD_OPTIONS) { /* published files are no routes */
			answer_preflight(r, "GET, HEAD, OPTIONS");
			return 0;
		}
		return fail_set(f, FAIL_MISSING, "There is nothing at this address");
	case ROUTE_METHOD:
		if (rq->method != METHOD_OPTIONS)
			return refuse_method(r, allow, f);
		answer_preflight(r, allow);
		return 0;
	case ROUTE_OK:
		break;
	}
	*name = route->name;
	return route->handle(app, rq, r, f);
}

static void handle(void *ctx, struct fcgi_exchange *x, bool busy)
{
	struct app *app = ctx;
	struct request rq;
	struct reply r;
	struct fail f = {0};
	const char *name = "none";
	int64_t begun_us = clock_mono_us();
	int bad = request_open(&rq, x, &f);

	board_request_begin(app->board);
	reply_open(&r, &rq, app->conf);
	if (!bad && busy)
		bad = fail_set(&f, FAIL_BUSY, "The server is busy; try again in a moment");
	if (!bad)
		bad = answer(app, &rq, &r, &name, &f);
	if (bad)
		reply_fail(&r, &f);
	if (r.status >= 500)
		log_warn("request_failed", LOG_STR("id", rq.id), LOG_STR("route", name),
			LOG_INT("status", r.status), LOG_STR("why", f.text));
	bad = reply_send(&r);
	log_debug("request", LOG_STR("id", rq.id), LOG_STR("method", method_name(rq.method)),
		LOG_STR("route", name), LOG_INT("status", r.status), LOG_INT("bytes", r.sent_bytes),
		LOG_INT("ms", (clock_mono_us() - begun_us) / 1000), LOG_INT("gone", bad != 0));
	tally_request(app->board, name, &r, busy, clock_mono_us() - begun_us);
	reply_close(&r);
	request_close(&rq);
	board_request_end(app->board);
	app_upkeep(app);
}

/* How many requests a pool answers at once, and how many of them may wait. `all` is both pools in
 * one process: who waits leaves the short answers their threads. */
static void measure(const struct conf *conf, const char *pool, int *limit, int *waits)
{
	int api = (int)conf->api_threads, relay = (int)conf->relay_threads;

	if (strcmp(pool, "api") == 0) {
		*limit = api;
		*waits = api / 2;
		return;
	}
	*limit = strcmp(pool, "all") == 0 ? api + relay : relay;
	*waits = relay;
}

int worker_run(const struct conf *conf, const char *pool, int listen_fd, struct board *board)
{
	struct fcgi_pool fp = {.listen_fd = listen_fd, .drain_ms = DRAIN_MS, .handle = handle};
	struct fail f = {0};
	struct app app;
	int result, waits;

	mallopt(M_ARENA_MAX, 2); /* threads that wait need no heap of their own */
	measure(conf, pool, &fp.limit, &waits);
	if (app_open(&app, conf, board, waits, &f) < 0) {
		log_error("worker_not_started", LOG_STR("pool", pool), LOG_STR("why", f.text));
		return 1;
	}
	fp.ctx = &app;
	board_limit(board, fp.limit);
	board_ready(board); /* the socket listens already */
	result = fcgi_serve(&fp, &f);
	if (result < 0)
		log_error("worker_stopped", LOG_STR("pool", pool), LOG_STR("why", f.text));
	app_close(&app);
	return result < 0;
}

int worker_cgi(const struct conf *conf, struct board *board, struct fail *f)
{
	struct fcgi_pool fp = {.handle = handle};
	struct app app;

	if (app_open(&app, conf, board, 1, f) < 0)
		return -1;
	fp.ctx = &app;
	board_ready(board);
	fcgi_serve_cgi(&fp);
	app_close(&app);
	return 0;
}
