/* fcgi-app/endpoints/cdn.c - music and video under a stable address, over bytes elsewhere.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/cdn.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/rate.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/joined.h"
#include "fcgi-app/endpoints/stream.h"
#include "fcgi-app/endpoints/track.h"
#include "lib/base/clock.h"
#include "lib/http/accept.h"
#include "lib/http/range.h"
#include "lib/io/conf.h"
#include "lib/svc/resolved.h"
#include "lib/svc/title.h"

/* --- what is asked for ------------------------------------------------------------------------ */

static bool accepts(const char *header, const char *type, const char *other)
{
	return accept_weight(header, type) > 0 || accept_weight(header, other) > 0;
}

/* The format that is asked for by who takes only some; NULL: any will do. */
static const char *accepted_sound(const char *header)
{
	bool opus = accepts(header, "audio/webm", "audio/ogg");
	bool aac = accepts(header, "audio/mp4", "audio/aac");

	if (opus == aac)
		return !opus && accepts(header, "audio/mpeg", "audio/mp3") ? "mp3" : NULL;
	return opus ? "opus" : "aac";
}

static int read_ask(struct app *app, struct request *rq, struct reply *r, const char *id,
	struct object_ask *ask, struct fail *f)
{
	const char *word = request_query(rq, "quality"), *format = request_query(rq, "format");
	struct quality quality;
	int64_t kbps = 0;

	(void)app;
	if (!quality_parse(span_of(word), &quality))
		return fail_set(f, FAIL_INPUT,
			"Unknown quality: low, medium, high, 144p to 1080p, source, audio or auto");
	if (quality.kind == QUALITY_AUTO) {
		reply_vary(r, FIND_HINTS);
		kbps = find_hinted_kbps(rq);
	}
	if (format && strcmp(format, "auto") == 0 && quality_is_picture(&quality)) {
		format = NULL; /* of pictures what browsers play is preferred anyway */
	} else if (format && strcmp(format, "auto") == 0) {
		reply_vary(r, "Accept");
		format = accepted_sound(request_header(rq, "HTTP_ACCEPT"));
	}
	if (!object_ask_make(ask, id, &quality, kbps, format))
		return fail_set(f, FAIL_INPUT, "This is no id or no format");
	return 0;
}

/* Which bytes will be wanted, before anybody knows how many there are. What cannot be told without
 * begins at the beginning. */
static struct range guess_part(const struct request *rq)
{
	const struct range whole = {0, -1}, head = {0, 0};
	struct range part;

