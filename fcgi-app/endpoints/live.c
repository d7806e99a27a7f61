/* fcgi-app/endpoints/live.c - channels: the list, one of them, a fresh token.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/live.h"

#include <json-c/json.h>
#include <stdio.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/shelf.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "fcgi-app/endpoints/listing.h"
#include "fcgi-app/endpoints/sources.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/svc/live.h"
#include "lib/svc/token.h"

enum { TOKEN_WAIT_MS = 3000 };

/* --- the list --------------------------------------------------------------------------------- */

static int add_channel(void *ctx, const struct channel *c)
{
	struct listing *list = ctx;
	struct json_object *item = json_object_new_object();
	struct live_state state;

	live_look(list->app->conf, &list->app->ladder, c->id, &state);
	json_text(item, "id", c->id);
	json_text(item, "streamId", c->stream_id);
	json_text(item, "name", c->name);
	json_object_object_add(item, "number", json_object_new_int64(c->number));
	json_text(item, "category", c->category);
	json_art(item, "logo", list->app->conf, c->id, c->logo);
	json_url(item, "url", list->app->conf, "/api/hls/%s/master.m3u8", c->stream_id);
	json_url(item, "page", list->app->conf, "/watch/%s", c->id);
	json_text(item, "status", live_status_name(&state));
	json_object_object_add(item, "now", NULL);
	json_object_array_add(list->items, item);
	return 0;
}

static int add_category(void *ctx, const struct catalog_category *category)
{
	json_object_array_add(ctx, json_object_new_string(category->name));
	return 0;
}

int live_list(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct listing list;
	struct catalog_query query = {.each = add_channel, .ctx = &list};
	int result = -1;

	listing_open(&list, app, "channels");
	if (listing_asked(rq, &query.page, f) == 0 &&
		catalog_channels(app->catalog, &query, list.next, f) == 0)
		result = catalog_categories(app->catalog, add_category, list.categories, f);
	return listing_send(&list, r, result);
}

/* --- one channel ------------------------------------------------------------------------------ */

/* What is not on yet may turn out to be. */
static bool is_encoded(const struct live_state *state, size_t i)
{
	return state->status != LIVE_ON || !state->window.count || state->encodes[i];
}

static struct json_object *qualities(
	const struct app *app, const struct channel *c, const struct live_state *state)
{
	struct json_object *list = json_object_new_array();
	struct ladder own = app->ladder;

	ladder_parse(conf_ladder(app->conf, c->id, c->category), app->conf->max_quality, NULL, &own,
		NULL);
	for (size_t i = 0; i < app->ladder.count; i++) {
		const struct rung *rung = app->ladder.rungs[i];
		struct json_object *item;

		if (!ladder_find(&own, span_of(rung->name)) || !is_encoded(state, i))
			continue;
		item = json_object_new_object();
		json_text(item, "name", rung->name);
		json_object_object_add(
			item, "width", rung->width ? json_object_new_int(rung->width) : NULL);
		json_object_object_add(
			item, "height", rung->height ? json_object_new_int(rung->height) : NULL);
		json_object_object_add(
			item, "bandwidth", json_object_new_int64((int64_t)rung->total_kbps * 1000));
		json_url(item, "url", app->conf, "/api/hls/%s/%s.m3u8", c->stream_id, rung->name);
		json_object_array_add(list, item);
	}
	return list;
}

/* What is told of a channel. */
struct telling {
	struct channel channel;
	struct asked_quality quality;
	struct live_state state;
	struct token token;
	bool asked; /* for the token: it was not at hand */
};

static void send_channel(struct app *app, struct reply *r, const struct telling *t)
{
	struct json_object *root = json_object_new_object(), *about = json_object_new_object();

	json_text(root, "streamId", t->channel.stream_id);
	json_text(root, "name", t->channel.name);
	json_url(root, "url", app->conf, "/api/hls/%s/master.m3u8%s%s", t->channel.stream_id,
		t->quality.said ? "?quality=" : "", t->quality.said ? t->quality.first->name : "");
	json_text(root, "quality", t->quality.first->name);
	json_object_object_add(root, "qualities", qualities(app, &t->channel, &t->state));
	json_url(root, "direct", app->conf, "/api/live/%s/direct", t->channel.stream_id);
	json_object_object_add(about, "cached", json_object_new_boolean(!t->asked));
	json_time(about, "expiresAt", t->token.expires_ms);
	json_object_object_add(root, "token", about);
	json_art(root, "logo", app->conf, t->channel.id, t->channel.logo);
	json_object_object_add(root, "now", NULL);
	json_text(root, "status", live_status_name(&t->state));
	json_object_object_add(root, "sources", sources_of_channel(app, t->channel.id, &t->state));
	json_send(r, 200, root);
	r->x_cache = t->asked ? "MISS" : "HIT";
	if (t->quality.hinted)
		reply_vary(r, "Save-Data, ECT, Downlink, CMCD-Request");
}

/* The token that is known, or one that is asked for now. */
static int get_token(
	struct app *app, const struct request *rq, bool refresh, struct telling *t, struct fail *f)
{
	const char *id = t->channel.id;
	bool joined = false;
	int result;

	result = live_await_token(app->conf, app->mc, id, refresh, 0, &t->token, &t->asked, f);
	if (result == 0 || f->kind != FAIL_TIMEOUT)
		return result;
	if (!app_wait_begin(app, rq->client, f))
		return -1;
	result = live_await_token(
		app->conf, app->mc, id, refresh, TOKEN_WAIT_MS, &t->token, &joined, f);
	app_wait_end(app, rq->client);
	t->asked = t->asked || joined;
	return result;
}

static int answer_channel(
	struct app *app, struct request *rq, struct reply *r, bool refresh, struct fail *f)
{
	struct telling *t = arena_alloc(&rq->arena, sizeof(*t));

	if (!t)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	t->asked = false;
	if (find_asked_channel(app, rq, &t->channel, f) < 0 ||
		find_quality(app, rq, &t->quality, f) < 0)
		return -1;
	live_look(app->conf, &app->ladder, t->channel.id, &t->state);
	if ((t->state.status == LIVE_STARTING || t->state.slate) && t->state.why.kind) {
		*f = t->state.why; /* what its viewers are told */
		r->reason = live_reason_name(t->state.reason);
		return -1;
	}
	if (get_token(app, rq, refresh, t, f) < 0) {
		r->reason = live_reason_name(live_reason_of(f));
		return -1;
	}
	board_add(app->board, t->asked ? BOARD_TOKENS_JOINED : BOARD_TOKENS_CACHED, 1);
	send_channel(app, r, t);
	return 0;
}

int live_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	if (answer_channel(app, rq, r, false, f) < 0)
		return -1;
	reply_public(r, 1);
	return 0;
}

int live_refresh(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	if (answer_channel(app, rq, r, true, f) < 0)
		return -1;
	shelf_clear(app->shelf);
	reply_cache(r, "no-store");
	return 0;
}
