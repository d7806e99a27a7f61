/* lib/svc/resolved.c - from an id and a quality to the address where its bytes are now.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/resolved.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/http/expiry.h"
#include "lib/http/wish.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/jobs.h"
#include "lib/svc/offer.h"
#include "lib/svc/page.h"
#include "lib/svc/resolve.h"
#include "lib/svc/setback.h"
#include "lib/svc/source.h"
#include "lib/svc/source_http.h"
#include "lib/svc/title.h"
#include "lib/svc/wanted.h"

enum {
	PAUSE_NS = 20000000, /* between two looks while waiting */
	SHARED_EVERY = 10,   /* looks, one of them into memcached, too */
	TELL_MS = 500,	     /* between two times that the jobs process is told */
	OFFER_ARENA_MAX = 1 << 20,
	PROGRAM_STEPS = 3, /* qualities that a program is told, one after the other */
	VIDEO_KEEP_S = 300,
	SOUND_KEEP_S = 4 * 3600,
	FILM_KEEP_S = 30 * 86400
};

/* Source, "page-" or nothing, key, what tells the forms of one from each other. */
#define OBJECT_FORMAT "own:%s:%s%s:%s"

/* One question, and where its answer goes. */
struct finding {
	const struct resolved_at *at;
	const struct resolved_ask *ask;
	struct wanted wanted;
	struct wish wish;	     /* of a program that is told a quality: from that on */
	char memo[RESOLVE_NAME_MAX]; /* where a program's answer is kept */
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
		.codecs = "",
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

/* --- titles of the catalogue ------------------------------------------------------------------ */

static enum resolved_result find_at_gateway(
	struct finding *x, const struct title *t, struct buf *url)
{
	const struct conf_account *account = &t->source->accounts[0];

