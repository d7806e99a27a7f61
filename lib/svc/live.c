/* lib/svc/live.c - what API workers and a channel's live process share: files and questions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/hls/m3u8.h"
#include "lib/http/ident.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/catalog.h"
#include "lib/svc/summon.h"

enum {
	STATE_MAX = 16384,
	PAUSE_NS = 20000000, /* between two looks while waiting */
	TOUCH_MS = 1000,     /* `asked` is not touched more often */
};

const char *live_status_name(const struct live_state *s)
{
	static const char *const names[] = {"off", "starting", "on", "on"};

	return names[s->status == LIVE_ON && s->slate ? LIVE_STARTING : s->status];
}

void live_path(const struct conf *conf, const char *id, const char *name, char to[LIVE_PATH_BYTES])
{
	if (name)
		file_path(to, LIVE_PATH_BYTES, "%s/work/%s/%s", conf->live_dir, id, name);
	else
		file_path(to, LIVE_PATH_BYTES, "%s/work/%s", conf->live_dir, id);
}

void live_look(
	const struct conf *conf, const struct ladder *l, const char *id, struct live_state *s)
{
	char path[LIVE_PATH_BYTES];
	struct buf text;

	live_path(conf, id, "state", path);
	buf_init(&text, STATE_MAX);
	if (file_read(path, &text, NULL) < 0 || !live_state_parse(buf_span(&text), l, s) ||
		s->updated_ms < clock_real_ms() - LIVE_STALE_MS)
		*s = (struct live_state){0};
	buf_release(&text);
}

/* False when somebody else has said so within the last second. */
static bool touch(const struct conf *conf, const char *id, const char *name)
{
	char path[LIVE_PATH_BYTES];
	int64_t asked_ms, now_ms = clock_real_ms();
	struct fail f;

	live_path(conf, id, name, path);
	asked_ms = file_mtime_ms(path);
	if (asked_ms > now_ms - TOUCH_MS && asked_ms <= now_ms)
		return false;
	if (file_touch(path))
		return true;
	live_path(conf, id, NULL, path);
	if (file_mkdirs(path, 0700, &f) < 0)
		return true;
	live_path(conf, id, name, path);
	file_touch(path);
	return true;
}

/* The supervisor hears it though the channel is on: it may have been killed, and not know that. */
bool live_ask(const struct conf *conf, const char *id)
{
	return !touch(conf, id, "asked") || summon_ask(conf, "watch", id);
}

bool live_ask_stream(const struct conf *conf, const char *id)
{
	return !touch(conf, id, "direct") || summon_ask(conf, "watch", id);
}

void live_ask_leave(const struct conf *conf, const char *id)
{
	summon_ask(conf, "leave", id);
}

bool live_ask_token(const struct conf *conf, const char *id, bool refresh)
{
	return summon_ask(conf, refresh ? "refresh" : "token", id);
}

/* --- playlists ------------------------------------------------------------------------------ */

/* What can be said without looking at a rendition: LIVE_READY when its playlists may be asked. */
static enum live_answer standing(const struct live_state *s, struct fail *f)
{
	switch (s->status) {
	case LIVE_ELSEWHERE:
		return LIVE_AT;
	case LIVE_ON:
	case LIVE_STARTING:
		break;
	case LIVE_OFF:
		return LIVE_NOT_YET;
	}
	if (s->status == LIVE_STARTING && s->why.kind) {
		*f = s->why;
		return LIVE_FAILED;
	}
	return LIVE_READY;
}

/* What the encoder makes of the source's shape: all of the rung's width or all of its height. */
static void set_size(const struct live_state *s, const struct rung *r, struct m3u8_variant *v)
{
	v->width = r->width;
	v->height = r->height;
	if (!s->width || !s->height || !r->height)
		return;
	if ((int64_t)s->width * r->height > (int64_t)s->height * r->width)
		v->height = (int)(((int64_t)r->width * s->height / s->width + 1) / 2 * 2);
	else
		v->width = (int)(((int64_t)r->height * s->width / s->height + 1) / 2 * 2);
}

