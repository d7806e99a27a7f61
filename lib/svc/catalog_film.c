/* lib/svc/catalog_film.c - the catalogue's films.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"

/* What is too long or holds a NUL, which no import writes, is left out. */
static void copy(struct span text, char *to, size_t size)
{
	if (!span_copy(text, to, size))
		to[0] = '\0';
}

static bool read_film(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	struct film *out = to;
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

int catalog_film(struct catalog *c, const struct ident *id, struct film *out, struct fail *f)
{
	static const struct catalog_kind kind = {IDENT_VOD, "film",
		"SELECT m.key, m.name, m.poster, m.plot, m.suffix, m.url, m.year "
		"FROM source AS s JOIN film AS m ON m.source = s.id "
		"AND m.generation = s.film_generation WHERE s.name = ?1 AND m.key = ?2",
		read_film};

	return catalog_find(c, &kind, id, out, f);
}
