/* lib/svc/catalog_series.c - the catalogue's series and their episodes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog_series.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/num.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"
#include "lib/svc/catalog_page.h"
#include "lib/svc/source.h"

#define COLUMNS                                                                                    \
	"r.key, r.name, coalesce(k.name, ''), r.poster, r.plot, r.year, r.rating, r.changed_s, "   \
	"r.position "
#define JOINED                                                                                     \
	"FROM source AS s JOIN series AS r ON r.source = s.id "                                    \
	"AND r.generation = s.series_generation LEFT JOIN shelf AS k ON k.source = s.id "          \
	"AND k.generation = r.generation AND k.kind = 2 AND k.key = r.category "

static bool read_series(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	bool several = source_several(c->conf);
	struct series *out = to;

	if (!ident_make(IDENT_SER, span_of(several ? source : ""), db_text(st, 0), &out->ident))
		return false;
	ident_print(&out->ident, out->id, sizeof(out->id));
	snprintf(out->source, sizeof(out->source), "%s", source);
	text_clean(db_text(st, 1), out->name, sizeof(out->name));
	text_clean(db_text(st, 2), out->category, sizeof(out->category));
	catalog_copy(db_text(st, 3), out->poster, sizeof(out->poster));
	catalog_copy(db_text(st, 4), out->plot, sizeof(out->plot));
	out->year = db_int(st, 5);
	out->rating = db_int(st, 6);
	out->changed_s = db_int(st, 7);
	return true;
}

int catalog_series(struct catalog *c, const struct ident *id, struct series *out, struct fail *f)
{
	static const struct catalog_kind kind = {IDENT_SER, "series",
		"SELECT " COLUMNS JOINED "WHERE s.name = ?1 AND r.key = ?2", read_series};

	return catalog_find(c, &kind, id, out, f);
}

static bool give_series(void *ctx, const struct catalog *c, const char *source, struct db_stmt *row)
{
	const struct series_query *query = ctx;
	struct series series;

	if (!read_series(c, source, row, &series))
		return false;
	query->each(query->ctx, &series);
	return true;
}

int catalog_series_page(
	struct catalog *c, const struct series_query *query, char *next, struct fail *f)
{
	const struct catalog_page page = {
		.sql = "SELECT " COLUMNS JOINED "WHERE s.name = ?1 AND r.position > ?2 "
		       "AND (?3 = '' OR k.folded = ?3 OR r.category = ?4) AND instr(r.folded, ?5) "
		       "AND instr(r.folded, ?6) AND instr(r.folded, ?7) AND instr(r.folded, ?8) "
		       "ORDER BY r.position LIMIT ?9",
		.position = 8,
		.query = &query->page,
		.give = give_series,
		.ctx = (void *)query};

	return catalog_page_read(c, &page, next, f);
}

/* --- episodes --------------------------------------------------------------------------------- */

struct place {
	int64_t season, number;
	char key[IDENT_KEY_MAX];
};

/* "season.number.key" of the last one that was given. */
static int read_place(struct span cursor, struct place *p, struct fail *f)
{
	struct span rest = cursor, season, number;

	*p = (struct place){-1, -1, ""};
	if (rest.len == 0)
		return 0;
	span_next(&rest, '.', &season);
	span_next(&rest, '.', &number);
	if (!num_parse(season, 0, INT64_MAX, &p->season) ||
		!num_parse(number, 0, INT64_MAX, &p->number) ||
		!span_copy(rest, p->key, sizeof(p->key)))
		return fail_set(f, FAIL_INPUT, "This cursor is none of ours");
	return 0;
}

static bool read_episode(const struct series *series, struct db_stmt *st, struct episode *out)
{
	struct ident id;

	if (!ident_make(IDENT_EP, span_of(series->ident.source), db_text(st, 0), &id))
		return false;
	ident_print(&id, out->id, sizeof(out->id));
	snprintf(out->key, sizeof(out->key), "%s", id.key);
	text_clean(db_text(st, 1), out->name, sizeof(out->name));
	catalog_copy(db_text(st, 2), out->poster, sizeof(out->poster));
	catalog_copy(db_text(st, 3), out->plot, sizeof(out->plot));
	catalog_copy(db_text(st, 4), out->suffix, sizeof(out->suffix));
	out->season = db_int(st, 5);
	out->number = db_int(st, 6);
	out->duration_s = db_int(st, 7);
	return true;
}

