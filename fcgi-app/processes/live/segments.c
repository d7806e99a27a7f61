/* fcgi-app/processes/live/segments.c - an HLS upstream.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/segments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-app/processes/live/keyring.h"
#include "fcgi-app/processes/live/pace.h"
#include "fcgi-app/processes/live/media_playlist.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { SKIPS = 3 /* segments in a row that cannot be had */ };

struct segments {
	const char *id, *languages;
	int height;
	struct segments_feed feed;
	bool on;
	struct media_playlist playlists[PACE_PLAYLISTS];
	size_t count;
	bool chosen;   /* the list is a variant's */
	unsigned skip; /* variants that did not work */
	struct keyring keys;
	struct blend blend; /* of two playlists */

	struct buf url; /* being put together */
	struct errand errand;
	struct media_playlist *at;	/* for which it is */
	struct playlist_segment wanted; /* its spans borrow from the list, which stays meanwhile */

	int64_t fetched; /* segments of this connection */
	int64_t tried_n; /* the one that failed last */
	int skipped;	 /* in a row */
	struct pace pace;
};

static void on_done(void *ctx, const struct upstream_end *how);

struct segments *segments_open(struct fetcher *fetcher, const char *id, int height,
	const char *languages, const struct segments_feed *feed)
{
	struct segments *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	errand_init(&s->errand, fetcher);
	s->errand.on_done = on_done;
	s->errand.ctx = s;
	s->id = id;
	s->height = height;
	s->languages = languages;
	s->feed = *feed;
	s->tried_n = -1;
	buf_init(&s->url, FETCH_URL_BYTES - 1);
	for (int i = 0; i < PACE_PLAYLISTS; i++) {
		if (!media_playlist_init(&s->playlists[i])) {
			segments_close(&s);
			return NULL;
		}
	}
	return s;
}

void segments_close(struct segments **at)
{
	struct segments *s = *at;

	if (!s)
		return;
	segments_stop(s);
	for (int i = 0; i < PACE_PLAYLISTS; i++)
		media_playlist_release(&s->playlists[i]);
	errand_release(&s->errand);
	buf_release(&s->url);
	free(s);
	*at = NULL;
}

void segments_stop(struct segments *s)
{
	errand_stop(&s->errand);
	s->on = false;
}

void segments_forget(struct segments *s)
{
	for (int i = 0; i < PACE_PLAYLISTS; i++)
		media_playlist_forget(&s->playlists[i]);
	keyring_clear(&s->keys);
	s->tried_n = -1;
	s->skip = 0;
}

bool segments_waits(const struct segments *s)
{
	return s->playlists[0].queue.count > 0;
}

bool segments_is_proven(const struct segments *s)
{
	return s->on && s->fetched > 0;
}

static void end(struct segments *s, const struct upstream_end *how)
{
	struct upstream_end copy = *how;

	if (!s->fetched && s->chosen && (!copy.status || copy.status == 404))
		s->skip++; /* another variant may work */
	segments_stop(s);
	s->feed.on_end(s->feed.to.ctx, &copy);
}

__attribute__((format(printf, 4, 5))) static void end_with(
	struct segments *s, enum fail_kind kind, bool dead, const char *fmt, ...)
{
	struct upstream_end how = {.dead = dead};
	va_list ap;

	how.why.kind = kind;
	va_start(ap, fmt);
	vsnprintf(how.why.text, sizeof(how.why.text), fmt, ap);
	va_end(ap);
	end(s, &how);
}

