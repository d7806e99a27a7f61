/* fcgi-app/endpoints/sources.c - where channels come from, and how that is going.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/sources.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/svc/breaker.h"
#include "lib/svc/catalog.h"
#include "lib/svc/live.h"
#include "lib/svc/origin.h"
#include "lib/svc/viewers.h"

/* What is wrong, or nulls. */
static void put_why(
	struct json_object *to, enum live_reason reason, const struct fail *why, int64_t since_ms)
{
	bool is_well = reason == LIVE_WELL;

	json_text(to, "reason", is_well ? NULL : live_reason_name(reason));
	json_text(to, "message", is_well ? NULL : why->text);
	json_time(to, "since", since_ms);
}

/* --- one channel's ---------------------------------------------------------------------------- */

static struct json_object *origin_report(
	struct app *app, const char *id, const struct origin *o, const struct live_state *state)
{
	struct breaker_key key = {app->conf, app->mc, id, o->name};
	struct breaker_key whole = {app->conf, app->mc, NULL, o->source->name};
	bool plays = state->status == LIVE_ON && state->reason == LIVE_WELL &&
		     strcmp(state->origin, o->name) == 0;
	struct json_object *to = json_object_new_object();
	struct breaker b;

	breaker_look(&key, &b);
	if (!b.failures)
		breaker_look(&whole, &b);
	json_text(to, "name", o->name);
	json_text(to, "state", plays ? "playing" : b.failures ? "failing" : "ready");
	if (plays)
		put_why(to, LIVE_WELL, NULL, state->origin_ms);
	else
		put_why(to, b.failures ? b.reason : LIVE_WELL, &b.why, b.since_ms);
	return to;
}

struct json_object *sources_of_channel(
	struct app *app, const char *id, const struct live_state *state)
{
	struct json_object *list = json_object_new_array();
	struct origins *o = malloc(sizeof(*o));
	struct fail f;

	if (o && origins_find(o, app->conf, app->catalog, id, &f) == 0) {
		for (size_t i = 0; i < o->count; i++)
			json_object_array_add(list, origin_report(app, id, &o->list[i], state));
	}
	free(o);
	return list;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct status {
	struct app *app;
	struct json_object *channels;
	char origins[BOARD_SLOTS][ORIGIN_NAME_BYTES]; /* of those that are on */
	size_t count;
};

static void add_channel(struct status *s, const char *id)
{
	struct json_object *to = json_object_new_object();
	struct viewer viewers[VIEWERS_MAX];
	struct channel channel = {0};
	struct live_state state;
	struct ident ident;
	struct fail f;

	live_look(s->app->conf, &s->app->ladder, id, &state);
	if (ident_parse(span_of(id), IDENT_LIVE, &ident))
		catalog_channel(s->app->catalog, &ident, &channel, &f);
	json_text(to, "id", id);
	json_text(to, "name", channel.name);
	json_text(to, "status", live_status_name(&state));
	json_number(to, "viewers", (int64_t)viewers_read(s->app->conf, id, viewers));
	json_text(to, "source", state.origin);
	put_why(to, state.reason, &state.why, state.origin_ms);
	json_object_array_add(s->channels, to);
	if (*state.origin)
		memcpy(s->origins[s->count++], state.origin, sizeof(state.origin));
}

static void add_channels(struct status *s)
{
	const struct board_slot *slot;
	size_t at = 0;

	while ((slot = board_each(s->app->board, &at)) && s->count < BOARD_SLOTS) {
		if (strcmp(slot->role, "live") == 0)
			add_channel(s, slot->name);
	}
}

/* How many channels on this host come from that account. */
static int64_t in_use(const struct status *s, const struct conf_source *source,
	const struct conf_account *account)
{
	char name[ORIGIN_NAME_BYTES];
	int64_t n = 0;

	snprintf(name, sizeof(name), "%s%s%s", source->name, *account->name ? "/" : "",
		account->name);
	for (size_t i = 0; i < s->count; i++) {
		size_t len = strcspn(s->origins[i], "#");
		n += len == strlen(name) && strncmp(s->origins[i], name, len) == 0;
	}
	return n;
}

static struct json_object *accounts_report(const struct status *s, const struct conf_source *source)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < source->account_count; i++) {
		const struct conf_account *a = &source->accounts[i];
		struct json_object *to = json_object_new_object();

		json_text(to, "name", a->name);
		json_object_object_add(to, "connections",
			a->connections ? json_object_new_int64(a->connections) : NULL);
		json_number(to, "inUse", in_use(s, source, a));
		json_object_array_add(list, to);
	}
	return list;
}

static int add_source(struct status *s, const struct conf_source *source, struct json_object *list,
	struct fail *f)
{
	struct breaker_key key = {s->app->conf, s->app->mc, NULL, source->name};
	struct catalog_state known;
	struct json_object *to;
	struct breaker b;

	if (catalog_state(s->app->catalog, source->name, &known, f) < 0)
		return -1;
	breaker_look(&key, &b);
	to = json_object_new_object();
	json_text(to, "name", source->name);
	json_text(to, "type", source->type);
	json_text(to, "group", source->group);
	json_text(to, "state", b.failures ? "failing" : "ready");
	put_why(to, b.failures ? b.reason : LIVE_WELL, &b.why, b.since_ms);
	json_number(to, "channels", known.channels);
	json_number(to, "films", known.films);
	json_number(to, "series", known.series);
	json_time(to, "importedAt", known.imported_ms);
	json_text(to, "importTrouble", known.trouble);
	json_object_object_add(to, "accounts", accounts_report(s, source));
	json_object_array_add(list, to);
	return 0;
}

int sources_status(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct status *s = arena_alloc(&rq->arena, sizeof(*s));
	struct json_object *root, *sources;
	int result = 0;

	if (!s)
		return fail_set(f, FAIL_BUSY, "There is no memory for this answer");
	root = json_object_new_object();
	sources = json_object_new_array();
	s->app = app;
	s->channels = json_object_new_array();
	s->count = 0;
	json_object_object_add(root, "sources", sources);
	json_object_object_add(root, "channels", s->channels);
	add_channels(s);
	for (size_t i = 0; i < app->conf->source_count && result == 0; i++)
		result = add_source(s, &app->conf->sources[i], sources, f);
	if (result < 0) {
		json_object_put(root);
		return -1;
	}
	json_send(r, 200, root);
	reply_public(r, 1);
	return 0;
}
