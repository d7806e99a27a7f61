/* fcgi-app/processes/filler/fill_object.c - one object that the filler gets.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/filler/fill_object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-app/processes/filler/fill_pull.h"
#include "fcgi-app/processes/filler/fill_slot.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/http/mime.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/objects.h"

enum {
	ARENA_BYTES = 65536,
	LOOK_MS = 20,	  /* between two looks whether it is resolved */
	LIFE_S = 300,	  /* of what says nothing about it */
	FAILED_MS = 2000, /* what has just failed is not tried again */
	REFUSALS = 3
};

/* --- readers ---------------------------------------------------------------------------------- */

static void tell(struct fill_reader *r, const struct fail *why, int64_t retry_s)
{
	const struct fill_object *o = r->object;
	struct fill_news news = {
		.what = FILL_NEWS, .passed = o->passed, .joined = r->joined, .info = o->info};

	if (why) {
		news.kind = (uint32_t)why->kind;
		news.retry_s = (uint32_t)retry_s;
		span_copy(span_of(why->text), news.text, sizeof(news.text));
	}
	r->told = send(r->fd, &news, sizeof(news), MSG_NOSIGNAL | MSG_DONTWAIT) ==
		  (ssize_t)sizeof(news);
}

void fill_object_join(struct fill_object *o, struct fill_reader *r)
{
	r->object = o;
	r->next = o->readers;
	r->told = false;
	r->joined = o->readers || o->pulls;
	o->readers = r;
}

