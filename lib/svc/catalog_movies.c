/* lib/svc/catalog_movies.c - the films that can be played, a page at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog_movies.h"

#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"
#include "lib/svc/catalog_page.h"
#include "lib/svc/source.h"

/* Those that an import wrote; it writes no others. */
static bool read_movie(
	const struct catalog *c, const char *source, struct db_stmt *st, struct movie *out)
{
	bool several = source_several(c->conf);
	struct ident id;

	if (!ident_make(IDENT_VOD, span_of(several ? source : ""), db_text(st, 1), &id))
		return false;
	ident_print(&id, out->id, sizeof(out->id));
	text_clean(db_text(st, 2), out->name, sizeof(out->name));
	text_clean(db_text(st, 3), out->category, sizeof(out->category));
	if (!span_copy(db_text(st, 4), out->poster, sizeof(out->poster)))
		out->poster[0] = '\0';
	out->year = db_int(st, 5);
	out->rating = db_int(st, 6);
	return true;
}

static bool give(void *ctx, const struct catalog *c, const char *source, struct db_stmt *row)
{
	const struct movie_query *query = ctx;
	struct movie movie;

	if (!read_movie(c, source, row, &movie))
		return false;
	query->each(query->ctx, &movie);
	return true;
}

int catalog_movies(struct catalog *c, const struct movie_query *query, char *next, struct fail *f)
{
	struct catalog_page page = {
		.sql = "SELECT m.position, m.key, m.name, coalesce(k.name, ''), m.poster, m.year, "
		       "m.rating FROM source AS s JOIN film AS m ON m.source = s.id "
		       "AND m.generation = s.film_generation LEFT JOIN shelf AS k "
		       "ON k.source = s.id AND k.generation = m.generation AND k.kind = 1 "
		       "AND k.key = m.category WHERE s.name = ?1 AND m.position > ?2 "
		       "AND (?3 = '' OR k.folded = ?3 OR m.category = ?4) "
		       "AND instr(m.folded, ?5) AND instr(m.folded, ?6) "
		       "AND instr(m.folded, ?7) AND instr(m.folded, ?8) "
		       "ORDER BY m.position LIMIT ?9",
		.position = 0,
		.query = &query->page,
		.give = give,
		.ctx = (void *)query,
	};

	return catalog_page_read(c, &page, next, f);
}

/* --- categories ------------------------------------------------------------------------------- */

/* What an earlier source has given is left out: names are told once. */
#define CATEGORIES(titles, generation, kind)                                                       \
	"SELECT k.name FROM source AS s JOIN shelf AS k ON k.source = s.id "                       \
	"AND k.generation = s." generation " AND k.kind = " kind " WHERE s.name = ?1 AND EXISTS "  \
	"(SELECT 1 FROM " titles " AS m WHERE m.source = s.id AND m.generation = k.generation "    \
	"AND m.category = k.key) AND NOT EXISTS "                                                  \
	"(SELECT 1 FROM source AS e JOIN shelf AS o ON o.source = e.id "                           \
	"AND o.generation = e." generation " AND o.kind = " kind " WHERE e.id < s.id "             \
	"AND o.folded = k.folded AND EXISTS (SELECT 1 FROM " titles " AS n WHERE n.source = e.id " \
	"AND n.generation = o.generation AND n.category = o.key)) ORDER BY k.position"

static int give_categories(struct db *db, const char *sql, const char *source,
	const struct catalog_names *to, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	while ((step = db_step(st, f)) == DB_ROW) {
		char name[CHANNEL_CATEGORY_MAX];

		text_clean(db_text(st, 0), name, sizeof(name));
		to->each(to->ctx, name);
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_title_categories(
	struct catalog *c, enum ident_kind kind, const struct catalog_names *to, struct fail *f)
{
	static const char films[] = CATEGORIES("film", "film_generation", "1"),
			  series[] = CATEGORIES("series", "series_generation", "2");
	const char *sql = kind == IDENT_SER ? series : films;
	struct db *db = NULL;
	int result = 0;

	if (catalog_begin(c, &db, f) < 0)
		return -1;
	for (size_t i = 0; db && i < c->conf->source_count && result == 0; i++)
		result = give_categories(db, sql, c->conf->sources[i].name, to, f);
	if (db)
		catalog_end(c, db);
	return result;
}
