/* fcgi-app/endpoints/direct.c - whether a title is played as it is, and from where.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/direct.h"

#include <string.h>

#include "fcgi-app/app.h"
#include "lib/base/log.h"
#include "lib/hls/plays.h"
#include "lib/io/conf.h"
#include "lib/svc/edge.h"

enum { EDGE_WAIT_MS = 4000 };

bool direct_plays(struct request *rq, const struct film_seen *film)
{
	const char *plays = request_query(rq, "plays");

	return plays_title(plays_parse(span_of(plays ? plays : PLAYS_EVERYWHERE)), &film->record,
		film->title.film.suffix);
}

static bool begins(const char *text, const char *with)
{
	return text && span_starts(span_of(text), with);
}

/* A browser fetches nothing by http for a page that came by https. */
static bool page_is_secure(const struct app *app, const struct request *rq)
{
	const char *https = request_header(rq, "HTTPS");

	return begins(app->conf->public_url, "https://") || (https && strcmp(https, "off") != 0) ||
	       begins(request_header(rq, "REQUEST_SCHEME"), "https") ||
	       begins(request_header(rq, "HTTP_X_FORWARDED_PROTO"), "https") ||
	       begins(request_header(rq, "HTTP_ORIGIN"), "https://") ||
	       begins(request_header(rq, "HTTP_REFERER"), "https://");
}

static const char *ask_edge(
	struct app *app, struct request *rq, const char *id, int64_t age_ms, struct fail *f)
{
	struct edge *edge = arena_alloc(&rq->arena, sizeof(*edge));
	int result;

	if (!edge) {
		fail_set(f, FAIL_INPUT, "The request is too large");
		return NULL;
	}
	if (!app_wait_begin(app, rq->client, f))
		return NULL;
	result = edge_ask(app->conf, id, age_ms, EDGE_WAIT_MS, edge, f);
	app_wait_end(app, rq->client);
	if (result == 0 && page_is_secure(app, rq) && !begins(edge->url, "https://"))
		result = fail_set(f, FAIL_CONFLICT, "The edge's address does not suit the page");
	return result == 0 ? edge->url : NULL;
}

enum direct_way direct_from(struct app *app, struct request *rq, const struct title *t,
	int64_t age_ms, const char **url)
{
	struct fail why = {0};

	if (t->where == TITLE_FILE)
		return DIRECT_BYTES;
	if (strcmp(app->conf->direct_play, "proxy") == 0)
		return DIRECT_BYTES; /* by the byte cache */
	*url = ask_edge(app, rq, t->film.id, age_ms, &why);
	if (*url)
		return DIRECT_EDGE;
	log_debug("not_direct", LOG_STR("id", t->film.id), LOG_STR("why", why.text));
	return DIRECT_NOT;
}

int direct_redirect(struct reply *r, const char *url, struct fail *f)
{
	if (reply_redirect(r, 302, url, f) < 0)
		return -1;
	reply_cache(r, "private, no-store");
	reply_header(r, "Referrer-Policy", "no-referrer");
	return 0;
}
