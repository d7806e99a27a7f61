/* lib/svc/prefetch.c - makes ready what will be played soon.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/prefetch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/block_map.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/svc/blocks.h"
#include "lib/svc/catalog.h"
#include "lib/svc/pair.h"
#include "lib/svc/setback.h"
#include "lib/svc/title.h"
#include "lib/svc/wanted.h"

enum { ARENA_MAX = 256 * 1024, WORDS = 4 };

/* --- what it is ------------------------------------------------------------------------------- */

static int ask_for_one(const struct resolved_ask *ask, struct prefetch *out, struct fail *f)
{
	const char *format = ask->format;

	if (format && (!*format || strcmp(format, "auto") == 0))
		format = NULL;
	out->count = 1;
	return object_ask_make(&out->objects[0], ask->id, &ask->quality,
		       ask->quality.kind == QUALITY_AUTO ? ask->hinted_kbps : 0, format)
		       ? 0
		       : fail_set(f, FAIL_INPUT, "This is no id or no format");
}

/* What cannot be sent as one, as *f says, may be a pair. */
static enum resolved_result find_pair(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct prefetch *out, int64_t *retry_s,
	struct fail *f)
{
	const struct wish wish = pair_wish(at->conf, &ask->quality);
	const struct fail before = *f;
	enum resolved_result result;
	struct pair pair;

	if (f->kind != FAIL_UPSTREAM || wish.count == 0 || !pair_suits(ask->format))
		return RESOLVED_FAILED;
	result = pair_find(at, ask->id, wish.steps[0].word, wait_ms, arena, &pair, retry_s, f);
	if (result == RESOLVED_FAILED && f->kind == FAIL_MISSING)
		*f = before;
	if (result != RESOLVED_FOUND)
		return result;
	pair_object(&out->objects[0], ask->id, wish.steps[0].word);
	pair_object(&out->objects[1], ask->id, NULL);
	out->count = pair.has_sound ? 2 : 1;
	return RESOLVED_FOUND;
}

/* A file of ours is there, but for music that has to be made for the wish. */
static enum resolved_result find_file(const struct resolved_at *at, const struct resolved_ask *ask,
	struct prefetch *out, int64_t *retry_s, struct fail *f)
{
	struct title *t = malloc(sizeof(*t));
	enum resolved_result result = RESOLVED_FAILED;
	char setback[JOBS_LINE_MAX];
	struct ident id;
	struct music m;

	if (!t || !ident_parse(span_of(ask->id), IDENT_NONE, &id)) {
		fail_set(f, FAIL_BUSY, "There is no memory for a title");
	} else if (title_find(t, at->conf, at->catalog, &id, f) == 0) {
		result = RESOLVED_FOUND;
		if (music_choose(at->conf, t, &ask->quality, ask->hinted_kbps, ask->format, &m)) {
			music_line(t, &m, out->maker);
			if (music_name_now(at->conf, t, &m, out->made, f) < 0)
				result = RESOLVED_FAILED;
		}
	}
	free(t);
	if (result == RESOLVED_FAILED || !*out->made)
		return result;
	music_setback(out->made, setback);
	return setback_holds(at->conf, NULL, setback, f, retry_s) ? RESOLVED_FAILED
								  : RESOLVED_FOUND;
}

enum resolved_result prefetch_find(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct prefetch *out, int64_t *retry_s,
	struct fail *f)
{
	struct resolved r;
	enum resolved_result result = resolved_await(at, ask, wait_ms, arena, &r, retry_s, f);

	*out = (struct prefetch){.count = 0};
	if (result == RESOLVED_FAILED)
		return find_pair(at, ask, wait_ms, arena, out, retry_s, f);
	if (result == RESOLVED_FOUND && r.where == RESOLVED_FILE)
		return find_file(at, ask, out, retry_s, f);
	if (result == RESOLVED_FOUND && ask_for_one(ask, out, f) < 0)
		return RESOLVED_FAILED;
	return result;
}

/* --- what is warm ----------------------------------------------------------------------------- */

/* The last of the bytes that are fetched ahead. */
static int64_t last_byte(const struct conf *conf, const struct block_map_info *info)
{
	return info->size < conf->prefetch_bytes ? info->size - 1 : conf->prefetch_bytes - 1;
}

static bool is_here(const struct conf *conf, const struct blocks *b)
{
	if (!blocks_is_known(b))
		return false;
	return blocks_is_published(b) || blocks_info(b)->size == 0 ||
	       strcmp(blocks_x_cache(b, 0, last_byte(conf, blocks_info(b))), "HIT") == 0;
}

static bool is_made(const struct conf *conf, const char *name)
{
	char path[PATH_MAX];

	return file_path(path, sizeof(path), "%s/%s", conf->www_dir, name) &&
	       access(path, R_OK) == 0;
}

bool prefetch_is_warm(const struct conf *conf, const struct prefetch *p, const char *boot)
{
	bool warm = !*p->made || is_made(conf, p->made);

	for (size_t i = 0; i < p->count && warm; i++) {
		struct blocks *b;
		struct fail f;

		if (blocks_open(&b, conf, boot, &p->objects[i], -1, &f) < 0)
			return false;
		warm = is_here(conf, b);
		blocks_close(&b);
	}
	return warm;
}

/* Each prefetched stream has an empty file below state_dir "/warm", whose time is its end. */
static void note(const struct resolved_at *at, const char *name)
{
	int64_t ends_ms = clock_real_ms() + at->conf->prefetch_ttl_s * 1000;
	struct timespec ends[2] = {{ends_ms / 1000, 0}, {ends_ms / 1000, 0}};
	char path[PATH_MAX];
	struct fail f;
	int fd;

	if (!file_path(path, sizeof(path), "%s/warm", at->conf->state_dir) ||
		file_mkdirs(path, 0700, &f) < 0 ||
		!file_path(path, sizeof(path), "%s/warm/%s", at->conf->state_dir, name))
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	futimens(fd, ends);
	close(fd);
	if (at->board)
		board_set(at->board, BOARD_WARM_STREAMS, prefetch_count(at->conf));
}

