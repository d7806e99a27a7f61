/* fcgi-app/processes/jobs/job.c - the kinds of work that the jobs process does.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/jobs/job.h"

#include <string.h>

#include "fcgi-app/processes/jobs/art_job.h"
#include "fcgi-app/processes/jobs/music_job.h"
#include "lib/http/quality.h"
#include "lib/io/conf.h"
#include "lib/svc/art.h"
#include "lib/svc/jobs.h"
#include "lib/svc/music.h"
#include "lib/svc/prefetch.h"
#include "lib/svc/resolve.h"
#include "lib/svc/wanted.h"

enum { WORDS_MAX = 6, ART_MOST = 4, MUSIC_MOST = 2, ART_BOUND_MS = 40000 };

/* The words of a line; their number, 0 for too many. */
struct words {
	struct span list[WORDS_MAX];
	size_t count;
};

static struct words split(const char *line)
{
	struct words w = {.count = 0};
	struct span rest = span_of(line), word;

	while (span_next(&rest, ' ', &word)) {
		if (w.count == WORDS_MAX)
			return (struct words){.count = 0};
		w.list[w.count++] = word;
	}
	return w;
}

/* --- resolve ---------------------------------------------------------------------------------- */

struct resolve_words {
	char source[IDENT_SOURCE_MAX], key[WANTED_KEY_MAX], quality[8];
};

static bool read_resolve(
	const struct conf *conf, const char *line, struct resolve_words *texts, struct resolve *out)
{
	struct words w = split(line);
	struct quality quality;

	*out = (struct resolve){.key = texts->key, .quality = texts->quality};
	if (w.count < 4 || w.count > 5 ||
		!span_copy(w.list[2], texts->source, sizeof(texts->source)) ||
		!wanted_key_ok(w.list[3]) || !span_copy(w.list[3], texts->key, sizeof(texts->key)))
		return false;
	texts->quality[0] = '\0';
	if (w.count == 5 && (!quality_parse(w.list[4], &quality) ||
				    !span_copy(w.list[4], texts->quality, sizeof(texts->quality))))
		return false;
	out->page = span_is(w.list[1], "page");
	out->source = conf_source(conf, texts->source);
	return (out->page || span_is(w.list[1], "own")) && out->source &&
	       strcmp(out->source->type, "command") == 0;
}

static int run_resolve(
	const struct conf *conf, struct board *board, uint64_t client, const char *line)
{
	struct resolve_words texts;
	struct resolve what;

	(void)client;
	return read_resolve(conf, line, &texts, &what) ? resolve_run(conf, board, &what) : 1;
}

static bool is_resolve(const struct conf *conf, const char *line)
{
	struct resolve_words texts;
	struct resolve what;

	return read_resolve(conf, line, &texts, &what);
}

static int64_t resolvers(const struct conf *conf)
{
	return conf->resolvers;
}

/* Another host may ask first. */
static int64_t resolve_bound_ms(const struct conf *conf)
{
	return conf->resolve_timeout_s * 2000;
}

/* --- prefetch --------------------------------------------------------------------------------- */

static bool is_prefetch(const struct conf *conf, const char *line)
{
	struct resolved_ask ask;
	struct arena arena;
	bool is_one;

	arena_init(&arena, JOBS_LINE_MAX * 4);
	is_one = prefetch_read(conf, line, &arena, &ask);
	arena_release(&arena);
	return is_one;
}

/* They wait for resolvers most of the time. */
static int64_t prefetchers(const struct conf *conf)
{
	return conf->resolvers * 4;
}

/* Picture and sound may be asked for apart, after what cannot be sent as one. */
static int64_t prefetch_bound_ms(const struct conf *conf)
{
	return conf->resolve_timeout_s * 4000;
}

/* --- art -------------------------------------------------------------------------------------- */

static bool is_art(const struct conf *conf, const char *line)
{
	char id[JOBS_LINE_MAX];
	struct wanted w;
	int64_t size;

	return art_read(line, id, &size) && wanted_parse(conf, id, &w, NULL) == 0;
}

static int64_t artists(const struct conf *conf)
{
	(void)conf;
	return ART_MOST;
}

static int64_t art_bound_ms(const struct conf *conf)
{
	return conf->resolve_timeout_s * 1000 + ART_BOUND_MS;
}

/* --- music ------------------------------------------------------------------------------------ */

static bool is_music(const struct conf *conf, const char *line)
{
	struct ident id;
	struct music m;

	(void)conf;
	return music_read(line, &id, &m);
}

static int64_t musicians(const struct conf *conf)
{
	(void)conf;
	return MUSIC_MOST;
}

static int64_t music_bound_ms(const struct conf *conf)
{
	(void)conf;
	return MUSIC_WALL_MS;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct {
	struct job job;
	bool (*makes_sense)(const struct conf *conf, const char *line);
} jobs[] = {
	{{"resolve", run_resolve, resolvers, resolve_bound_ms}, is_resolve},
	{{"music", music_job_run, musicians, music_bound_ms}, is_music},
	{{"art", art_job_run, artists, art_bound_ms}, is_art},
	{{"prefetch", prefetch_run, prefetchers, prefetch_bound_ms}, is_prefetch},
};

const struct job *job_find(const struct conf *conf, const char *line)
{
	struct words w = split(line);

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]) && w.count; i++) {
		if (span_is(w.list[0], jobs[i].job.name))
			return jobs[i].makes_sense(conf, line) ? &jobs[i].job : NULL;
	}
	return NULL;
}
