/* lib/svc/resolved.c - from an id and a quality to the address where its bytes are now.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/resolved.h"

#include <string.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/http/expiry.h"
#include "lib/http/wish.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/setback.h"
#include "lib/svc/source.h"
#include "lib/svc/source_http.h"
#include "lib/svc/title.h"
#include "lib/svc/wanted.h"

enum {
	PAUSE_NS = 20000000, /* between two looks while waiting */
	VIDEO_KEEP_S = 300,
	SOUND_KEEP_S = 4 * 3600,
	FILM_KEEP_S = 30 * 86400
};

/* One question, and where its answer goes. */
struct finding {
	const struct resolved_at *at;
	const struct resolved_ask *ask;
	struct wanted wanted;
	struct wish wish;
	struct arena *arena;
	struct resolved *out;
	int64_t *retry_s;
	struct fail *f;
};

static bool is_sound_source(const struct conf_source *s)
{
	return strcmp(s->media, "audio") == 0;
}

static struct wish wish_of(const struct finding *x)
{
	const struct conf *conf = x->at->conf;
	const struct wish_usual usual = {!is_sound_source(x->wanted.source), conf->default_quality,
		conf->default_audio_quality, conf->max_quality};

	return wish_for(&x->ask->quality, &usual, x->ask->hinted_kbps);
}

/* What is known without looking further. */
static void begin(struct finding *x, const struct conf_source *source)
{
	*x->out = (struct resolved){.where = RESOLVED_HTTP,
		.source = source,
		.agent = source->user_agent,
		.referrer = source->referrer,
		.url = "",
		.object = "",
		.quality = "source",
		.format = "",
		.type = "",
		.title = "",
		.resolved_ms = clock_real_ms()};
	*x->retry_s = 0;
}

static enum resolved_result failed(struct finding *x, enum fail_kind kind, const char *text)
{
	fail_set(x->f, kind, "%s", text);
	return RESOLVED_FAILED;
}

/* Keeps `url` in the arena, as what was found. */
static enum resolved_result found(struct finding *x, const struct buf *url)
{
	struct resolved *r = x->out;

	r->url = arena_copy(x->arena, buf_span(url));
	if (!r->url || !r->object)
		return failed(x, FAIL_BUSY, "There is no memory for an address");
	r->expires_ms = expiry_with_margin(
		r->resolved_ms, expiry_of_url(buf_span(url)), x->at->conf->url_ttl_s * 1000);
	return RESOLVED_FOUND;
}

/* --- titles of the catalogue --------------------------------------------------------------------
 */

static enum resolved_result find_at_gateway(
	struct finding *x, const struct title *t, struct buf *url)
{
	const struct conf_account *account = &t->source->accounts[0];

	if (source_is_list(t->source)) {
		buf_puts(url, t->film.url);
	} else {
		x->out->account = account;
		if (source_film_url(
			    t->source, account, t->film.ident.key, t->film.suffix, url, x->f) < 0)
			return RESOLVED_FAILED;
	}
	return found(x, url);
}

static enum resolved_result find_title(struct finding *x, struct buf *url)
{
	struct title *t = arena_alloc(x->arena, sizeof(*t));

	if (!t)
		return failed(x, FAIL_BUSY, "There is no memory for a title");
	if (title_find(t, x->at->conf, x->at->catalog, &x->wanted.ident, x->f) < 0)
		return RESOLVED_FAILED;
	begin(x, t->source);
	x->out->object = arena_printf(x->arena, "title:%s", t->film.id);
	x->out->format = t->film.suffix;
	x->out->title = t->film.name;
	x->out->video = true;
	x->out->keep_s = FILM_KEEP_S;
	if (t->where == TITLE_HTTP)
		return find_at_gateway(x, t, url);
	x->out->where = RESOLVED_FILE;
	buf_puts(url, t->film.url);
	return found(x, url);
}

/* --- addresses made from a template -------------------------------------------------------------
 */

/* The wished quality, or the next one down that has not failed a moment ago. */
static const struct wish_step *choose_step(struct finding *x)
{
	const struct wanted *w = &x->wanted;
	size_t count = source_http_has_qualities(w->source) ? x->wish.count : 1;
	struct fail why;
	int64_t retry_s;

	for (size_t i = 0; i < count; i++) {
		const struct wish_step *step = &x->wish.steps[i];
		char *object = arena_printf(x->arena, "own:%s:%s:%s", w->source->name, w->key,
			count > 1 ? step->word : "");

		x->out->object = object;
		if (object && !setback_holds(x->at->conf, x->at->mc, object, &why, &retry_s))
			return step;
		if (i == 0) {
			*x->f = why;
			*x->retry_s = retry_s;
		}
	}
	return NULL;
}

static enum resolved_result find_by_template(struct finding *x, struct buf *url)
{
	const struct wish_step *step;

	begin(x, x->wanted.source);
	step = choose_step(x);
	if (!step)
		return RESOLVED_FAILED;
	x->out->quality = step->word;
	x->out->video = step->height > 0;
	x->out->keep_s = x->out->video ? VIDEO_KEEP_S : SOUND_KEEP_S;
	if (source_http_fill(x->wanted.source, x->wanted.key, step->word, url, x->f) < 0)
		return RESOLVED_FAILED;
	return found(x, url);
}

/* --- asking -------------------------------------------------------------------------------------
 */

static bool is_format(const char *word)
{
	static const char *const words[] = {"", "auto", "mp3", "aac", "opus", "flac"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!word || strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

enum resolved_result resolved_find(const struct resolved_at *at, const struct resolved_ask *ask,
	struct arena *arena, struct resolved *out, int64_t *retry_s, struct fail *f)
{
	struct finding x = {
		.at = at, .ask = ask, .arena = arena, .out = out, .retry_s = retry_s, .f = f};
	enum resolved_result result;
	struct buf url;

	*retry_s = 0;
	if (!is_format(ask->format))
		return failed(&x, FAIL_INPUT, "Unknown format: mp3, aac, opus, flac or auto");
	if (wanted_parse(at->conf, ask->id, &x.wanted, f) < 0)
		return RESOLVED_FAILED;
	buf_init(&url, FETCH_URL_BYTES - 1);
	if (x.wanted.kind == WANTED_TITLE) {
		result = find_title(&x, &url);
	} else {
		x.wish = wish_of(&x);
		result = find_by_template(&x, &url);
	}
	buf_release(&url);
	return result;
}

enum resolved_result resolved_await(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct resolved *out, int64_t *retry_s,
	struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct timespec pause = {0, PAUSE_NS};
	enum resolved_result result;

	while ((result = resolved_find(at, ask, arena, out, retry_s, f)) == RESOLVED_WAIT &&
		clock_mono_ms() < until_ms)
		nanosleep(&pause, NULL);
	return result;
}

void resolved_drop(
	const struct resolved_at *at, const struct resolved *r, int status, const struct fail *why)
{
	struct fail usual = {0};

	if (status)
		fail_set(&usual, FAIL_UPSTREAM, "The source refuses this (status %d)", status);
	else
		fail_set(&usual, FAIL_UPSTREAM, "The source sends nothing that can be used");
	setback_add(at->conf, at->mc, r->object, why ? why : &usual);
}