static void fetch(struct segments *s, enum errand_what what, struct media_playlist *m,
	const struct playlist_part *part, const char *base)
{
	struct fail f = {0};

	s->at = m;
	if (errand_start(&s->errand, what, part, base, &f) < 0)
		end_with(s, f.kind, true, "%s", f.text);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void take_list(struct segments *s, struct media_playlist *m)
{
	switch (media_playlist_follow(m)) {
	case FOLLOW_ON:
		break;
	case FOLLOW_BEGUN:
		break;
	case FOLLOW_MISSED:
		log_warn("segments_missed", LOG_STR("channel", s->id),
			LOG_STR("why", "the source's playlist has moved on too far"),
			LOG_INT("goes_on_at", m->follow.next_n));
		break;
	case FOLLOW_ANEW:
		log_warn("sequence_anew", LOG_STR("channel", s->id),
			LOG_STR("why", "the source's playlist counts anew"),
			LOG_INT("goes_on_at", m->follow.next_n));
	}
	if (s->count == 2 && s->playlists[0].has_list && s->playlists[1].has_list)
		media_playlist_align(&s->playlists[1], &s->playlists[0]);
	if (m->list->ended && !s->fetched)
		end_with(s, FAIL_UPSTREAM, true,
			"The source's playlist is of something that has ended");
}

/* The variant's list, and its sound's, are asked for next. */
static void use_master(struct segments *s, const char *base)
{
	const struct playlist *p = s->playlists[0].list;
	const struct playlist_variant *v = playlist_choose(p, s->height, s->skip);
	const struct playlist_rendition *sound = NULL;
	struct buf sound_url;
	struct fail f = {0};

	if (!v) {
		end_with(s, FAIL_UPSTREAM, true,
			"The source's playlist has no variant that can be decoded");
		return;
	}
	buf_init(&sound_url, FETCH_URL_BYTES - 1);
	sound = playlist_sound(p, v, s->languages);
	if (fetch_url_join(base, v->uri, &s->url, &f) < 0 ||
		(sound && fetch_url_join(base, sound->uri, &sound_url, &f) < 0)) {
		end_with(s, f.kind, true, "%s", f.text);
	} else {
		log_info("variant", LOG_STR("channel", s->id), LOG_INT("lines", v->height),
			LOG_INT("bandwidth", v->bandwidth), LOG_INT("sound_apart", sound != NULL));
		s->count = sound ? 2 : 1;
		for (int i = 0; i < PACE_PLAYLISTS; i++) {
			s->playlists[i].blend = sound ? &s->blend : NULL;
			s->playlists[i].kind = i == 0 ? BLEND_VIDEO : BLEND_AUDIO;
		}
		s->chosen = true;
		media_playlist_use(&s->playlists[0], buf_str(&s->url));
		if (sound)
			media_playlist_use(&s->playlists[1], buf_str(&sound_url));
	}
	buf_release(&sound_url);
}

void segments_begin(struct segments *s, const struct fetch_request *like, const char *url,
	const char *base, struct span text)
{
	struct fail f = {0};

	s->errand.like = *like;
	s->on = true;
	s->fetched = s->skipped = 0;
	s->count = 0;
	s->chosen = false;
	for (int i = 0; i < PACE_PLAYLISTS; i++)
		follow_join(&s->playlists[i].follow, clock_mono_ms());
	if (media_playlist_read(&s->playlists[0], text, &f) < 0) {
		end_with(s, f.kind, true, "%s", f.text);
		return;
	}
	if (s->playlists[0].list->is_master) {
		use_master(s, base);
		return;
	}
	s->count = 1;
	s->playlists[0].blend = NULL;
	media_playlist_use(&s->playlists[0], url);
	media_playlist_answered(&s->playlists[0], base);
	take_list(s, &s->playlists[0]);
}

static void list_done(struct segments *s)
{
	struct fail f = {0};

	if (media_playlist_read(s->at, buf_span(&s->errand.body), &f) < 0) {
		end_with(s, f.kind, true, "%s", f.text);
	} else if (s->at->list->is_master) {
		end_with(s, FAIL_UPSTREAM, true, "The source's variant is a list of variants");
	} else {
		media_playlist_answered(s->at, s->errand.answered);
		take_list(s, s->at);
	}
}

/* --- keys ------------------------------------------------------------------------------------- */

static void key_done(struct segments *s)
{
	if (!keyring_add(&s->keys, buf_str(&s->errand.url), buf_span(&s->errand.body)))
		end_with(s, FAIL_UPSTREAM, true, "The source's key is of %zu bytes, not of 16",
			s->errand.body.len);
}

/* Whether the key is there, or there is none; otherwise it is being fetched, or the connection has
 * ended. */
static bool has_key(struct segments *s, struct media_playlist *m, const struct playlist_part *part)
{
	const struct playlist_part key = {.uri = part->key.uri};
	struct fail f = {0};

	if (!part->key.on)
		return true;
	if (!part->key.known) {
		end_with(s, FAIL_UPSTREAM, true,
			"The source's segments are encrypted in a way that needs its own player");
		return false;
	}
	if (fetch_url_join(m->base, key.uri, &s->url, &f) < 0) {
		end_with(s, f.kind, true, "%s", f.text);
		return false;
	}
	if (keyring_has(&s->keys, buf_str(&s->url)))
		return true;
	fetch(s, ERRAND_KEY, m, &key, m->base);
	return false;
}

/* Takes the encryption off the body. */
static bool decrypt(struct segments *s, const struct playlist_part *part, struct fail *f)
{
	if (!part->key.on)
		return true;
	if (fetch_url_join(s->at->base, part->key.uri, &s->url, f) < 0)
		return false;
	if (keyring_open(&s->keys, buf_str(&s->url), part->key.iv, &s->errand.body))
		return true;
	keyring_clear(&s->keys); /* it may be another one by now */
	fail_set(f, FAIL_UPSTREAM, "The source's %s cannot be decrypted with its key",
		errand_name(s->errand.what));
	return false;
}

/* --- segments --------------------------------------------------------------------------------- */

/* A segment that cannot be had: once the connection is at fault, then the segment. */
static void segment_failed(struct segments *s, const struct upstream_end *how)
{
	bool again = s->wanted.n == s->tried_n;

	s->tried_n = s->wanted.n;
	if (!again || s->skipped == SKIPS) {
		end(s, how);
		return;
	}
	s->skipped++;
	log_warn("segment_skipped", LOG_STR("channel", s->id), LOG_INT("n", s->wanted.n),
		LOG_STR("why", how->why.text));
	media_playlist_skip(s->at);
	s->tried_n = s->at->follow.next_n; /* it gets one attempt */
}

/* Makes media of what has come. */
static int use_body(struct segments *s, const struct playlist_part *part, struct fail *f)
{
	if (!errand_cut(&s->errand, part))
		return fail_set(f, FAIL_UPSTREAM,
			"The source sends another part of a file than it was asked for");
	if (!decrypt(s, part, f))
		return -1;
	if (s->errand.what == ERRAND_MAP)
		return media_playlist_map(s->at, part, buf_span(&s->errand.body), f);
	return media_playlist_add(s->at, &s->wanted, &s->errand.body, f);
}

static void media_done(struct segments *s)
{
	bool is_map = s->errand.what == ERRAND_MAP;
	struct upstream_end how = {0};

	if (use_body(s, is_map ? &s->wanted.map : &s->wanted.part, &how.why) < 0) {
		segment_failed(s, &how);
	} else if (!is_map) {
		s->fetched++;
		s->skipped = 0;
		s->skip = 0;
		s->tried_n = -1;
	}
}

static void errand_failed(struct segments *s, const struct upstream_end *how)
{
	enum errand_what what = s->errand.what;

	if (what == ERRAND_LIST && how->status && media_playlist_ask_first(s->at))
		return; /* the address that it had led to is gone, which says little */
	if (what == ERRAND_SEGMENT || what == ERRAND_MAP)
		segment_failed(s, how);
	else
		end(s, how);
}

static void on_done(void *ctx, const struct upstream_end *how)
{
	struct segments *s = ctx;

	if (how->why.kind)
		errand_failed(s, how);
	else if (s->errand.what == ERRAND_LIST)
		list_done(s);
	else if (s->errand.what == ERRAND_KEY)
		key_done(s);
	else
		media_done(s);
}

/* --- what is next ----------------------------------------------------------------------------- */

/* True: something is being fetched now, or the connection has ended. */
static bool fetch_list(struct segments *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		struct media_playlist *m = &s->playlists[i];
		if (m->has_list && follow_wait_ms(&m->follow, now_ms) > 0)
			continue;
		follow_asked(&m->follow, now_ms);
		fetch(s, ERRAND_LIST, m, NULL, media_playlist_address(m));
		return true;
	}
	return false;
}