void fill_object_leave(struct fill_reader *r)
{
	struct fill_reader **at;

	if (!r->object)
		return;
	if (r->pull)
		fill_pull_stop(r->pull);
	for (at = &r->object->readers; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	r->object = NULL;
}

/* --- its life --------------------------------------------------------------------------------- */

struct fill_object *fill_object_get(struct fill_env *env, const struct object_ask *ask)
{
	struct fill_object *o;
	char name[OBJECT_NAME_BYTES];

	object_name(ask, name);
	for (o = env->objects; o; o = o->next) {
		if (strcmp(o->name, name) == 0)
			return o;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->env = env;
	o->ask = *ask;
	o->fd = -1;
	memcpy(o->name, name, sizeof(name));
	arena_init(&o->arena, ARENA_BYTES);
	o->next = env->objects;
	env->objects = o;
	return o;
}

static void close_file(struct fill_object *o)
{
	block_map_close(&o->map);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	o->known = o->passed = o->no_parts = false;
	o->missing = 0;
	for (struct fill_reader *r = o->readers; r; r = r->next)
		r->told = false;
}

static void forget_file(struct fill_object *o)
{
	while (o->pulls)
		fill_pull_stop(o->pulls);
	close_file(o);
}

void fill_object_free(struct fill_object *o)
{
	struct fill_object **at;

	forget_file(o);
	fill_slot_drop(o);
	for (at = &o->env->objects; *at != o; at = &(*at)->next)
		;
	*at = o->next;
	arena_release(&o->arena);
	free(o);
}

void fill_object_fail(struct fill_object *o, const struct fail *why, int64_t retry_s)
{
	struct fail copy = *why;

	log_warn("object_failed", LOG_STR("id", o->ask.id), LOG_STR("kind", fail_name(why->kind)),
		LOG_STR("why", why->text));
	o->why = copy;
	o->retry_s = retry_s;
	o->failed_ms = clock_mono_ms() + FAILED_MS;
	o->tries = o->refusals = 0;
	o->is_resolved = false;
	while (o->pulls)
		fill_pull_stop(o->pulls);
	for (struct fill_reader *r = o->readers; r; r = r->next) {
		tell(r, &copy, retry_s);
		if (o->map && r->first >= 0 && r->first / BLOCK_BYTES < block_map_count(o->map))
			block_map_wake(o->map, r->first / BLOCK_BYTES);
	}
}

/* --- what it is ------------------------------------------------------------------------------- */

/* Another object that turns out to be the same bytes has been here before. */
static bool use_map(struct fill_object *o, const char *name)
{
	char path[PATH_MAX];

	if (!object_open(o->env->conf, name, o->env->boot, &o->map))
		return false;
	o->info = *block_map_info(o->map);
	if (o->info.passed && o->info.size <= o->env->conf->stream_quota / 4) {
		o->before = o->info; /* there may be room now */
		close_file(o);
		return false;
	}
	if (!o->info.passed && object_work_path(o->env->conf, o->info.file, path, sizeof(path)))
		o->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if ((!o->info.passed && (o->fd < 0 || !block_map_enter(o->map))) ||
		block_map_is_gone(o->map)) {
		close_file(o);
		return false;
	}
	block_map_touch(o->map, clock_real_ms());
	o->passed = o->info.passed;
	o->known = true;
	return true;
}

/* What was asked for is this map, too. */
static void link_name(const struct fill_object *o, const char *from)
{
	char here[PATH_MAX], there[PATH_MAX];

	if (!object_map_path(o->env->conf, from, here, sizeof(here)) ||
		!object_map_path(o->env->conf, o->name, there, sizeof(there)))
		return;
	if (link(here, there) < 0 && errno == EEXIST) {
		unlink(there);
		link(here, there);
	}
}

static bool is_media(const char *type)
{
	return strncasecmp(type, "audio/", 6) == 0 || strncasecmp(type, "video/", 6) == 0;
}

/* Only what is sound or picture is believed to be what its source, or who resolved it, calls it:
 * nothing that a browser would run. */
static void describe_type(const struct resolved *r, const char *type, struct block_map_info *i)
{
	const char *said = *r->type ? r->type : type, *suffix = NULL;
	char name[16];

	if (is_media(said))
		suffix = mime_suffix(said);
	if (!suffix)
		suffix = r->format;
	if (strlen(suffix) >= sizeof(i->suffix) ||
		strspn(suffix, "0123456789abcdefghijklmnopqrstuvwxyz") != strlen(suffix))
		suffix = "bin";
	file_path(name, sizeof(name), ".%s", suffix);
	if (!is_media(mime_type(span_of(name))))
		suffix = "bin";
	file_path(name, sizeof(name), ".%s", suffix);
	span_copy(span_of(suffix), i->suffix, sizeof(i->suffix));
	span_copy(span_of(mime_type(span_of(name))), i->type, sizeof(i->type));
}

static bool is_film(const struct fill_object *o)
{
	struct ident id;

	return ident_parse(span_of(o->ask.id), IDENT_NONE, &id) &&
	       (id.kind == IDENT_VOD || id.kind == IDENT_EP);
}

static void describe(struct fill_object *o, int64_t size, const char *validator, const char *type)
{
	const struct resolved *r = &o->resolved;
	struct block_map_info *i = &o->info;
	int64_t now_s = clock_real_ms() / 1000;

	*i = (struct block_map_info){.size = size,
		.modified_s = now_s > o->after_s ? now_s : o->after_s + 1,
		.expires_s = is_film(o) ? 0 : r->expires_ms / 1000,
		.life_s = r->keep_s > 0 ? r->keep_s : LIFE_S};
	span_copy(span_of(validator), i->validator, sizeof(i->validator));
	if (*validator && o->before.size == size && strcmp(o->before.validator, validator) == 0)
		i->modified_s = o->before.modified_s;
	span_copy(span_of(r->quality), i->given, sizeof(i->given));
	describe_type(r, type, i);
	object_file(r->object, i, o->env->key, i->file);
}

/* Makes its map and its file, as it has been described. */
static bool make_file(struct fill_object *o, bool replace, struct fail *f)
{
	char path[PATH_MAX];

	if (!o->info.passed) {
		int fd = -1;

		if (object_work_path(o->env->conf, o->info.file, path, sizeof(path)))
			fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0)
			return fail_set(f, FAIL_BUSY, "There is no room for a file") == 0;
		close(fd);
	}
	if (!object_map_path(o->env->conf, o->resolved_name, path, sizeof(path)) ||
		block_map_make(path, &o->info, o->env->boot, replace, f) < 0 ||
		!use_map(o, o->resolved_name))
		return false;
	link_name(o, o->resolved_name);
	return true;
}

static bool is_same(const struct fill_object *o, int64_t size, const char *validator)
{
	return o->info.size == size && strcmp(o->info.validator, validator) == 0;
}

/* What it was is over, for all who read it. */
static void end_old(struct fill_object *o)
{
	o->after_s = o->info.modified_s;
	if (o->map)
		objects_end(o->env->conf, o->map);
	close_file(o);
}

/* The others of this host may have begun it meanwhile: what is there is used, if it is the same. */
static void begin_file(struct fill_object *o)
{
	const struct block_map_info wanted = o->info;
	struct fail f = {0};

	if (make_file(o, false, &f) && is_same(o, wanted.size, wanted.validator) &&
		(o->passed || !wanted.passed))
		return;
	if (o->known)
		end_old(o);
	o->info = wanted;
	if (make_file(o, true, &f))
		return;
	/* The disk is full: it is known to us alone, and passed. */
	if (f.kind)
		log_warn("object_not_kept", LOG_STR("id", o->ask.id), LOG_STR("why", f.text));
	close_file(o);
	o->info = wanted;
	o->info.passed = 1;
	o->known = o->passed = true;
}

void fill_object_give_up(struct fill_object *o, const struct fail *why, int64_t retry_s)
{
	bool all_or_nothing = o->no_parts;

	fill_object_fail(o, why, retry_s);
	if (all_or_nothing)
		end_old(o);
}

bool fill_object_meet(struct fill_object *o, int64_t size, const char *validator, const char *type)
{
	char tag[sizeof(o->info.validator)];

	object_validator(validator, tag);
	if (o->known)
		return is_same(o, size, tag);
	describe(o, size, tag, type);
	o->info.passed = !objects_has_room(o->env->conf, o->env->board, o->env->boot, size);
	begin_file(o);
	return true;
}

void fill_object_renew(struct fill_object *o)
{
	log_info("object_changed", LOG_STR("id", o->ask.id));
	while (o->pulls)
		fill_pull_stop(o->pulls);
	end_old(o);
}

void fill_object_pass(struct fill_object *o)
{
	struct block_map_info info = o->info;

	while (o->pulls)
		fill_pull_stop(o->pulls);
	end_old(o);
	o->info = info;
	o->info.passed = 1;
	o->known = o->passed = true;
}

void fill_object_grown(struct fill_object *o)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {o->info.modified_s, 0}};
	char from[PATH_MAX], to[PATH_MAX];

	o->missing = block_map_missing(o->map, o->missing);
	if (o->missing < block_map_count(o->map) || block_map_is_published(o->map) ||
		!object_work_path(o->env->conf, o->info.file, from, sizeof(from)) ||
		!object_pub_path(o->env->conf, &o->info, to, sizeof(to)))
		return;
	if (fchmod(o->fd, 0644) < 0 || futimens(o->fd, times) < 0 ||
		(link(from, to) < 0 && errno != EEXIST)) {
		log_warn("object_not_published", LOG_STR("id", o->ask.id), LOG_INT("errno", errno));
		return;
	}
	block_map_publish(o->map);
	log_info("object_whole", LOG_STR("id", o->ask.id), LOG_INT("bytes", o->info.size));
}

