/* fcgi-app/endpoints/hls.c - playlists that are asked for by a name without a version.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/hls.h"

#include <stdio.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/vod.h"
#include "lib/hls/m3u8.h"
#include "lib/io/conf.h"
#include "lib/svc/live.h"
#include "lib/svc/publish.h"
#include "lib/svc/viewers.h"

enum {
	WAIT_MS = 3000,
	FULL_BYTES = 1 << 20,  /* with less than that free no channel starts */
	MASTER_KEEP_MS = 1000, /* and those who wait for the channel's start get it together */
};

/* The channel's own id. One that is being encoded here needs no look into the catalogue; *state is
 * what it has for the whole ladder. */
static int channel_id(struct app *app, struct request *rq, struct live_state *state,
	char id[IDENT_MAX], struct fail *f)
{
	struct channel channel;
	struct ident ident;

	state->status = LIVE_OFF;
	if (find_ident(rq, &ident, f) < 0)
		return -1;
	ident_print(&ident, id, IDENT_MAX);
	if (ident.kind == IDENT_LIVE) {
		live_look(app->conf, &app->ladder, id, state);
		if (state->status == LIVE_ON)
			return 0;
	}
	if (find_channel(app, &ident, &channel, f) < 0)
		return -1;
	snprintf(id, IDENT_MAX, "%s", channel.id);
	return 0;
}

int hls_send_there(struct request *rq, struct reply *r, const char *base, struct fail *f)
{
	const char *location;

	if (!*base)
		return fail_set(f, FAIL_BUSY,
			"Another host plays this channel and has no public_url; set it there");
	location = arena_printf(&rq->arena, "%s%.*s%s%.*s", base, (int)rq->path.raw.len,
		rq->path.raw.ptr, rq->path.query.len ? "?" : "", (int)rq->path.query.len,
		rq->path.query.len ? rq->path.query.ptr : "");
	if (!location)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (reply_redirect(r, 307, location, f) < 0)
		return -1;
	reply_cache(r, "no-store");
	return 0;
}

/* A channel that begins on a full disk cannot even say so itself. */
static int not_yet(const struct app *app, struct reply *r, struct fail *f)
{
	struct publish_room room;

	r->retry_after_s = 1;
	publish_room(app->conf, app->board, PUBLISH_LIVE, &room);
	if (room.free < room.floor && room.free < FULL_BYTES) {
		r->reason = live_reason_name(LIVE_MACHINE_BUSY);
		return fail_set(f, FAIL_BUSY,
			"This machine's disk is full, so no channel can start; try again later");
	}
	r->reason = live_reason_name(LIVE_BEGINS);
	return fail_set(f, FAIL_BUSY, "The channel is starting; try again in a moment");
}

/* A master says the same as long as the channel is on. */
static const char *keep(struct span rendition, const struct window *w)
{
	if (rendition.len == 0)
		return "max-age=60";
	return window_keep_s(w) ? "max-age=1" : "max-age=0";
}

static int send_playlist(struct app *app, struct request *rq, struct reply *r,
	const struct ladder *ladder, struct span rendition, struct fail *f)
{
	struct live_state state;
	enum live_answer answer;
	char id[IDENT_MAX];
	struct buf text;

	if (channel_id(app, rq, &state, id, f) < 0)
		return -1;
	viewers_note(app->conf, id, find_viewer(rq));
	buf_init(&text, M3U8_MAX_BYTES);
	if (state.status == LIVE_ON && ladder == &app->ladder) {
		live_ask(app->conf, id);
		answer = live_tell(ladder, id, rendition, &state, &text, f);
	} else {
		answer = live_await(app->conf, ladder, id, rendition, 0, &state, &text, f);
	}
	if (answer == LIVE_NOT_YET) {
		if (!app_wait_begin(app, rq->client, f)) {
			r->retry_after_s = 1;
			return -1;
		}
		answer = live_await(app->conf, ladder, id, rendition, WAIT_MS, &state, &text, f);
		app_wait_end(app, rq->client);
	}
	if (answer == LIVE_READY) {
		reply_text(r, 200, M3U8_TYPE, buf_span(&text));
		reply_cache(r, keep(rendition, &state.window));
	}
	buf_release(&text);
	switch (answer) {
	case LIVE_READY:
		return 0;
	case LIVE_AT:
		return hls_send_there(rq, r, state.base, f);
	case LIVE_NO_SUCH:
		return fail_set(f, FAIL_MISSING, "The channel has no such rendition");
	case LIVE_NOT_YET:
		return not_yet(app, r, f);
	case LIVE_FAILED:
		r->reason = live_reason_name(state.reason);
		break;
	}
	return -1;
}

int hls_master(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct asked_quality quality;
	struct ident id;

	if (find_ident(rq, &id, f) < 0)
		return -1;
	if (find_is_title(&id))
		return vod_master(app, rq, r, &id, f);
	if (find_quality(app, rq, &quality, f) < 0)
		return -1;
	if (send_playlist(app, rq, r, &quality.ladder, span_make(NULL, 0), f) < 0)
		return -1;
	if (quality.hinted)
		reply_vary(r, FIND_HINTS);
	r->keep_ms = MASTER_KEEP_MS;
	return 0;
}

void hls_note(struct app *app, struct request *rq)
{
	struct live_state state;
	char id[IDENT_MAX];
	struct fail f;

	if (channel_id(app, rq, &state, id, &f) == 0)
		viewers_note(app->conf, id, find_viewer(rq));
}

int hls_media(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct ident id;

	if (find_ident(rq, &id, f) < 0)
		return -1;
	if (find_is_title(&id))
		return vod_latest(app, rq, r, &id, f);
	if (!ladder_find(&app->ladder, rq->args[1]))
		return fail_set(f, FAIL_MISSING, "There is no such rendition");
	return send_playlist(app, rq, r, &app->ladder, rq->args[1], f);
}
