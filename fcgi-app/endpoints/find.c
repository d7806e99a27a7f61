/* fcgi-app/endpoints/find.c - from what a request names to a channel and a quality.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/find.h"

#include <stdlib.h>

#include "fcgi-app/app.h"
#include "lib/base/num.h"
#include "lib/http/quality.h"
#include "lib/io/conf.h"
#include "lib/svc/viewers.h"

int find_ident(const struct request *rq, struct ident *out, struct fail *f)
{
	if (!ident_parse(rq->args[0], IDENT_LIVE, out))
		return fail_set(
			f, FAIL_INPUT, "This is no id: they look like 8, live-8 or star.live-8");
	return 0;
}

bool find_is_title(const struct ident *id)
{
	return id->kind == IDENT_VOD || id->kind == IDENT_EP;
}

int find_channel(struct app *app, const struct ident *id, struct channel *out, struct fail *f)
{
	if (id->kind != IDENT_LIVE)
		return fail_set(f, FAIL_MISSING, "There is no such channel");
	return catalog_channel(app->catalog, id, out, f);
}

int find_asked_channel(
	struct app *app, const struct request *rq, struct channel *out, struct fail *f)
{
	struct ident id;

	if (find_ident(rq, &id, f) < 0)
		return -1;
	return find_channel(app, &id, out, f);
}

static int higher_first(const void *a, const void *b)
{
	return ((const struct quality_rung *)b)->height - ((const struct quality_rung *)a)->height;
}

/* The height of the rung that suits `q`; 0 for sound alone. */
static int pick_height(const struct ladder *l, const struct quality *q, int64_t kbps)
{
	struct quality_rung rungs[LADDER_MAX];
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct rung *r = l->rungs[i];
		if (r->height)
			rungs[count++] = (struct quality_rung){r->height, r->total_kbps};
	}
	if (count == 0)
		return 0;
	qsort(rungs, count, sizeof(rungs[0]), higher_first);
	return rungs[quality_pick(q, rungs, count, l->rungs[0]->height, kbps)].height;
}

/* CMCD comes as a query parameter, or as a header of its own (CTA-5004). */
int64_t find_hinted_kbps(struct request *rq)
{
	const char *cmcd = request_query(rq, "CMCD");

	return quality_hinted_kbps(request_header(rq, "HTTP_SAVE_DATA"),
		request_header(rq, "HTTP_ECT"), request_header(rq, "HTTP_DOWNLINK"),
		cmcd ? cmcd : request_header(rq, "HTTP_CMCD_REQUEST"));
}

/* What may be chosen from: the ladder, and its rungs as the setting names them. */
struct choice {
	const struct ladder *ladder;
	const char *rungs, *max_quality;
};

/* The ladder that begins with the rung for `q`. A fixed quality is a cap; auto may climb. */
static int cut_ladder(const struct choice *c, const struct quality *q, int64_t kbps,
	struct ladder *out, struct fail *f)
{
	const struct rung *r = ladder_nearest(c->ladder, pick_height(c->ladder, q, kbps));
	const char *cut = q->kind == QUALITY_AUTO ? c->max_quality : r->name;

	if (q->kind == QUALITY_AUDIO && ladder_find(c->ladder, span_of("audio")))
		return ladder_parse("audio", NULL, "audio", out, f);
	return ladder_parse(c->rungs, cut, r->name, out, f);
}

static int choose(
	const struct choice *c, struct request *rq, struct asked_quality *out, struct fail *f)
{
	const char *word = request_query(rq, "quality");
	struct quality q;

	if (!quality_parse(span_of(word), &q))
		return fail_set(f, FAIL_INPUT,
			"Unknown quality: low, medium, high, 144p to 1080p, source, audio or auto");
	out->said = q.kind != QUALITY_UNSAID;
	out->hinted = q.kind == QUALITY_AUTO;
	out->sound_alone = q.kind == QUALITY_AUDIO;
	out->ladder = *c->ladder;
	if (out->said && cut_ladder(c, &q, out->hinted ? find_hinted_kbps(rq) : INT64_MAX,
				 &out->ladder, f) < 0)
		return -1;
	out->first = out->ladder.rungs[0];
	return 0;
}

int find_quality(struct app *app, struct request *rq, struct asked_quality *out, struct fail *f)
{
	const struct choice c = {&app->ladder, app->conf->all_rungs, app->conf->max_quality};

	return choose(&c, rq, out, f);
}

int find_film_quality(
	struct app *app, struct request *rq, struct asked_quality *out, struct fail *f)
{
	const struct conf *conf = app->conf;
	struct ladder ladder;
	const struct choice c = {&ladder, conf->film_ladder, conf->max_quality};

	if (ladder_parse(conf->film_ladder, conf->max_quality, conf->default_quality, &ladder, f) <
		0)
		return -1;
	return choose(&c, rq, out, f);
}

int find_limit(struct request *rq, int64_t *limit, struct fail *f)
{
	const char *text = request_query(rq, "limit");

	if (text && !num_parse(span_of(text), 1, CATALOG_LIMIT_MAX, limit))
		return fail_set(
			f, FAIL_INPUT, "limit takes a number from 1 to %d", CATALOG_LIMIT_MAX);
	return 0;
}

uint64_t find_viewer(const struct request *rq)
{
	return viewer_who(span_of(request_header(rq, "REMOTE_ADDR")),
		span_of(request_header(rq, "HTTP_USER_AGENT")));
}