/* --- its address ------------------------------------------------------------------------------ */

static void resolve(struct fill_object *o)
{
	const struct quality quality = object_ask_quality(&o->ask);
	const struct resolved_ask ask = {o->ask.id, quality, o->ask.kbps, o->ask.format};
	char name[OBJECT_NAME_BYTES];
	struct fail why = {0};
	int64_t retry_s = 0;

	arena_reset(&o->arena);
	switch (resolved_find(&o->env->at, &ask, &o->arena, &o->resolved, &retry_s, &why)) {
	case RESOLVED_WAIT:
		o->due_ms = clock_mono_ms() + LOOK_MS;
		return;
	case RESOLVED_FAILED:
		fill_object_fail(o, &why, retry_s);
		return;
	case RESOLVED_FOUND:
		break;
	}
	if (o->resolved.where != RESOLVED_HTTP) {
		fail_set(&why, FAIL_CONFLICT, "This is a file of our own");
		fill_object_fail(o, &why, 0);
		return;
	}
	o->is_resolved = true;
	o->row = board_row(o->env->board, ROW_SOURCE, o->resolved.source->name);
	object_name_resolved(o->resolved.object, name);
	/* Another quality, say: its bytes do not go on with those of the first, however alike both
	 * look. */
	if (o->known && strcmp(o->resolved_name, name) != 0)
		fill_object_renew(o);
	memcpy(o->resolved_name, name, sizeof(name));
	if (!o->known && use_map(o, name))
		link_name(o, name);
}

void fill_object_refused(struct fill_object *o, int status)
{
	struct fail why = {0};

	fail_set(&why, FAIL_UPSTREAM, "The source refuses this (status %d)", status);
	resolved_drop(&o->env->at, &o->resolved, status, &why);
	o->is_resolved = false;
	if (++o->refusals >= REFUSALS)
		fill_object_fail(o, &why, 0);
}

/* --- what is due ------------------------------------------------------------------------------ */

void fill_object_step(struct fill_object *o)
{
	int64_t now_ms = clock_mono_ms();

	fill_slot_keep(o);
	if (o->readers || o->pulls)
		o->needed_ms = now_ms;
	if (o->map && block_map_is_gone(o->map))
		forget_file(o);
	if (o->readers && now_ms < o->failed_ms) {
		for (struct fill_reader *r = o->readers; r; r = r->next) {
			if (!r->told)
				tell(r, &o->why, o->retry_s);
		}
		return;
	}
	if (o->readers && now_ms >= o->due_ms && !o->is_resolved)
		resolve(o);
	for (struct fill_reader *r = o->readers; o->known && r; r = r->next) {
		if (!r->told)
			tell(r, NULL, 0);
	}
	fill_plan(o, o->is_resolved && now_ms >= o->due_ms);
}
