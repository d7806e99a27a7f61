/* lib/svc/catalog_state.c - the categories, and how old the lists are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"

struct categories {
	int (*each)(void *ctx, const struct catalog_category *category);
	void *ctx;
	bool stopped;
};

static int give_categories(struct db *db, const char *source, struct categories *to, struct fail *f)
{
	/* What an earlier source has given is left out: names are told once. */
	static const char sql[] =
		"SELECT k.name, k.channels FROM source AS s JOIN category AS k ON k.source = s.id "
		"AND k.generation = s.generation WHERE s.name = ?1 AND k.channels > 0 AND NOT "
		"EXISTS "
		"(SELECT 1 FROM source AS e JOIN category AS o ON o.source = e.id AND "
		"o.generation = e.generation WHERE e.id < s.id AND o.channels > 0 "
		"AND o.folded = k.folded) ORDER BY k.position";
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	while ((step = db_step(st, f)) == DB_ROW && !to->stopped) {
		struct catalog_category category = {db_text(st, 0).ptr, db_int(st, 1)};
		to->stopped = to->each(to->ctx, &category) != 0;
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_categories(struct catalog *c,
	int (*each)(void *ctx, const struct catalog_category *category), void *ctx, struct fail *f)
{
	struct categories to = {each, ctx, false};
	struct db *db = NULL;
	int result = 0;

	if (catalog_begin(c, &db, f) < 0)
		return -1;
	for (size_t i = 0; db && i < c->conf->source_count && result == 0 && !to.stopped; i++)
		result = give_categories(db, c->conf->sources[i].name, &to, f);
	if (db)
		catalog_end(c, db);
	return result;
}

int catalog_state(struct catalog *c, const char *source, struct catalog_state *out, struct fail *f)
{
	static const char sql[] = "SELECT imported_ms, tried_ms, channels, trouble, films, series "
				  "FROM source WHERE name = ?1";
	struct db *db = NULL;
	struct db_stmt *st;
	enum db_step step = DB_FAILED;

	*out = (struct catalog_state){0};
	if (catalog_begin(c, &db, f) < 0)
		return -1;
	if (!db)
		return 0;
	if (db_prepare(db, sql, &st, f) == 0) {
		db_bind_text(st, 1, span_of(source));
		step = db_step(st, f);
		if (step == DB_ROW) {
			out->imported_ms = db_int(st, 0);
			out->tried_ms = db_int(st, 1);
			out->channels = db_int(st, 2);
			out->films = db_int(st, 4);
			out->series = db_int(st, 5);
			text_clean(db_text(st, 3), out->trouble, sizeof(out->trouble));
		}
		db_done(st);
	}
	catalog_end(c, db);
	return step == DB_FAILED ? -1 : 0;
}

int64_t catalog_imported_ms(struct catalog *c, const char *source)
{
	struct catalog_state state;
	struct fail why = {0};

	return catalog_state(c, source, &state, &why) == 0 ? state.imported_ms : 0;
}
