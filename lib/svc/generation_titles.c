/* lib/svc/generation_titles.c - the next list's films, series and episodes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/must.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/svc/catalog.h"
#include "lib/svc/generation_inside.h"

int generation_put_shelf(struct generation *g, const struct source_category *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO shelf (source, generation, kind, key, name, folded, "
		"position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
	char folded[CHANNEL_CATEGORY_MAX];
	struct db_stmt *st;

	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	text_fold(row->name, folded, sizeof(folded));
	db_bind_int(st, 1, g->source);
	db_bind_int(st, 2, g->number);
	db_bind_int(st, 3, row->kind);
	db_bind_text(st, 4, row->key);
	db_bind_text(st, 5, row->name);
	db_bind_text(st, 6, span_of(folded));
	db_bind_int(st, 7, g->position++);
	return db_run(st, f);
}

/* What films and series have in common: parameters 1 to 12. */
static void bind_title(struct generation *g, struct db_stmt *st, const struct source_title *row)
{
	char folded[CHANNEL_NAME_MAX];

	text_fold(row->name, folded, sizeof(folded));
	db_bind_int(st, 1, g->source);
	db_bind_int(st, 2, g->number);
	db_bind_text(st, 3, row->key);
	db_bind_int(st, 4, g->position);
	db_bind_text(st, 5, row->name);
	db_bind_text(st, 6, span_of(folded));
	db_bind_text(st, 7, row->category);
	db_bind_text(st, 8, row->poster);
	db_bind_text(st, 9, row->plot);
	db_bind_int(st, 10, row->year);
	db_bind_int(st, 11, row->rating);
	db_bind_int(st, 12, row->changed_s);
}

static int put_film(struct generation *g, const struct source_title *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO film (source, generation, key, position, name, folded, "
		"category, poster, plot, year, rating, changed_s, suffix, adult, url) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
	struct db_stmt *st;

	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	bind_title(g, st, row);
	db_bind_text(st, 13, row->suffix);
	db_bind_int(st, 14, row->adult);
	db_bind_text(st, 15, row->url);
	return db_run(st, f);
}

static int put_series(struct generation *g, const struct source_title *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO series (source, generation, key, position, name, folded, "
		"category, poster, plot, year, rating, changed_s) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	struct db_stmt *st;

	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	bind_title(g, st, row);
	return db_run(st, f);
}

int generation_put_title(void *ctx, const struct source_title *row, struct fail *f)
{
	struct generation *g = ctx;

	must(ident_key_ok(row->key) && row->name.len > 0 && row->name.len < CHANNEL_NAME_MAX);
	must(row->poster.len < CHANNEL_LOGO_MAX && row->plot.len < TITLE_PLOT_MAX);
	must(row->url.len < CHANNEL_URL_MAX && row->suffix.len < TITLE_SUFFIX_MAX);
	if ((row->kind == SOURCE_FILMS ? put_film(g, row, f) : put_series(g, row, f)) < 0)
		return -1;
	return generation_count(g, &g->titles[row->kind], f);
}

int generation_insert_episode(struct db *db, int64_t source, int64_t generation,
	const struct source_episode *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO episode (source, generation, key, series, season, number, "
		"name, poster, plot, suffix, duration_s, url) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	struct db_stmt *st;

	must(ident_key_ok(row->key) && ident_key_ok(row->series));
	must(row->name.len < CHANNEL_NAME_MAX && row->poster.len < CHANNEL_LOGO_MAX);
	must(row->plot.len < TITLE_PLOT_MAX && row->suffix.len < TITLE_SUFFIX_MAX);
	must(row->url.len < CHANNEL_URL_MAX);
	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, source);
	db_bind_int(st, 2, generation);
	db_bind_text(st, 3, row->key);
	db_bind_text(st, 4, row->series);
	db_bind_int(st, 5, row->season);
	db_bind_int(st, 6, row->number);
	db_bind_text(st, 7, row->name);
	db_bind_text(st, 8, row->poster);
	db_bind_text(st, 9, row->plot);
	db_bind_text(st, 10, row->suffix);
	db_bind_int(st, 11, row->duration_s);
	db_bind_text(st, 12, row->url);
	return db_run(st, f);
}

int generation_put_episode(void *ctx, const struct source_episode *row, struct fail *f)
{
	struct generation *g = ctx;

	if (generation_begin_writing(g, f) < 0 ||
		generation_insert_episode(g->db, g->source, g->number, row, f) < 0)
		return -1;
	return generation_count(g, &g->counts.episodes, f);
}