static int prepare_episodes(struct db *db, const struct series *series,
	const struct episode_query *q, const struct place *from, struct db_stmt **st,
	struct fail *f)
{
	static const char sql[] =
		"SELECT e.key, e.name, e.poster, e.plot, e.suffix, e.season, e.number, "
		"e.duration_s FROM source AS s JOIN episode AS e ON e.source = s.id "
		"AND e.generation IN (0, s.series_generation) WHERE s.name = ?1 "
		"AND e.series = ?2 AND (?3 < 0 OR e.season = ?3) AND (?4 < 0 OR e.number = ?4) "
		"AND (e.season, e.number, e.key) > (?5, ?6, ?7) "
		"ORDER BY e.season, e.number, e.key LIMIT ?8";

	if (db_prepare(db, sql, st, f) < 0)
		return -1;
	db_bind_text(*st, 1, span_of(series->source));
	db_bind_text(*st, 2, span_of(series->ident.key));
	db_bind_int(*st, 3, q->season);
	db_bind_int(*st, 4, q->number);
	db_bind_int(*st, 5, from->season);
	db_bind_int(*st, 6, from->number);
	db_bind_text(*st, 7, span_of(from->key));
	return 0;
}

int catalog_episodes(struct catalog *c, const struct series *series, const struct episode_query *q,
	char *next, struct fail *f)
{
	enum db_step step = DB_FAILED;
	struct place last;
	struct episode episode;
	struct db *db = NULL;
	struct db_stmt *st;
	bool more = false;
	int64_t left;

	left = q->limit ? q->limit : CATALOG_LIMIT_MAX;
	if (left < 1 || left > CATALOG_LIMIT_MAX)
		return fail_set(f, FAIL_INPUT, "A page has 1 to %d episodes", CATALOG_LIMIT_MAX);
	if (read_place(q->cursor, &last, f) < 0 || catalog_begin(c, &db, f) < 0)
		return -1;
	next[0] = '\0';
	if (!db)
		return 0;
	if (prepare_episodes(db, series, q, &last, &st, f) == 0) {
		db_bind_int(st, 8, left + 1);
		while ((step = db_step(st, f)) == DB_ROW && !more) {
			more = left-- == 0;
			if (more || !read_episode(series, st, &episode))
				continue;
			more = q->each(q->ctx, &episode) != 0;
			last = (struct place){episode.season, episode.number, ""};
			snprintf(last.key, sizeof(last.key), "%s", episode.key);
		}
		db_done(st);
	}
	catalog_end(c, db);
	if (more)
		snprintf(next, CATALOG_CURSOR_MAX, "%" PRId64 ".%" PRId64 ".%s", last.season,
			last.number, last.key);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_series_asked(
	struct catalog *c, const struct series *series, struct series_asked *out, struct fail *f)
{
	static const char sql[] =
		"SELECT a.asked_ms, a.kind, a.trouble FROM source AS s JOIN asked AS a "
		"ON a.source = s.id WHERE s.name = ?1 AND a.series = ?2";
	enum db_step step = DB_FAILED;
	struct db *db = NULL;
	struct db_stmt *st;

	*out = (struct series_asked){0};
	if (catalog_begin(c, &db, f) < 0)
		return -1;
	if (!db)
		return 0;
	if (db_prepare(db, sql, &st, f) == 0) {
		db_bind_text(st, 1, span_of(series->source));
		db_bind_text(st, 2, span_of(series->ident.key));
		step = db_step(st, f);
		if (step == DB_ROW) {
			out->asked_ms = db_int(st, 0);
			out->why.kind = (enum fail_kind)db_int(st, 1);
			text_clean(db_text(st, 2), out->why.text, sizeof(out->why.text));
		}
		db_done(st);
	}
	catalog_end(c, db);
	return step == DB_FAILED ? -1 : 0;
}