	if (rq->method != METHOD_GET)
		return head;
	if (request_header(rq, "HTTP_IF_RANGE"))
		return whole;
	if (range_parse(request_header(rq, "HTTP_RANGE"), INT64_MAX, &part) != RANGE_OK)
		return whole;
	if (part.first > INT64_MAX / 2) /* the last so many */
		return head;
	if (part.last == INT64_MAX - 1)
		part.last = -1;
	return part;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* A file of ours is sent as it is, but for music that is wished otherwise. */
static int send_own_file(struct app *app, struct request *rq, struct reply *r,
	const struct object_ask *ask, struct fail *f)
{
	struct title *t = arena_alloc(&rq->arena, sizeof(*t));
	char vary[REPLY_VARY_MAX];
	struct ident id;
	int made;

	if (!t)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (!ident_parse(span_of(ask->id), IDENT_NONE, &id))
		return fail_set(f, FAIL_MISSING, "There is no such file");
	if (title_find(t, app->conf, app->catalog, &id, f) < 0)
		return -1;
	span_copy(span_of(r->vary), vary, sizeof(vary));
	made = track_send(app, rq, r, t, ask, f);
	if (made < 0 || (!made && stream_file(rq, r, t, f) < 0))
		return -1;
	if (*vary && !*r->vary) /* a file begins the reply anew */
		reply_vary(r, vary);
	return 0;
}

/* What it is at the source, where that can be told at once: 1 when it is a file of ours. */
static int look_at_source(struct app *app, struct request *rq, struct reply *r,
	const struct object_ask *ask, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	const struct resolved_ask resolve = {
		ask->id, object_ask_quality(ask), ask->kbps, ask->format};
	enum resolved_result result;
	struct resolved found;
	int64_t retry_s = 0;

	result = resolved_await(&at, &resolve, 0, &rq->arena, &found, &retry_s, f);
	if (result == RESOLVED_WAIT) {
		if (rate_program(app->rate, ask->id, rq, r, f) < 0)
			return -1;
		result = resolved_find(&at, &resolve, &rq->arena, &found, &retry_s, f);
	}
	switch (result) {
	case RESOLVED_FOUND:
		return found.where == RESOLVED_FILE;
	case RESOLVED_WAIT:
		*f = (struct fail){0};
		return 0;
	case RESOLVED_FAILED:
		break;
	}
	r->retry_after_s = (int)retry_s;
	return -1;
}

/* A film may be another one tomorrow: its address never ends. */
static void say_how_long(struct reply *r, const struct block_map_info *info)
{
	int64_t left_s = info->expires_s - clock_real_ms() / 1000;
	char text[48];

	if (*info->given)
		reply_header(r, "X-Quality", info->given);
	if (!info->expires_s) {
		reply_cache(r, "private, no-cache");
		return;
	}
	snprintf(text, sizeof(text), "public, max-age=%lld", (long long)(left_s > 0 ? left_s : 0));
	reply_cache(r, text);
}

static int learn(struct app *app, struct request *rq, struct reply *r, struct blocks *b,
	const struct object_ask *ask, struct fail *f)
{
	const struct range part = guess_part(rq);
	int64_t retry_s = 0;
	int own = look_at_source(app, rq, r, ask, f);

	if (own)
		return own;
	if (blocks_learn(b, part.first, part.last, &retry_s, f) == 0)
		return 0;
	r->retry_after_s = (int)retry_s;
	return -1;
}

static void send_bytes(struct reply *r, struct blocks *b)
{
	if (!blocks_is_published(b)) /* nginx, which would have all of it before its reader has */
		reply_header(r, "X-Accel-Buffering", "no");
	say_how_long(r, blocks_info(b));
	reply_object(r, b);
}

/* What is not whole yet. */
struct awaited {
	struct blocks *blocks;
	struct object_ask ask;
};

static void release(void *ctx)
{
	struct awaited *a = ctx;

	blocks_close(&a->blocks);
}

static int await(struct app *app, struct request *rq, struct reply *r, void *ctx, struct fail *f)
{
	struct awaited *a = ctx;
	int own = blocks_is_known(a->blocks) ? 0 : learn(app, rq, r, a->blocks, &a->ask, f);

	if (own < 0 && f->kind == FAIL_UPSTREAM)
		return joined_redirect(app, rq, r, &a->ask, f);
	if (own)
		return own > 0 ? send_own_file(app, rq, r, &a->ask, f) : -1;
	send_bytes(r, a->blocks);
	a->blocks = NULL; /* the reply's */
	return 0;
}

int cdn_object(struct app *app, struct request *rq, struct reply *r, const struct object_ask *ask,
	struct fail *f)
{
	struct awaited *a = arena_alloc(&rq->arena, sizeof(*a));

	if (!a)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	a->ask = *ask;
	if (blocks_open(&a->blocks, app->conf, app->boot, &a->ask, fcgi_socket(rq->x), f) < 0)
		return -1;
	if (blocks_is_published(a->blocks))
		send_bytes(r, a->blocks);
	else
		reply_later(r, (struct reply_rest){await, release, a});
	return 0;
}

int cdn_stream(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const char *id = arena_copy(&rq->arena, rq->args[0]);
	struct object_ask ask;

	if (!id)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (read_ask(app, rq, r, id, &ask, f) < 0)
		return -1;
	return cdn_object(app, rq, r, &ask, f);
}

int cdn_proxy(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const char *id = request_query(rq, "v");
	struct object_ask ask;

	if (!id)
		return fail_set(f, FAIL_INPUT, "v= must name what is wanted");
	if (read_ask(app, rq, r, id, &ask, f) < 0)
		return -1;
	return cdn_object(app, rq, r, &ask, f);
}
