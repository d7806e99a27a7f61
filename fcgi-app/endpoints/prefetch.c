/* fcgi-app/endpoints/prefetch.c - what will be played soon is made ready: /prefetch.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/prefetch.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/rate.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/io/conf.h"
#include "lib/svc/jobs.h"
#include "lib/svc/prefetch.h"
#include "lib/svc/resolved.h"

enum { HEAR_MS = 2000 /* for the jobs process to start and hear */ };

static void send_status(struct reply *r, const char *id, bool warm)
{
	struct json_object *root = json_object_new_object();

	json_text(root, "status", warm ? "warm" : "warming");
	json_text(root, "videoId", id);
	json_text(root, "message",
		warm ? "It is ready to be played" : "It is being made ready in the background");
	json_send(r, 202, root);
	reply_cache(r, "no-store");
	r->x_cache = warm ? "HIT" : "MISS";
}

static int warm_up(
	struct app *app, struct request *rq, struct reply *r, const char *id, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	const char *quality = request_query(rq, "quality"), *format = request_query(rq, "format");
	struct resolved_ask ask = {.id = id, .hinted_kbps = INT64_MAX, .format = format};
	struct prefetch what;
	int64_t retry_s = 0;
	char line[JOBS_LINE_MAX];

	if (!quality_parse(span_of(quality), &ask.quality))
		return fail_set(f, FAIL_INPUT,
			"Unknown quality: low, medium, high, 144p to 1080p, source, audio or auto");
	switch (prefetch_find(&at, &ask, 0, &rq->arena, &what, &retry_s, f)) {
	case RESOLVED_FAILED:
		r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
		return -1;
	case RESOLVED_FOUND:
		if (prefetch_is_warm(app->conf, &what, app->boot)) {
			send_status(r, id, true);
			return 0;
		}
		break;
	case RESOLVED_WAIT:
		if (rate_program(app->rate, id, rq, r, f) < 0)
			return -1;
		break;
	}
	prefetch_line(id, quality, format, line);
	if (jobs_ask(app->conf, rq->client, *what.maker ? what.maker : line, HEAR_MS, f) < 0)
		return -1;
	send_status(r, id, false);
	return 0;
}

int prefetch_query(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const char *id = request_query(rq, "v");

	if (!id)
		return fail_set(f, FAIL_INPUT, "What is to be made ready stands in `v`");
	return warm_up(app, rq, r, id, f);
}

int prefetch_id(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const char *id = arena_copy(&rq->arena, rq->args[0]);

	return id ? warm_up(app, rq, r, id, f)
		  : fail_set(f, FAIL_BUSY, "There is no memory for this answer");
}
