/* fcgi-app/processes/worker.c - a process of the api or relay pool: requests in, answers out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/worker.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/fcgi.h"
#include "fcgi-app/door/rate.h"
#include "fcgi-app/door/reply.h"
#include "fcgi-app/door/request.h"
#include "fcgi-app/door/route.h"
#include "fcgi-app/door/shelf.h"
#include "fcgi-app/door/tally.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"

enum {
	DRAIN_MS = 10000,
	KEY_MAX_BYTES = 1024,
	ROOM_WAIT_MS = 200,
	READER_WAIT_MS = 600000 /* a player may pause; the front server's patience ends before */
};

/* One request while it is here. */
struct visit {
	struct app *app;
	struct request rq;
	struct reply r;
	struct fail f;
	const struct route *route; /* NULL: none was found */
	int64_t begun_us;
	bool busy;    /* the limit is reached */
	bool refused; /* because of that */
	struct crowd
		*crowd; /* in which the client holds a place until it is finished; NULL: none */
};

/* --- coming in -------------------------------------------------------------------------------- */

static int refuse_method(struct visit *v, const char *allow)
{
	v->r.status = 405;
	v->r.error_code = "method_not_allowed";
	reply_header(&v->r, "Allow", allow);
	return fail_set(&v->f, FAIL_INPUT, "This address answers %s only", allow);
}

static int answer_preflight(struct visit *v, const char *allow)
{
	v->r.status = 204;
	reply_header(&v->r, "Allow", allow);
	reply_cache(&v->r, "max-age=86400");
	return 0;
}

/* Reads the request and finds its route. -1 with v->f set when it cannot be answered otherwise; 0
 * with no route when it has been. */
static int begin(struct visit *v, struct app *app, struct fcgi_exchange *x)
{
	int bad;
	char allow[64];

	v->app = app;
	v->f = (struct fail){0};
	v->route = NULL;
	v->refused = false;
	v->crowd = NULL;
	bad = request_open(&v->rq, x, &v->f);
	reply_open(&v->r, &v->rq, app->conf);
	v->rq.client = rate_client(app->rate, &v->rq);
	if (bad)
		return -1;
	switch (route_find(&v->rq, &v->route, allow, sizeof(allow))) {
	case ROUTE_MISSING:
		if (v->rq.method == METHOD_OPTIONS) /* published files are no routes */
			return answer_preflight(v, "GET, HEAD, OPTIONS");
		return fail_set(&v->f, FAIL_MISSING, "There is nothing at this address");
	case ROUTE_METHOD:
		return v->rq.method == METHOD_OPTIONS ? answer_preflight(v, allow)
						      : refuse_method(v, allow);
	case ROUTE_OK:
		break;
	}
	return 0;
}

static int make(struct visit *v)
{
	v->refused = v->busy && !fcgi_wait_in(v->rq.x, ROOM_WAIT_MS);
	if (v->refused)
		return fail_set(&v->f, FAIL_BUSY, "The server is busy; try again in a moment");
	return v->route->handle(v->app, &v->rq, &v->r, &v->f);
}

/* What no thread of its own makes, which fewer may wait for. */
static int make_rest(struct visit *v)
{
	if (!v->r.rest.make)
		return 0;
	if (!app_wait_begin(v->app, v->rq.client, &v->f))
		return -1;
	v->r.waiting = &v->app->waiting;
	v->crowd = &v->app->waiters;
	return reply_make_rest(v->app, &v->r, &v->f);
}

static void leave(struct visit *v)
{
	if (v->crowd)
		crowd_leave(v->crowd, v->rq.client);
	v->crowd = NULL;
}

/* Sends the answer, or the failure, and forgets the request. */
static void finish(struct visit *v, int bad)
{
	const char *name = v->route ? v->route->name : "none";
	struct reply *r = &v->r;
	bool gone;

	if (!bad)
		bad = make_rest(v);
	if (bad)
		reply_fail(r, &v->f);
	if (r->status >= 500)
		log_warn("request_failed", LOG_STR("id", v->rq.id), LOG_STR("route", name),
			LOG_INT("status", r->status), LOG_STR("why", v->f.text));
	gone = reply_send(r) < 0;
	log_debug("request", LOG_STR("id", v->rq.id), LOG_STR("method", method_name(v->rq.method)),
		LOG_STR("route", name), LOG_STR("cache", r->x_cache), LOG_INT("status", r->status),
		LOG_INT("bytes", r->sent_bytes),
		LOG_INT("ms", (clock_mono_us() - v->begun_us) / 1000), LOG_INT("gone", gone));
	tally_request(v->app->board, name, r, v->refused, clock_mono_us() - v->begun_us);
	reply_close(r);
	leave(v);
	request_close(&v->rq);
	board_request_end(v->app->board);
}

/* --- answers that others have had, or wait for ------------------------------------------------ */

static void fill(struct reply *r, const struct shelf_item *item, const char *x_cache)
{
	struct shelf_answer kept;
	char age[24];

	shelf_read(item, &kept);
	reply_text(r, 200, kept.type, kept.body);
	buf_add(&r->headers, kept.headers.ptr, kept.headers.len);
	snprintf(age, sizeof(age), "%lld", (long long)(kept.age_ms / 1000));
	reply_header(r, "Age", age);
	r->x_cache = x_cache;
}

/* Answers those who waited while `maker` made what they asked for too: with that, or its failure.
 * Where its answer is for itself alone each gets one of its own. */