static bool fetch_segment(struct segments *s, struct media_playlist *m)
{
	const struct playlist_segment *next;

	if (!m->has_list || !reservoir_has_room(&m->queue))
		return false;
	next = media_playlist_next(m);
	if (!next && m->list->ended) {
		end_with(s, FAIL_UPSTREAM, true, "The source's playlist says that it has ended");
		return true;
	}
	if (!next)
		return false;
	s->wanted = *next;
	if (!has_key(s, m, &next->part))
		return true;
	if (next->map.uri.len && !media_playlist_has_map(m, &next->map)) {
		if (has_key(s, m, &next->map))
			fetch(s, ERRAND_MAP, m, &next->map, m->base);
	} else {
		fetch(s, ERRAND_SEGMENT, m, &next->part, m->base);
	}
	return true;
}

/* Whose queue is the shortest comes first, and the sound before the picture, whose tables name
 * both. */
static void fetch_next(struct segments *s, int64_t now_ms)
{
	size_t first = s->count == 2 && reservoir_left_us(&s->playlists[1].queue) <=
						reservoir_left_us(&s->playlists[0].queue);

	for (size_t i = 0; i < s->count; i++) {
		struct media_playlist *m = &s->playlists[i];
		if (m->has_list && follow_is_frozen(&m->follow, now_ms)) {
			end_with(s, FAIL_TIMEOUT, true,
				"The source's playlist has listed nothing new for %lld s",
				(long long)(now_ms - m->follow.news_ms) / 1000);
			return;
		}
	}
	if (fetch_list(s, now_ms))
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (fetch_segment(s, &s->playlists[i ^ first]))
			return;
	}
}

/* --- giving ----------------------------------------------------------------------------------- */

void segments_flush(struct segments *s)
{
	pace_flush(s->playlists, &s->feed.to);
}

int segments_step(struct segments *s, int most_ms)
{
	int64_t now_ms = clock_mono_ms(), wait_ms = most_ms;

	if (!pace_give(&s->pace, s->playlists, s->count, &s->feed.to) && s->on)
		end_with(s, FAIL_GONE, false, "not wanted any more");
	if (s->on && !s->errand.transfer)
		fetch_next(s, now_ms);
	for (size_t i = 0; s->on && !s->errand.transfer && i < s->count; i++) {
		int64_t list_ms = follow_wait_ms(&s->playlists[i].follow, now_ms);
		wait_ms = list_ms < wait_ms ? list_ms : wait_ms;
	}
	if (pace_waits(s->playlists, s->count) && wait_ms > PACE_MS)
		wait_ms = PACE_MS;
	return (int)wait_ms;
}
