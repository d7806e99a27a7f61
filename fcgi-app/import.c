/* fcgi-app/import.c - reads the sources' lists into the catalogue.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/import.h"

#include <poll.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/catalog.h"
#include "lib/svc/generation.h"
#include "lib/svc/source.h"

enum { RETRY_MS = 300000, LOOK_MS = 100 };

/* One import at a time on a host. */
static int begin_in_turn(struct generation **g, const struct conf *conf, const char *source,
	int wait_ms, struct fail *f)
{
	for (int waited_ms = 0;; waited_ms += LOOK_MS) {
		int result = generation_begin(g, conf, source, f);

		if (result == 0 || f->kind != FAIL_CONFLICT || waited_ms >= wait_ms)
			return result;
		poll(NULL, 0, LOOK_MS);
	}
}

static int import_one(const struct conf *conf, const struct conf_source *source,
	const struct import_how *how, struct generation_counts *counts, struct fail *f)
{
	struct generation *g = NULL;
	struct source_sink sink;

	if (begin_in_turn(&g, conf, source->name, how->wait_ms, f) < 0)
		return -1;
	sink = generation_sink(g);
	if (source_import(source, &sink, f) < 0) {
		generation_drop(&g, f);
		return -1;
	}
	return generation_swap(&g, how->force, counts, f);
}

/* The most memory that this process has had. */
static int64_t peak_kb(void)
{
	static const char name[] = "VmHWM:";
	struct span rest, line;
	struct buf text;
	int64_t kb = 0;

	/* getrusage() would count what this process was before execve(), too. */
	buf_init(&text, 8192);
	file_read("/proc/self/status", &text, NULL);
	rest = buf_span(&text);
	while (span_next(&rest, '\n', &line)) {
		if (!span_starts(line, name))
			continue;
		line = span_trim(
			span_make(line.ptr + sizeof(name) - 1, line.len - (sizeof(name) - 1)));
		span_next(&line, ' ', &rest);
		num_parse(rest, 0, INT64_MAX, &kb);
		break;
	}
	buf_release(&text);
	return kb;
}

static int import_told(const struct conf *conf, const struct conf_source *source,
	const struct import_how *how, struct fail *f)
{
	struct generation_counts counts = {0};
	int64_t began_ms = clock_mono_ms();
	int result = import_one(conf, source, how, &counts, f);

	if (result < 0) {
		log_warn("import_failed", LOG_STR("source", source->name), LOG_STR("why", f->text));
		if (how->out)
			fprintf(how->out, "%s: %s\n", source->name, f->text);
		return -1;
	}
	log_info("imported", LOG_STR("source", source->name), LOG_INT("channels", counts.channels),
		LOG_INT("before", counts.before), LOG_INT("films", counts.films),
		LOG_INT("series", counts.series), LOG_INT("ms", clock_mono_ms() - began_ms),
		LOG_INT("peak_kb", peak_kb()));
	if (how->out)
		fprintf(how->out, "%s: %lld channels in %lld categories, %lld films, %lld series\n",
			source->name, (long long)counts.channels, (long long)counts.categories,
			(long long)counts.films, (long long)counts.series);
	return 0;
}

int import_run(
	const struct conf *conf, const char *source, const struct import_how *how, struct fail *f)
{
	size_t tried = 0, failed = 0;
	struct fail why = {0};

	if (source && !conf_source(conf, source))
		return fail_set(f, FAIL_MISSING, "There is no source %s", source);
	for (size_t i = 0; i < conf->source_count; i++) {
		if (source ? strcmp(conf->sources[i].name, source) != 0
			   : !source_lists(&conf->sources[i]))
			continue;
		tried++;
		if (import_told(conf, &conf->sources[i], how, &why) < 0)
			failed++;
	}
	if (failed == 0)
		return 0;
	return fail_set(f, why.kind, "%zu of %zu source%s could not be read", failed, tried,
		tried == 1 ? "" : "s");
}

static bool is_due(const struct conf *conf, struct catalog *c, const char *source)
{
	int64_t now_ms = clock_real_ms();
	struct catalog_state state;
	struct fail why = {0};

	if (catalog_state(c, source, &state, &why) < 0)
		return false;
	return now_ms - state.imported_ms > conf->import_every_s * 1000 &&
	       now_ms - state.tried_ms > RETRY_MS;
}

static void import_counted(
	const struct conf *conf, struct board *board, const struct conf_source *source)
{
	struct row *row = board_row(board, ROW_SOURCE, source->name);
	const struct import_how quietly = {0};
	struct fail f = {0};

	row_add(row, SOURCE_REQUESTS, 1);
	if (import_told(conf, source, &quietly, &f) < 0)
		row_add(row, SOURCE_FAILURES + (int)f.kind, 1);
}

/* `board` NULL: it is only asked whether any is due. */
static bool each_due(const struct conf *conf, struct board *board)
{
	struct catalog *c = NULL;
	struct fail f = {0};
	bool due = false;

	if (catalog_open(&c, conf, &f) < 0)
		return false;
	for (size_t i = 0; i < conf->source_count; i++) {
		if (!source_lists(&conf->sources[i]) || !is_due(conf, c, conf->sources[i].name))
			continue;
		due = true;
		if (board)
			import_counted(conf, board, &conf->sources[i]);
	}
	catalog_close(&c);
	return due;
}

bool import_is_due(const struct conf *conf)
{
	return each_due(conf, NULL);
}

int import_due_run(const struct conf *conf, struct board *board)
{
	each_due(conf, board);
	return 0;
}
