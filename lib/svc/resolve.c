/* lib/svc/resolve.c - what a program finds out about an id or a page, asked once and kept.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/resolve.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/http/expiry.h"
#include "lib/io/board.h"
#include "lib/io/capture.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/guard.h"
#include "lib/io/lease.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/memo.h"
#include "lib/svc/page.h"
#include "lib/svc/program.h"
#include "lib/svc/setback.h"

enum {
	OUTPUT_MAX = 16 << 20,
	ARENA_MAX = 1 << 20,
	CONF_DIGITS = 8, /* of the program's words: another program, another answer */
	PAUSE_NS = 50000000
};

static const char family[] = "url";

bool resolve_by_quality(const struct conf_source *source)
{
	for (size_t i = 0; i < source->command_count; i++) {
		if (strstr(source->command[i], "{quality}"))
			return true;
	}
	return false;
}

void resolve_name(const struct resolve *what, char to[RESOLVE_NAME_MAX])
{
	const struct conf_source *s = what->source;
	unsigned char digest[SIGN_SIZE];
	char hex[CONF_DIGITS + 1];
	struct buf words;

	buf_init(&words, 65536);
	buf_puts(&words, s->url);
	for (size_t i = 0; i < s->command_count; i++)
		buf_printf(&words, "\n%s", s->command[i]);
	sign_sha256(buf_span(&words), digest);
	buf_release(&words);
	num_print_hex(digest, CONF_DIGITS / 2, hex);
	snprintf(to, RESOLVE_NAME_MAX, "%s %s %s %s %s %s", s->name, what->page ? "page" : "own",
		what->key, what->quality, s->egress, hex);
}

int64_t resolve_ends_ms(const struct conf *conf, const struct offer *o)
{
	return expiry_with_margin(o->made_ms, offer_ends_ms(o), conf->url_ttl_s * 1000);
}

static bool look_here(
	const struct conf *conf, const char *name, struct arena *arena, struct offer *out)
{
	struct buf text;
	bool found;

	buf_init(&text, MEMO_VALUE_MAX);
	found = memo_get(conf, NULL, family, name, &text, NULL) &&
		offer_read(buf_span(&text), NULL, arena, out, NULL) == 0;
	buf_release(&text);
	return found;
}

static bool look_at_others(struct mc *mc, const char *name, struct arena *arena, struct offer *out)
{
	struct buf text;
	bool found;

	buf_init(&text, MEMO_VALUE_MAX);
	found = memo_get_shared(mc, family, name, &text, NULL) &&
		offer_read(buf_span(&text), NULL, arena, out, NULL) == 0;
	buf_release(&text);
	return found;
}

void resolve_forget(const struct conf *conf, struct mc *mc, const char *name, int64_t made_ms)
{
	struct offer *o = malloc(sizeof(*o));
	struct arena arena;

	arena_init(&arena, ARENA_MAX);
	if (!o || (look_here(conf, name, &arena, o) && o->made_ms == made_ms))
		memo_drop(conf, NULL, family, name);
	arena_reset(&arena);
	if (!o || (look_at_others(mc, name, &arena, o) && o->made_ms == made_ms))
		memo_drop_shared(mc, family, name);
	arena_release(&arena);
	free(o);
}

/* Its addresses have not ended, and what is said of a title may be believed. */
static bool is_fresh(const struct conf *conf, const struct offer *o)
{
	int64_t now_ms = clock_real_ms();

	return resolve_ends_ms(conf, o) > now_ms && now_ms - o->made_ms < RESOLVE_INFO_MS;
}

/* The others are asked where this host has nothing fresh: one of them may have asked since. */
bool resolve_look(const struct conf *conf, struct mc *mc, const struct resolve *what,
	struct arena *arena, struct offer *out)
{
	char name[RESOLVE_NAME_MAX];
	int64_t made_ms = 0;

	resolve_name(what, name);
	if (look_here(conf, name, arena, out)) {
		if (!mc || is_fresh(conf, out))
			return true;
		made_ms = out->made_ms;
	}
	if (look_at_others(mc, name, arena, out) && out->made_ms >= made_ms)
		return true;
	return made_ms && look_here(conf, name, arena, out);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct asking {
	const struct conf *conf;
	struct mc *mc;
	const struct resolve *what;
	struct arena arena;
	struct offer *offer;
};

/* What an address is that does not say it: what the program was told to find, or what the source
 * has. Nobody knows how high "source" is. */
static struct offer_usual usual_of(const struct resolve *what)
{
	const int small = 360, best = 2160;
	struct offer_usual usual = {strcmp(what->source->media, "video") == 0, small, 0};
	const struct wish_step *step = *what->quality ? wish_step(what->quality) : NULL;

