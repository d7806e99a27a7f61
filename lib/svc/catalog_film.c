/* lib/svc/catalog_film.c - the catalogue's films.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"

/* What is too long or holds a NUL, which no import writes, is left out. */
static void copy(struct span text, char *to, size_t size)
{
	if (!span_copy(text, to, size))
		to[0] = '\0';
}

static bool read_film(
	const struct catalog *c, const char *source, struct db_stmt *st, struct film *out)
{
	bool several = c->conf->source_count > 1;

	if (!ident_make(IDENT_VOD, span_of(several ? source : ""), db_text(st, 0), &out->ident))
		return false;
	ident_print(&out->ident, out->id, sizeof(out->id));
	snprintf(out->source, sizeof(out->source), "%s", source);
	text_clean(db_text(st, 1), out->name, sizeof(out->name));
	copy(db_text(st, 2), out->poster, sizeof(out->poster));
	copy(db_text(st, 3), out->plot, sizeof(out->plot));
	copy(db_text(st, 4), out->suffix, sizeof(out->suffix));
	copy(db_text(st, 5), out->url, sizeof(out->url));
	out->year = db_int(st, 6);
	return true;
}

/* 1: found, 0: not there, -1: failed. */
static int find_in(struct catalog *c, struct db *db, const char *source, const char *key,
	struct film *out, struct fail *f)
{
	static const char sql[] =
		"SELECT m.key, m.name, m.poster, m.plot, m.suffix, m.url, m.year "
		"FROM source AS s JOIN film AS m ON m.source = s.id "
		"AND m.generation = s.film_generation WHERE s.name = ?1 AND m.key = ?2";
	struct db_stmt *st;
	enum db_step step;
	int found = 0;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_text(st, 2, span_of(key));
	step = db_step(st, f);
	if (step == DB_ROW)
		found = read_film(c, source, st, out);
	db_done(st);
	return step == DB_FAILED ? -1 : found;
}

int catalog_film(struct catalog *c, const struct ident *id, struct film *out, struct fail *f)
{
	struct db *db = NULL;
	int known = 0;

	if (id->kind != IDENT_VOD)
		return fail_set(f, FAIL_MISSING, "There is no such film");
	if (catalog_begin(c, &db, f) < 0)
		return -1;
	for (size_t i = 0; db && i < c->conf->source_count && known >= 0; i++) {
		const char *source = c->conf->sources[i].name;
		int found;

		if (*id->source && strcmp(id->source, source) != 0)
			continue;
		found = find_in(c, db, source, id->key, out, f);
		known = found < 0 ? -1 : known + found;
	}
	if (db)
		catalog_end(c, db);
	if (known < 0)
		return -1;
	if (known > 1)
		return fail_set(f, FAIL_MISSING,
			"Several sources have a film %s; put the source's name and a dot before it",
			id->key);
	return known ? 0 : fail_set(f, FAIL_MISSING, "There is no such film");
}