	if (!source_is_list(t->source))
		x->out->account = account;
	return title_url(t, account, url, x->f) < 0 ? RESOLVED_FAILED : found(x, url);
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
	x->out->video = !film_is_sound(&t->film);
	x->out->keep_s = FILM_KEEP_S;
	if (t->where == TITLE_HTTP)
		return find_at_gateway(x, t, url);
	x->out->where = RESOLVED_FILE;
	buf_puts(url, t->film.url);
	return found(x, url);
}

/* --- addresses made from a template ----------------------------------------------------------- */

/* The wished quality, or the next one down that has not failed a moment ago. */
static const struct wish_step *choose_step(struct finding *x)
{
	const struct wanted *w = &x->wanted;
	size_t count = source_http_has_qualities(w->source) ? x->wish.count : 1;
	struct fail why;
	int64_t retry_s;

	for (size_t i = 0; i < count; i++) {
		const struct wish_step *step = &x->wish.steps[i];
		char *object = arena_printf(x->arena, OBJECT_FORMAT, w->source->name, "", w->key,
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
	x->out->has_others = source_http_has_qualities(x->wanted.source);
	x->out->keep_s = x->out->video ? VIDEO_KEEP_S : SOUND_KEEP_S;
	if (source_http_fill(x->wanted.source, x->wanted.key, step->word, url, x->f) < 0)
		return RESOLVED_FAILED;
	return found(x, url);
}

/* --- what a program finds --------------------------------------------------------------------- */

/* Whether the program can be told a lower quality. */
static bool has_lower(const struct finding *x)
{
	return resolve_by_quality(x->wanted.source) && x->wish.count > 1;
}

static bool refuses(void *ctx, const struct offer_format *format)
{
	struct finding *x = ctx;
	const struct wanted *w = &x->wanted;
	char *object = arena_printf(x->arena, OBJECT_FORMAT, w->source->name,
		w->kind == WANTED_PAGE ? "page-" : "", w->key, format->id);
	struct fail why;
	int64_t retry_s;

	if (!object || !setback_holds(x->at->conf, x->at->mc, object, &why, &retry_s))
		return false;
	*x->f = why;
	*x->retry_s = retry_s;
	return true;
}

/* Out of the offer's arena into the caller's. */
static enum resolved_result give(
	struct finding *x, const struct offer *o, const struct offer_format *n)
{
	const struct wanted *w = &x->wanted;
	struct resolved *r = x->out;

	r->url = arena_copy(x->arena, span_of(n->url));
	if (*n->agent)
		r->agent = arena_copy(x->arena, span_of(n->agent));
	if (*n->referrer)
		r->referrer = arena_copy(x->arena, span_of(n->referrer));
	r->format = arena_copy(x->arena, span_of(n->ext));
	r->codecs = arena_copy(x->arena, span_of(n->codecs));
	r->title = arena_copy(x->arena, span_of(o->title));
	r->object = arena_printf(x->arena, OBJECT_FORMAT, w->source->name,
		w->kind == WANTED_PAGE ? "page-" : "", w->key, n->id);
	r->quality = offer_quality(n);
	r->type = offer_type(n);
	r->video = n->kind != OFFER_SOUND;
	r->has_others = o->count > 1 || has_lower(x);
	r->kbps = n->kbps;
	r->height = n->height;
	r->width = n->width;
	r->bytes = n->bytes;
	r->duration_s = o->duration_s;
	r->keep_s = r->video ? VIDEO_KEEP_S : SOUND_KEEP_S;
	r->resolved_ms = o->made_ms;
	r->expires_ms = resolve_ends_ms(x->at->conf, o);
	r->program = arena_printf(x->arena, "%s", x->memo);
	if (x->arena->full)
		return failed(x, FAIL_BUSY, "There is no memory for an address");
	return RESOLVED_FOUND;
}

/* Nothing in it suits. */
static enum resolved_result refuse_all(struct finding *x, const struct offer *o)
{
	const char *ext = NULL;

	if (!x->ask->format || strcmp(x->ask->format, RESOLVED_PICTURE) != 0)
		return failed(x, FAIL_UPSTREAM,
			"The source offers only pictures without sound, which cannot be sent as "
			"one");
	for (size_t i = 0; i < o->count; i++) {
		if (o->formats[i].kind == OFFER_PICTURE)
			ext = o->formats[i].ext;
	}
	if (!ext)
		return failed(x, FAIL_MISSING, "This has no picture apart from its sound");
	fail_set(x->f, FAIL_UPSTREAM,
		"The source's picture is apart from its sound and in no MP4 (%s), so that HLS "
		"cannot join them",
		*ext ? ext : "it does not say in what");
	return RESOLVED_FAILED;
}

static enum resolved_result choose(struct finding *x, const struct offer *o)
{
	const struct offer_choice choice = {&x->wish, x->ask->format, refuses, x};
	const struct offer_format *n = offer_choose(o, &choice);

	if (n)
		return give(x, o, n);
	return x->f->kind ? RESOLVED_FAILED : refuse_all(x, o);
}

static struct resolve question(const struct finding *x)
{
	const struct wanted *w = &x->wanted;

	return (struct resolve){.source = w->source,
		.page = w->kind == WANTED_PAGE,
		.key = w->key,
		.quality = resolve_by_quality(w->source) ? x->wish.steps[0].word : ""};
}

/* Whether somebody has named it, who may. */
static bool is_page(struct finding *x)
{
	struct buf url;
	bool known;

	buf_init(&url, PAGE_URL_MAX);
	known = page_find(x->at->conf, x->at->mc, x->wanted.key, &url, x->f) == 0;
	buf_release(&url);
	return known;
}

static enum resolved_result look_up(struct finding *x, struct offer *o, struct arena *arena)
{
	const struct resolved_at *at = x->at;
	struct resolve what = question(x);

	resolve_name(&what, x->memo);
	x->f->kind = FAIL_NONE;
	if (resolve_look(at->conf, at->mc, &what, arena, o) &&
		resolve_ends_ms(at->conf, o) > clock_real_ms())
		return choose(x, o);
	if (setback_holds(at->conf, at->mc, x->memo, x->f, x->retry_s))
		return RESOLVED_FAILED;
	if (what.page && !is_page(x))
		return RESOLVED_FAILED;
	*x->retry_s = 1;
	fail_set(x->f, FAIL_BUSY, "The source is being asked; try again in a moment");
	return RESOLVED_WAIT;
}

/* What fails for one quality that the program is told may be had in the next one down. Why the
 * first was not given is what is said in the end. */
static enum resolved_result look_down(struct finding *x, struct offer *o, struct arena *arena)
{
	enum resolved_result result = look_up(x, o, arena);
	struct fail first = *x->f;
	int64_t first_retry_s = *x->retry_s;

	for (int step = 1; step < PROGRAM_STEPS && result == RESOLVED_FAILED && has_lower(x) &&
			   x->f->kind == FAIL_UPSTREAM;
		step++) {
		x->wish.steps++;
		x->wish.count--;
		arena_reset(arena);
		result = look_up(x, o, arena);
	}
	if (result == RESOLVED_FAILED) {
		*x->f = first;
		*x->retry_s = first_retry_s;
	}
	return result;
}

static enum resolved_result find_by_program(struct finding *x)
{
	struct offer *o = malloc(sizeof(*o));
	enum resolved_result result;
	struct arena arena;

	begin(x, x->wanted.source);
	if (!o)
		return failed(x, FAIL_BUSY, "There is no memory for an address");
	arena_init(&arena, OFFER_ARENA_MAX);
	result = look_down(x, o, &arena);
	arena_release(&arena);
	free(o);
	return result;
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool is_format(const char *word)
{
	static const char *const words[] = {
		"", "auto", "mp3", "aac", "opus", "flac", RESOLVED_PICTURE};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!word || strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static bool is_program(const struct finding *x)
{
	return strcmp(x->wanted.source->type, "command") == 0;
}

static enum resolved_result find(struct finding *x)
{
	enum resolved_result result;
	struct buf url;

	*x->retry_s = 0;
	if (!is_format(x->ask->format))
		return failed(x, FAIL_INPUT, "Unknown format: mp3, aac, opus, flac or auto");
	if (wanted_parse(x->at->conf, x->ask->id, &x->wanted, x->f) < 0)
		return RESOLVED_FAILED;
	if (x->wanted.kind != WANTED_TITLE)
		x->wish = wish_of(x);
	if (x->wanted.kind != WANTED_TITLE && is_program(x))
		return find_by_program(x);
	buf_init(&url, FETCH_URL_BYTES - 1);
	result = x->wanted.kind == WANTED_TITLE ? find_title(x, &url) : find_by_template(x, &url);
	buf_release(&url);
	return result;
}

static bool tell(const struct finding *x)
{
	const struct resolve what = question(x);
	char line[JOBS_LINE_MAX];

	jobs_resolve_line(&what, line);
	return jobs_tell(x->at->conf, x->at->client, line);
}

enum resolved_result resolved_find(const struct resolved_at *at, const struct resolved_ask *ask,
	struct arena *arena, struct resolved *out, int64_t *retry_s, struct fail *f)
{
	struct finding x = {
		.at = at, .ask = ask, .arena = arena, .out = out, .retry_s = retry_s, .f = f};
	enum resolved_result result = find(&x);

	if (result == RESOLVED_WAIT)
		tell(&x);
	return result;
}

enum resolved_result resolved_await(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct resolved *out, int64_t *retry_s,
	struct fail *f)
{
	struct resolved_at here = *at;
	struct finding x = {
		.at = &here, .ask = ask, .arena = arena, .out = out, .retry_s = retry_s, .f = f};
	int64_t now_ms = clock_mono_ms(), until_ms = now_ms + wait_ms, told_ms = 0;
	struct timespec pause = {0, PAUSE_NS};
	enum resolved_result result;

	for (int look = 0;; look++) {
		here.mc = look % SHARED_EVERY == 0 ? at->mc : NULL;
		result = find(&x);
		now_ms = clock_mono_ms();
		if (result != RESOLVED_WAIT || now_ms >= until_ms)
			return result;
		if ((!told_ms || now_ms - told_ms >= TELL_MS) && tell(&x))
			told_ms = now_ms;
		nanosleep(&pause, NULL);
	}
}

/* An address that has ended is asked for again, unless it is quite new. True when it will be. */
static bool ask_again(const struct resolved_at *at, const struct resolved *r)
{
	if (!r->program || clock_real_ms() - r->resolved_ms < RESOLVE_YOUNG_MS)
		return false;
	resolve_forget(at->conf, at->mc, r->program, r->resolved_ms);
	return true;
}

void resolved_drop(
	const struct resolved_at *at, const struct resolved *r, int status, const struct fail *why)
{
	struct fail usual = {0};

	if ((status == 401 || status == 403 || status == 410) && ask_again(at, r))
		return;
	if (status)
		fail_set(&usual, FAIL_UPSTREAM, "The source refuses this (status %d)", status);
	else
		fail_set(&usual, FAIL_UPSTREAM, "The source sends nothing that can be used");
	setback_add(at->conf, at->mc, r->object, why ? why : &usual);
}
