/* lib/svc/catalog_film.c - what the catalogue knows of a film, or of an episode as of a film.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"
#include "lib/svc/source.h"

void catalog_copy(struct span text, char *to, size_t size)
{
	if (!span_copy(text, to, size))
		to[0] = '\0';
}

static bool read_row(const struct catalog *c, enum ident_kind kind, const char *source,
	struct db_stmt *st, struct film *out)
{
	bool several = source_several(c->conf);

	if (!ident_make(kind, span_of(several ? source : ""), db_text(st, 0), &out->ident))
		return false;
	ident_print(&out->ident, out->id, sizeof(out->id));
	snprintf(out->source, sizeof(out->source), "%s", source);
	text_clean(db_text(st, 1), out->name, sizeof(out->name));
	catalog_copy(db_text(st, 2), out->poster, sizeof(out->poster));
	catalog_copy(db_text(st, 3), out->plot, sizeof(out->plot));
	catalog_copy(db_text(st, 4), out->suffix, sizeof(out->suffix));
	catalog_copy(db_text(st, 5), out->url, sizeof(out->url));
	out->year = db_int(st, 6);
	out->series[0] = '\0';
	return true;
}

static bool read_film(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	return read_row(c, IDENT_VOD, source, st, to);
}

static bool read_episode(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	char series[CHANNEL_NAME_MAX], text[2 * CHANNEL_NAME_MAX + 40];
	struct film *out = to;
	struct ident id;

	if (!read_row(c, IDENT_EP, source, st, out) ||
		!ident_make(IDENT_SER, span_of(out->ident.source), db_text(st, 10), &id))
		return false;
	ident_print(&id, out->series, sizeof(out->series));
	out->season = db_int(st, 8);
	out->episode = db_int(st, 9);
	text_clean(db_text(st, 7), series, sizeof(series));
	snprintf(text, sizeof(text), "%s S%02lldE%02lld %s", series, (long long)out->season,
		(long long)out->episode, out->name);
	text_clean(span_of(text), out->name, sizeof(out->name));
	return true;
}

bool film_is_sound(const struct film *film)
{
	static const char *const endings[] = {
		"mp3", "flac", "m4a", "aac", "ogg", "oga", "opus", "wav", "mka", "wma"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_is(span_of(film->suffix), endings[i]))
			return true;
	}
	return false;
}

/* A file of sound, which is listed among the films of its source. */
static bool read_track(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	return read_row(c, IDENT_TRK, source, st, to) && film_is_sound(to);
}

int catalog_film(struct catalog *c, const struct ident *id, struct film *out, struct fail *f)
{
	static const struct catalog_kind film = {IDENT_VOD, "film",
		"SELECT m.key, m.name, m.poster, m.plot, m.suffix, m.url, m.year "
		"FROM source AS s JOIN film AS m ON m.source = s.id "
		"AND m.generation = s.film_generation WHERE s.name = ?1 AND m.key = ?2",
		read_film};
	static const struct catalog_kind episode = {IDENT_EP, "episode",
		"SELECT e.key, e.name, CASE e.poster WHEN '' THEN r.poster ELSE e.poster END, "
		"e.plot, e.suffix, e.url, r.year, r.name, e.season, e.number, r.key "
		"FROM source AS s JOIN episode AS e ON e.source = s.id "
		"AND e.generation IN (0, s.series_generation) "
		"JOIN series AS r ON r.source = s.id AND r.generation = s.series_generation "
		"AND r.key = e.series WHERE s.name = ?1 AND e.key = ?2",
		read_episode};

	struct catalog_kind track = {IDENT_TRK, "track", film.sql, read_track};

	if (id->kind == IDENT_TRK)
		return catalog_find(c, &track, id, out, f);
	return catalog_find(c, id->kind == IDENT_EP ? &episode : &film, id, out, f);
}