/* It may have been evicted or purged before its time. */
static bool is_kept(const struct conf *conf, const char *name)
{
	char path[PATH_MAX];

	return object_map_path(conf, name, path, sizeof(path)) && access(path, F_OK) == 0;
}

int64_t prefetch_count(const struct conf *conf)
{
	int64_t now_s = clock_real_ms() / 1000, count = 0;
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	DIR *dir;

	if (!file_path(path, sizeof(path), "%s/warm", conf->state_dir) || !(dir = opendir(path)))
		return 0;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.' ||
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (st.st_mtim.tv_sec > now_s && is_kept(conf, e->d_name))
			count++;
		else
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	closedir(dir);
	return count;
}

/* --- the line --------------------------------------------------------------------------------- */

static const char *or_none(const char *word)
{
	return word && *word ? word : "-";
}

void prefetch_line(const char *id, const char *quality, const char *format, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "prefetch %s %s %s", id, or_none(quality), or_none(format));
}

bool prefetch_read(
	const struct conf *conf, const char *line, struct arena *arena, struct resolved_ask *out)
{
	struct span rest = span_of(line), words[WORDS];
	struct wanted w;
	size_t count = 0;

	while (count < WORDS && span_next(&rest, ' ', &words[count]))
		count++;
	if (count != WORDS || rest.ptr || !span_is(words[0], "prefetch"))
		return false;
	*out = (struct resolved_ask){.id = arena_copy(arena, words[1]),
		.hinted_kbps = INT64_MAX,
		.format = span_is(words[3], "-") ? NULL : arena_copy(arena, words[3])};
	return out->id && wanted_parse(conf, out->id, &w, NULL) == 0 &&
	       quality_parse(span_is(words[2], "-") ? span_of("") : words[2], &out->quality);
}

/* --- doing it --------------------------------------------------------------------------------- */

/* What was fetched ahead lives for prefetch_ttl, though nobody has used it yet. */
static void keep(const struct conf *conf, const struct object_ask *object, const char *boot)
{
	char name[OBJECT_NAME_BYTES];
	struct block_map *map;
	int64_t more_s;

	object_name(object, name);
	if (!object_open(conf, name, boot, &map))
		return;
	more_s = conf->prefetch_ttl_s - block_map_info(map)->life_s;
	if (more_s > 0)
		block_map_touch(map, clock_real_ms() + more_s * 1000);
	block_map_close(&map);
}

/* Reads them as a client would, and throws them away. */
static int read_first(const struct conf *conf, struct blocks *b, int64_t *retry_s, struct fail *f)
{
	int64_t at = 0, last;

	if (!blocks_is_known(b) && blocks_learn(b, 0, conf->prefetch_bytes - 1, retry_s, f) < 0)
		return -1;
	last = last_byte(conf, blocks_info(b));
	while (at <= last) {
		struct blocks_piece piece;

		if (blocks_next(b, at, last, &piece, retry_s, f) < 0)
			return -1;
		at += (int64_t)piece.len;
	}
	return 0;
}

static int fetch_object(
	const struct conf *conf, const struct object_ask *object, const char *boot, struct fail *f)
{
	int64_t retry_s = 0;
	struct blocks *b;
	int result;

	if (blocks_open(&b, conf, boot, object, -1, f) < 0)
		return -1;
	result = is_here(conf, b) ? 0 : read_first(conf, b, &retry_s, f);
	blocks_close(&b);
	if (result == 0)
		keep(conf, object, boot);
	return result;
}

/* However many objects it has, it is one stream. */
static int fetch_ahead(const struct resolved_at *at, const struct prefetch *p, struct fail *f)
{
	char boot[BLOCK_MAP_BOOT_BYTES], name[OBJECT_NAME_BYTES];

	block_map_boot(boot);
	for (size_t i = 0; i < p->count; i++) {
		if (fetch_object(at->conf, &p->objects[i], boot, f) < 0)
			return -1;
	}
	if (p->count && prefetch_is_warm(at->conf, p, boot)) {
		object_name(&p->objects[0], name);
		note(at, name);
	}
	return 0;
}

static void warm_up(const struct resolved_at *at, const char *line, struct arena *arena)
{
	int64_t began_ms = clock_mono_ms(), retry_s;
	struct resolved_ask ask;
	struct prefetch p;
	struct fail f = {0};

	if (!prefetch_read(at->conf, line, arena, &ask))
		return;
	if (prefetch_find(at, &ask, at->conf->resolve_timeout_s * 1000, arena, &p, &retry_s, &f) ==
			RESOLVED_FOUND &&
		fetch_ahead(at, &p, &f) == 0)
		f.kind = FAIL_NONE;
	log_info("prefetched", LOG_STR("id", ask.id), LOG_STR("said", f.kind ? f.text : "ok"),
		LOG_INT("ms", clock_mono_ms() - began_ms));
}

int prefetch_run(const struct conf *conf, struct board *board, uint64_t client, const char *line)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct resolved_at at = {.conf = conf, .board = board, .client = client};
	struct arena arena;
	struct fail f = {0};

	if (catalog_open(&at.catalog, conf, &f) < 0)
		return 1;
	mc_open(&at.mc, &config, &f); /* all goes on without it */
	mc_report(at.mc, board);
	arena_init(&arena, ARENA_MAX);
	warm_up(&at, line, &arena);
	arena_release(&arena);
	mc_close(&at.mc);
	catalog_close(&at.catalog);
	return 0;
}