static void answer_queue(struct visit *maker, struct shelf_queue *queue,
	const struct shelf_item *item, int failed, const struct reply *told)
{
	struct shelf_waiter who;
	struct visit v;

	while (shelf_next(&queue, &who)) {
		int bad;

		v.begun_us = who.begun_us;
		v.busy = false;
		bad = begin(&v, maker->app, who.x);
		if (!bad && item) {
			fill(&v.r, item, "COALESCED");
		} else if (!bad && failed) {
			v.f = maker->f;
			v.r.retry_after_s = told->retry_after_s;
			v.r.error_code = told->error_code;
			v.r.reason = told->reason;
			bad = -1;
		} else if (!bad) {
			bad = make(&v);
		}
		finish(&v, bad);
		fcgi_finish(who.x, false);
	}
}

/* Makes the answer, and keeps it where it is the same for others. */
static void make_shared(struct visit *v, struct span key)
{
	int bad = make(v);
	struct reply told = v->r; /* of which only what a failure says is looked at */
	struct shelf_answer answer = {v->r.type, buf_span(&v->r.headers), buf_span(&v->r.body), 0};
	bool same = !bad && v->r.status == 200 && v->r.keep_ms > 0 && !v->r.vary[0];
	struct shelf_queue *queue;
	struct shelf_item *item;

	queue = shelf_done(v->app->shelf, key, same ? &answer : NULL, v->r.keep_ms, &item);
	finish(v, bad);
	answer_queue(v, queue, item, bad, &told);
	shelf_release(&item);
}

/* False when the request waits for somebody else's answer: it is not ours any more. */
static bool answer_keyed(struct visit *v, struct span key)
{
	const struct shelf_waiter who = {v->rq.x, v->begun_us};
	struct shelf_item *item;

	if (v->route->sharing->note)
		v->route->sharing->note(v->app, &v->rq);
	switch (shelf_take(v->app->shelf, key, &who, &item)) {
	case SHELF_PARKED:
		return false;
	case SHELF_HIT:
		fill(&v->r, item, "HIT");
		finish(v, 0);
		break;
	case SHELF_MAKE:
		/* At the limit too: one that all others need, and what it may wait for has a
		 * limit of its own (app_wait_begin). */
		v->busy = false;
		make_shared(v, key);
		break;
	case SHELF_PASS:
		finish(v, make(v));
		break;
	}
	shelf_release(&item);
	return true;
}

/* --- answers that last, or have to be waited for ---------------------------------------------- */

/* Who waits for a start holds no thread of the pool, but for CGI and where there are too many. */
static void send_apart(void *ctx)
{
	struct visit *v = ctx;
	struct fcgi_exchange *x = v->rq.x;
	int bad = reply_make_rest(v->app, &v->r, &v->f);

	if (v->r.blocks || v->r.stream.waits)
		fcgi_be_patient(x, READER_WAIT_MS);
	finish(v, bad);
	free(v);
	fcgi_finish(x, true);
}

/* True when a thread of its own answers from here on. */
static bool set_apart(const struct visit *v)
{
	struct visit *own = malloc(sizeof(*own));
	atomic_int *sending = &v->app->sending;

	if (!own)
		return false;
	*own = *v;
	own->r.rq = &own->rq;
	if (v->r.rest.make) {
		own->r.waiting = sending;
		if (atomic_fetch_add(sending, 1) < v->app->conf->stream_max &&
			fcgi_set_aside(v->rq.x, send_apart, own))
			return true;
		atomic_fetch_sub(sending, 1);
	} else if (fcgi_set_aside(v->rq.x, send_apart, own)) {
		return true;
	}
	free(own);
	return false;
}

/* False when the answer lasts, and a thread of its own sends it from here on. */
static bool answer_alone(struct visit *v)
{
	int bad = make(v);

	if (!bad && (v->r.stream.run || v->r.rest.make)) {
		if (crowd_enter(&v->app->readers, v->rq.client, &v->f)) {
			v->crowd = &v->app->readers;
			if (set_apart(v))
				return false;
			leave(v);
		} else {
			bad = -1;
		}
	}
	finish(v, bad);
	return true;
}

static bool handle(void *ctx, struct fcgi_exchange *x, bool busy)
{
	struct app *app = ctx;
	struct visit v = {.busy = busy, .begun_us = clock_mono_us()};
	bool answered = true, given = false;
	struct buf key;
	int bad;

	board_request_begin(app->board);
	bad = begin(&v, app, x);
	buf_init(&key, KEY_MAX_BYTES);
	if (!bad && v.route)
		bad = rate_check(app->rate, v.route, &v.rq, &v.r, &v.f);
	board_add(app->board, BOARD_LIMITED, bad && v.f.kind == FAIL_LIMITED);
	if (bad || !v.route)
		finish(&v, bad);
	else if (route_key(v.route, &v.rq, &key))
		answered = answer_keyed(&v, buf_span(&key));
	else
		given = !answer_alone(&v);
	if (!answered) {
		reply_close(&v.r);
		request_close(&v.rq);
	}
	buf_release(&key);
	app_upkeep(app);
	return answered && !given;
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
	file_raise_limit();	 /* a reader of what is not whole holds four */
	measure(conf, pool, &fp.limit, &waits);
	result = app_open(&app, conf, board, waits, &f);
	/* Those who will send pages start with them, or not at all. */
	if (result == 0 && strcmp(pool, "relay") != 0 && !app_site(&app, &f)) {
		app_close(&app);
		result = -1;
	}
	if (result < 0) {
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