	if (!step)
		return usual;
	usual.video = step->height > 0;
	usual.height = step->height > best ? best : step->height > 0 ? step->height : small;
	usual.kbps = step->height || step->kbps == INT64_MAX ? 0 : step->kbps;
	return usual;
}

static int run_program(struct asking *a, struct fail *f)
{
	const struct offer_usual usual = usual_of(a->what);
	struct buf out, subject;
	const struct fetch_policy policy = {a->what->source->allow, a->what->source->allow_count};
	struct guard guard = {.url = ""};
	struct capture c = {.wait_ms = a->conf->resolve_timeout_s * 1000,
		.memory_bytes = a->conf->resolve_memory,
		.out = &out};
	int result = -1;

	buf_init(&out, OUTPUT_MAX);
	buf_init(&subject, OFFER_URL_MAX);
	if (program_subject(a->conf, a->mc, a->what, &subject, f) == 0)
		c.argv = program_words(a->conf, a->what, buf_str(&subject), &a->arena, f);
	if (c.argv && guard_start(&guard, &policy, a->what->source->egress, f) == 0) {
		c.proxy = guard.url;
		c.spare = guard.child.pid;
		if (capture_run(&c, f) == 0)
			result = offer_read(buf_span(&out), &usual, &a->arena, a->offer, f);
		guard_stop(&guard);
	}
	buf_release(&subject);
	buf_release(&out);
	return result;
}

static int keep(struct asking *a, struct fail *f)
{
	int64_t now_ms = clock_real_ms(), ends_ms;
	char name[RESOLVE_NAME_MAX];
	struct buf text;
	bool kept;

	a->offer->made_ms = now_ms;
	offer_drop_ended(a->offer, now_ms);
	ends_ms = resolve_ends_ms(a->conf, a->offer);
	if (a->offer->count == 0 || ends_ms <= now_ms)
		return fail_set(f, FAIL_UPSTREAM, "The resolver names addresses that have ended");
	resolve_name(a->what, name);
	buf_init(&text, MEMO_VALUE_MAX);
	offer_print(a->offer, &text);
	if (ends_ms < now_ms + RESOLVE_INFO_MS)
		ends_ms = now_ms + RESOLVE_INFO_MS;
	kept = !text.failed && memo_put(a->conf, a->mc, family, name, buf_span(&text), ends_ms);
	buf_release(&text);
	if (!kept)
		return fail_set(f, FAIL_BUSY, "What was resolved cannot be kept");
	return 0;
}

static void ask(struct asking *a, struct board *board)
{
	int64_t began_ms = clock_mono_ms();
	struct row *row = board ? board_row(board, ROW_SOURCE, a->what->source->name) : NULL;
	char name[RESOLVE_NAME_MAX];
	struct fail f = {0};

	row_add(row, SOURCE_REQUESTS, 1);
	resolve_name(a->what, name);
	if (run_program(a, &f) == 0 && keep(a, &f) == 0) {
		setback_clear(a->conf, a->mc, name);
	} else {
		row_add(row, SOURCE_FAILURES + (int)f.kind, 1);
		setback_add(a->conf, a->mc, name, &f);
	}
	log_info("resolved", LOG_STR("source", a->what->source->name), LOG_STR("id", a->what->key),
		LOG_STR("said", f.kind ? f.text : "ok"), LOG_INT("formats", a->offer->count),
		LOG_INT("ms", clock_mono_ms() - began_ms));
}

/* Whether there is an answer already: good addresses that are no older than what is said of a title
 * may be, or a failure of a moment ago. */
static bool is_answered(struct asking *a)
{
	char name[RESOLVE_NAME_MAX];
	struct fail why;
	int64_t retry_s;
	bool good;

	resolve_name(a->what, name);
	if (setback_holds(a->conf, a->mc, name, &why, &retry_s))
		return true;
	good = resolve_look(a->conf, a->mc, a->what, &a->arena, a->offer) &&
	       is_fresh(a->conf, a->offer);
	arena_reset(&a->arena);
	return good;
}

/* Another host asks just now: its answer will do. */
static bool wait_for_other(struct asking *a)
{
	int64_t until_ms = clock_mono_ms() + a->conf->resolve_timeout_s * 1000;
	struct timespec pause = {0, PAUSE_NS};

	while (clock_mono_ms() < until_ms) {
		if (is_answered(a))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static int run_alone(struct asking *a, struct board *board)
{
	char dir[PATH_MAX], name[RESOLVE_NAME_MAX + 8], hex[2 * SIGN_SIZE + 1];
	struct lease_env env = {dir, a->mc, a->conf->host_name, board};
	unsigned char digest[SIGN_SIZE];
	struct lease *lease = NULL;
	struct fail f = {0};

	file_path(dir, sizeof(dir), "%s/lease", a->conf->run_dir);
	resolve_name(a->what, name);
	sign_sha256(span_of(name), digest);
	num_print_hex(digest, SIGN_SIZE, hex);
	file_path(name, sizeof(name), "url:%s", hex);
	if (lease_take(&env, name, "", &lease, NULL, &f) == LEASE_TAKEN && wait_for_other(a))
		return 0;
	if (!is_answered(a))
		ask(a, board);
	lease_drop(&lease);
	return 0;
}

int resolve_run(const struct conf *conf, struct board *board, const struct resolve *what)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct asking a = {.conf = conf, .what = what};
	struct fail f = {0};
	int result;

	a.offer = calloc(1, sizeof(*a.offer));
	if (!a.offer)
		return 1;
	arena_init(&a.arena, ARENA_MAX);
	mc_open(&a.mc, &config, &f); /* without it this host asks for itself */
	mc_report(a.mc, board);
	result = run_alone(&a, board);
	mc_close(&a.mc);
	arena_release(&a.arena);
	free(a.offer);
	return result;
}
