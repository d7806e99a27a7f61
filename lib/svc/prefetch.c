/* lib/svc/prefetch.c - makes ready what will be played soon.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/prefetch.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/mc.h"
#include "lib/svc/catalog.h"
#include "lib/svc/wanted.h"

enum { ARENA_MAX = 256 * 1024, WORDS = 4 };

bool prefetch_is_warm(const struct resolved_at *at, const struct resolved *r)
{
	(void)at;
	return r->where == RESOLVED_FILE || r->program;
}

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

static void warm_up(const struct resolved_at *at, const char *line, struct arena *arena)
{
	int64_t began_ms = clock_mono_ms(), retry_s;
	struct resolved_ask ask;
	struct resolved r;
	struct fail f = {0};

	if (!prefetch_read(at->conf, line, arena, &ask))
		return;
	if (resolved_await(at, &ask, at->conf->resolve_timeout_s * 1000, arena, &r, &retry_s, &f) ==
		RESOLVED_FOUND)
		f.kind = FAIL_NONE;
	log_info("prefetched", LOG_STR("id", ask.id), LOG_STR("said", f.kind ? f.text : "ok"),
		LOG_INT("ms", clock_mono_ms() - began_ms));
}

int prefetch_run(const struct conf *conf, struct board *board, const char *line)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct resolved_at at = {.conf = conf, .board = board};
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