static enum live_answer show_master(
	const struct ladder *l, const struct live_state *s, struct buf *to)
{
	struct m3u8_variant variants[LADDER_MAX];
	char uris[LADDER_MAX][RUNG_NAME_BYTES + 8];
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct rung *r = l->rungs[i];

		if (!s->encodes[i])
			continue;
		snprintf(uris[count], sizeof(uris[count]), "%s.m3u8", r->name);
		variants[count] = (struct m3u8_variant){.uri = uris[count],
			.bandwidth = (int64_t)r->total_kbps * 1000,
			.average = (int64_t)r->average_kbps * 1000,
			.video_codec = r->video_codec,
			.has_audio = s->has_audio,
			.rate_milli = s->rate_milli};
		set_size(s, r, &variants[count++]);
	}
	if (count == 0)
		return LIVE_NOT_YET;
	m3u8_master_print(variants, count, to);
	return LIVE_READY;
}

static enum live_answer show_playlist(const struct ladder *l, const char *id, size_t rung,
	const struct live_state *s, struct buf *to)
{
	char prefix[200];

	if (!file_path(prefix, sizeof(prefix), "/tv/%s/%s/", id, s->run) ||
		!window_print(&s->window, l, rung, prefix, to))
		return LIVE_NOT_YET;
	return LIVE_READY;
}

enum live_answer live_tell(const struct ladder *l, const char *id, struct span rendition,
	const struct live_state *s, struct buf *to, struct fail *f)
{
	enum live_answer answer;
	size_t rung = 0;

	while (rendition.len && rung < l->count && !span_is(rendition, l->rungs[rung]->name))
		rung++;
	if (rendition.len && rung == l->count)
		return LIVE_NO_SUCH;
	answer = standing(s, f);
	if (answer != LIVE_READY)
		return answer;
	return rendition.len ? show_playlist(l, id, rung, s, to) : show_master(l, s, to);
}

enum live_answer live_await(const struct conf *conf, const struct ladder *l, const char *id,
	struct span rendition, int64_t wait_ms, struct live_state *s, struct buf *to,
	struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct timespec pause = {0, PAUSE_NS};
	bool heard = true;

	for (;;) {
		enum live_answer answer;

		heard = heard ? live_ask(conf, id) : summon_ask(conf, "watch", id);
		live_look(conf, l, id, s);
		answer = live_tell(l, id, rendition, s, to, f);
		if (answer == LIVE_FAILED && wait_ms == 0)
			return LIVE_NOT_YET;
		if (answer != LIVE_NOT_YET && answer != LIVE_FAILED)
			return answer;
		if (clock_mono_ms() >= until_ms)
			return answer;
		nanosleep(&pause, NULL);
	}
}

int live_await_token(const struct conf *conf, struct mc *mc, const char *id, bool refresh,
	int64_t wait_ms, struct token *t, bool *asked, struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + wait_ms, before_ms;
	struct timespec pause = {0, PAUSE_NS};
	enum token_state state = token_look(conf, mc, id, t);
	bool heard;

	*asked = false;
	if (state == TOKEN_NONE || (refresh && token_refresh_due(t, clock_real_ms()))) {
		before_ms = state == TOKEN_NONE ? -1 : t->resolved_ms;
		heard = live_ask_token(conf, id, refresh);
		*asked = true;
		do {
			nanosleep(&pause, NULL);
			heard = heard || live_ask_token(conf, id, refresh);
			state = token_look(conf, NULL, id, t);
		} while ((state == TOKEN_NONE || t->resolved_ms == before_ms) &&
			 clock_mono_ms() < until_ms);
		if (state == TOKEN_NONE || t->resolved_ms == before_ms)
			return fail_set(f, FAIL_TIMEOUT, "The gateway has not answered yet");
	}
	if (state == TOKEN_GOOD)
		return 0;
	*f = t->why;
	return -1;
}

int live_ladder(const struct conf *conf, const char *id, struct ladder *out, struct fail *f)
{
	struct channel channel = {0};
	struct catalog *catalog = NULL;
	struct ident ident;

	if (conf->category_count && ident_parse(span_of(id), IDENT_LIVE, &ident) &&
		catalog_open(&catalog, conf, NULL) == 0)
		catalog_channel(catalog, &ident, &channel, NULL);
	catalog_close(&catalog);
	return ladder_parse(conf_ladder(conf, id, channel.category), conf->max_quality,
		conf->default_quality, out, f);
}
