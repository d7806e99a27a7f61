/* lib/svc/episodes.c - a series' episodes, asked for when somebody wants to see them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/episodes.h"

#include <poll.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_schema.h"
#include "lib/svc/generation_inside.h"
#include "lib/svc/source.h"
#include "lib/svc/summon.h"

enum { LOOK_MS = 20, CALL_MS = 500 };

/* --- waiting ---------------------------------------------------------------------------------- */

/* Whether what was learnt may have been overtaken. */
static bool is_old(const struct series *series, const struct series_asked *asked)
{
	int64_t age_ms = clock_real_ms() - asked->asked_ms;

	if (asked->why.kind)
		return age_ms < 0 || age_ms > EPISODES_AGAIN_MS;
	return age_ms < 0 || age_ms > EPISODES_LIFE_MS ||
	       (series->changed_s * 1000 > asked->asked_ms && age_ms > EPISODES_AGAIN_MS);
}

static int note_one(void *ctx, const struct episode *episode)
{
	(void)episode;
	*(bool *)ctx = true;
	return 1;
}

static int know_any(struct catalog *catalog, const struct series *series, bool *any, struct fail *f)
{
	struct episode_query q = {
		.season = -1, .number = -1, .limit = 1, .each = note_one, .ctx = any};
	char next[CATALOG_CURSOR_MAX];

	*any = false;
	return catalog_episodes(catalog, series, &q, next, f);
}

/* 1: the answer is there; 0: not yet; -1: *f says why there will be none. */
static int look(struct catalog *catalog, const struct series *series, bool *old, struct fail *f)
{
	struct series_asked asked;
	bool any;

	if (catalog_series_asked(catalog, series, &asked, f) < 0 ||
		know_any(catalog, series, &any, f) < 0)
		return -1;
	*old = is_old(series, &asked);
	if (any)
		return 1;
	if (*old)
		return 0;
	return asked.why.kind ? fail_set(f, asked.why.kind, "%s", asked.why.text) : 1;
}

int episodes_await(const struct conf *conf, struct catalog *catalog, const struct series *series,
	int64_t wait_ms, struct fail *f)
{
	const struct conf_source *source = conf_source(conf, series->source);
	int64_t begun_ms = clock_mono_ms(), called_ms = begun_ms - CALL_MS;

	if (!source || !source_asks_episodes(source))
		return 0;
	for (;;) {
		int64_t now_ms = clock_mono_ms();
		bool old;
		int result = look(catalog, series, &old, f);

		if (result < 0)
			return -1;
		if (old && now_ms - called_ms >= CALL_MS) {
			called_ms = now_ms;
			summon_ask(conf, EPISODES_VERB, series->id);
		}
		if (result > 0)
			return 0;
		if (now_ms - begun_ms >= wait_ms)
			return fail_set(f, FAIL_BUSY,
				"The series' episodes are being asked for; try again in a moment");
		poll(NULL, 0, LOOK_MS);
	}
}

/* --- asking ----------------------------------------------------------------------------------- */

struct asking {
	struct db *db;
	const struct series *series;
	int64_t source; /* its number in the database */
	int64_t count;
	bool writing; /* in a transaction, without the episodes that were known before */
};

static int find_source(struct asking *a, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(a->db, "SELECT id FROM source WHERE name = ?1", &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(a->series->source));
	step = db_step(st, f);
	if (step == DB_ROW)
		a->source = db_int(st, 0);
	db_done(st);
	return step == DB_END ? fail_set(f, FAIL_MISSING, "The source is not imported yet")
			      : -(step == DB_FAILED);
}

static int begin_writing(struct asking *a, struct fail *f)
{
	static const char sql[] =
		"DELETE FROM episode WHERE source = ?1 AND generation = 0 AND series = ?2";
	struct db_stmt *st;

	if (a->writing)
		return 0;
	if (db_begin(a->db, f) < 0)
		return -1;
	a->writing = true;
	if (db_prepare(a->db, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, a->source);
	db_bind_text(st, 2, span_of(a->series->ident.key));
	return db_run(st, f);
}

/* Called when the source has told all: nothing is locked while it is waited for. */
static int put_episode(void *ctx, const struct source_episode *row, struct fail *f)
{
	struct asking *a = ctx;

	a->count++;
	return begin_writing(a, f) < 0 ? -1
				       : generation_insert_episode(a->db, a->source, 0, row, f);
}

static int note_asked(struct asking *a, const struct fail *why, struct fail *f)
{
	static const char sql[] = "INSERT OR REPLACE INTO asked (source, series, asked_ms, kind, "
				  "trouble) VALUES (?1, ?2, ?3, ?4, ?5)";
	struct db_stmt *st;

	if (db_prepare(a->db, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, a->source);
	db_bind_text(st, 2, span_of(a->series->ident.key));
	db_bind_int(st, 3, clock_real_ms());
	db_bind_int(st, 4, why->kind);
	db_bind_text(st, 5, span_of(why->text));
	return db_run(st, f);
}

/* What the source tells replaces what was known; where it tells nothing, that stays, and *why says
 * what it said instead. */
static int ask(struct asking *a, const struct conf_source *source, struct fail *why, struct fail *f)
{
	const struct source_sink sink = {.episode = put_episode, .ctx = a};

	if (source_episodes(source, a->series->ident.key, &sink, why) < 0) {
		db_rollback(a->db);
		a->count = 0;
		return note_asked(a, why, f);
	}
	if (begin_writing(a, f) < 0 || note_asked(a, why, f) < 0)
		return -1;
	return db_commit(a->db, f);
}

static int run(const struct conf *conf, struct board *board, const char *id, struct asking *a,
	struct fail *why, struct fail *f)
{
	struct series *series = calloc(1, sizeof(*series));
	const struct conf_source *source = NULL;
	struct catalog *catalog = NULL;
	struct ident ident;
	int result = -1;

	if (!series || !ident_parse(span_of(id), IDENT_SER, &ident))
		fail_set(f, FAIL_BUSY, "There is no memory to ask for episodes");
	else if (catalog_open(&catalog, conf, f) == 0)
		result = catalog_series(catalog, &ident, series, f);
	catalog_close(&catalog);
	a->series = series;
	if (result == 0 && !(source = conf_source(conf, series->source)))
		result = fail_set(
			f, FAIL_MISSING, "The source %s is configured no more", series->source);
	if (result == 0 && (result = catalog_schema_write(conf, &a->db, f)) == 0) {
		row_add(board_row(board, ROW_SOURCE, series->source), SOURCE_REQUESTS, 1);
		result = find_source(a, f) < 0 ? -1 : ask(a, source, why, f);
	}
	db_close(&a->db);
	free(series);
	return result;
}

int episodes_run(const struct conf *conf, struct board *board, const char *id)
{
	int64_t begun_ms = clock_mono_ms();
	struct asking a = {0};
	struct fail why = {0}, f = {0};
	int result = run(conf, board, id, &a, &why, &f);

	if (result < 0 || why.kind)
		log_warn("episodes_not_learnt", LOG_STR("series", id),
			LOG_STR("why", result < 0 ? f.text : why.text));
	else
		log_info("episodes_learnt", LOG_STR("series", id), LOG_INT("count", a.count),
			LOG_INT("ms", clock_mono_ms() - begun_ms));
	return 0;
}
