/* fcgi-app/endpoints/art.c - GET /cdn/art/{id}: logos, posters and thumbnails by size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/art.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/rate.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/svc/art.h"
#include "lib/svc/setback.h"
#include "lib/svc/wanted.h"

enum { WAIT_MS = 9000, PAUSE_NS = 20000000, TELL_MS = 500 };

struct asked_art {
	const char *id;
	int64_t size;
	char line[JOBS_LINE_MAX], setback[JOBS_LINE_MAX];
};

/* Sends what is there. False when nothing is; then *f says so. */
static bool send_known(struct app *app, struct reply *r, const struct asked_art *a, struct fail *f)
{
	struct art_known known;
	struct fail why;
	int64_t retry_s;
	char fresh[40];

	fail_set(f, FAIL_TIMEOUT, "The picture has not come yet");
	if (!art_look(app->conf, a->id, a->size, &known) ||
		reply_file(r, app->publisher, PUBLISH_WWW, known.name, f) < 0)
		return false;
	if (!known.fresh && !setback_holds(app->conf, NULL, a->setback, &why, &retry_s))
		jobs_tell(app->conf, r->rq->client, a->line);
	snprintf(fresh, sizeof(fresh), "public, max-age=%lld", (long long)app->conf->art_ttl_s);
	reply_cache(r, known.fresh ? fresh : "public, max-age=60");
	r->x_cache = known.fresh ? "HIT" : "STALE";
	return true;
}

/* Whether it failed a moment ago. */
static bool is_set_back(struct app *app, struct reply *r, const struct asked_art *a, struct fail *f)
{
	int64_t retry_s;

	if (!setback_holds(app->conf, NULL, a->setback, f, &retry_s))
		return false;
	r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
	return true;
}

static int await(struct app *app, struct reply *r, const struct asked_art *a, struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS, now_ms, told_ms = 0;
	struct timespec pause = {0, PAUSE_NS};

	while ((now_ms = clock_mono_ms()) < until_ms) {
		if ((!told_ms || now_ms - told_ms >= TELL_MS) &&
			jobs_tell(app->conf, r->rq->client, a->line))
			told_ms = now_ms;
		nanosleep(&pause, NULL);
		if (send_known(app, r, a, f)) {
			r->x_cache = "MISS";
			return 0;
		}
		if (is_set_back(app, r, a, f))
			return -1;
	}
	return -1;
}

int art_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	struct asked_art a = {.id = arena_copy(&rq->arena, rq->args[0])};
	struct art *art = arena_alloc(&rq->arena, sizeof(*art));
	enum resolved_result found;
	int64_t retry_s;
	int result;

	if (!a.id || !art)
		return fail_set(f, FAIL_BUSY, "There is no memory for this answer");
	if (!art_size(span_of(request_query(rq, "size")), &a.size))
		return fail_set(
			f, FAIL_INPUT, "`size` is a number of lines, 1 to %d", ART_SIZE_MAX);
	found = art_find(&at, a.id, 0, art, &retry_s, f);
	if (found == RESOLVED_FAILED) {
		r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
		return -1;
	}
	art_line(a.id, a.size, a.line);
	art_setback(a.id, a.setback);
	if (send_known(app, r, &a, f))
		return 0;
	if (is_set_back(app, r, &a, f) ||
		(found == RESOLVED_WAIT && rate_program(app->rate, a.id, rq, r, f) < 0) ||
		!app_wait_begin(app, rq->client, f))
		return -1;
	result = await(app, r, &a, f);
	app_wait_end(app, rq->client);
	return result;
}
