/* lib/svc/catalog.c - the channels that can be played.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/http/alike.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/db.h"
#include "lib/svc/catalog_inside.h"
#include "lib/svc/catalog_page.h"
#include "lib/svc/catalog_schema.h"
#include "lib/svc/source.h"

int catalog_open(struct catalog **out, const struct conf *conf, struct fail *f)
{
	struct catalog *c;

	for (size_t i = 0; i < conf->source_count; i++) {
		if (!ident_source_ok(span_of(conf->sources[i].name)))
			return fail_set(f, FAIL_INPUT, "A source cannot be named \"%s\"",
				conf->sources[i].name);
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return fail_set(f, FAIL_BUSY, "There is no memory for the catalogue");
	c->conf = conf;
	must(pthread_mutex_init(&c->lock, NULL) == 0);
	must(pthread_cond_init(&c->back, NULL) == 0);
	*out = c;
	return 0;
}

void catalog_close(struct catalog **c)
{
	if (!*c)
		return;
	must((*c)->lent == 0);
	while ((*c)->idle_count)
		db_close(&(*c)->idle[--(*c)->idle_count]);
	pthread_cond_destroy(&(*c)->back);
	pthread_mutex_destroy(&(*c)->lock);
	free(*c);
	*c = NULL;
}

/* Gives a connection back; NULL when none could be opened. */
static void give_back(struct catalog *c, struct db *db)
{
	if (db && db_broken(db))
		db_close(&db);
	pthread_mutex_lock(&c->lock);
	c->lent--;
	if (db)
		c->idle[c->idle_count++] = db;
	must(c->lent >= 0 && c->idle_count + c->lent <= CATALOG_CONNECTIONS);
	pthread_cond_signal(&c->back);
	pthread_mutex_unlock(&c->lock);
}

int catalog_begin(struct catalog *c, struct db **db, struct fail *f)
{
	*db = NULL;
	pthread_mutex_lock(&c->lock);
	while (c->lent == CATALOG_CONNECTIONS)
		pthread_cond_wait(&c->back, &c->lock);
	c->lent++;
	if (c->idle_count)
		*db = c->idle[--c->idle_count];
	pthread_mutex_unlock(&c->lock);

	/* The file may have been replaced since. */
	if (*db && db_broken(*db))
		db_close(db);
	if (!*db) {
		int result = catalog_schema_read(c->conf, db, f);

		if (!*db) {
			give_back(c, NULL);
			return result;
		}
	}
	if (db_begin_read(*db, f) == 0)
		return 0;
	give_back(c, *db);
	return -1;
}

void catalog_end(struct catalog *c, struct db *db)
{
	db_rollback(db);
	give_back(c, db);
}

/* --- rows ------------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
	"c.key, c.name, coalesce(k.name, ''), c.logo, c.epg, c.number, c.archive_days, c.adult, "  \
	"c.position, c.alike, c.guide, c.folded "
#define JOINED                                                                                     \
	"FROM source AS s JOIN channel AS c ON c.source = s.id AND c.generation = s.generation "   \
	"LEFT JOIN category AS k ON k.source = s.id AND k.generation = s.generation "              \
	"AND k.key = c.category "

/* False for a row whose key cannot be an id, which no import writes. */
static bool read_channel(const struct catalog *c, const char *source, struct db_stmt *st, void *to)
{
	struct channel *out = to;
	bool several = source_several(c->conf);

	if (!ident_make(IDENT_LIVE, span_of(several ? source : ""), db_text(st, 0), &out->ident))
		return false;
	ident_print(&out->ident, out->id, sizeof(out->id));
	ident_print_bare(&out->ident, out->stream_id, sizeof(out->stream_id));
	snprintf(out->source, sizeof(out->source), "%s", source);
	text_clean(db_text(st, 1), out->name, sizeof(out->name));
	text_clean(db_text(st, 2), out->category, sizeof(out->category));
	if (!span_copy(db_text(st, 3), out->logo, sizeof(out->logo)))
		out->logo[0] = '\0';
	text_clean(db_text(st, 4), out->epg, sizeof(out->epg));
	out->number = db_int(st, 5);
	out->archive_days = db_int(st, 6);
	out->adult = db_int(st, 7) != 0;
	return true;
}

/* 1: found, 0: not there, -1: failed. */
static int find_in(struct catalog *c, struct db *db, const struct catalog_kind *k,
	const char *source, const char *key, void *out, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;
	int found = 0;

	if (db_prepare(db, k->sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_text(st, 2, span_of(key));
	step = db_step(st, f);
	if (step == DB_ROW)
		found = k->read(c, source, st, out);
	db_done(st);
	return step == DB_FAILED ? -1 : found;
}

int catalog_find(struct catalog *c, const struct catalog_kind *k, const struct ident *id, void *out,
	struct fail *f)
{
	struct db *db = NULL;
	int known = 0;

	if (id->kind != k->kind)
		return fail_set(f, FAIL_MISSING, "There is no such %s", k->noun);
	if (catalog_begin(c, &db, f) < 0)
		return -1;
	for (size_t i = 0; db && i < c->conf->source_count && known >= 0; i++) {
		const char *source = c->conf->sources[i].name;
		int found;

		if (*id->source && strcmp(id->source, source) != 0)
			continue;
		found = find_in(c, db, k, source, id->key, out, f);
		known = found < 0 ? -1 : known + found;
	}
	if (db)
		catalog_end(c, db);
	if (known < 0)
		return -1;
	if (known > 1)
		return fail_set(f, FAIL_MISSING,
			"Several sources have a %s %s; put the source's name and a dot before it",
			k->noun, id->key);
	return known ? 0 : fail_set(f, FAIL_MISSING, "There is no such %s", k->noun);
}

int catalog_channel(struct catalog *c, const struct ident *id, struct channel *out, struct fail *f)
{
	static const struct catalog_kind kind = {IDENT_LIVE, "channel",
		"SELECT " COLUMNS JOINED "WHERE s.name = ?1 AND c.key = ?2", read_channel};

	return catalog_find(c, &kind, id, out, f);
}

int catalog_address(struct catalog *c, const struct channel_entry *entry,
	struct channel_address *out, struct fail *f)
{
	static const char sql[] =
		"SELECT a.url, a.agent, a.referrer FROM source AS s JOIN address AS a "
		"ON a.source = s.id AND a.generation = s.generation "
		"WHERE s.name = ?1 AND a.key = ?2 AND a.entry = ?3";
	enum db_step step = DB_FAILED;
	struct db *db = NULL;
	struct db_stmt *st;
	bool found = false;

	if (catalog_begin(c, &db, f) < 0)
		return -1;
	if (db && db_prepare(db, sql, &st, f) == 0) {
		db_bind_text(st, 1, span_of(entry->source));
		db_bind_text(st, 2, span_of(entry->key));
		db_bind_int(st, 3, entry->number);
		step = db_step(st, f);
		found = step == DB_ROW && span_copy(db_text(st, 0), out->url, sizeof(out->url)) &&
			span_copy(db_text(st, 1), out->agent, sizeof(out->agent)) &&
			span_copy(db_text(st, 2), out->referrer, sizeof(out->referrer));
		db_done(st);
	}
	if (db)
		catalog_end(c, db);
	if (db && step == DB_FAILED)
		return -1;
	return found ? 0 : fail_set(f, FAIL_MISSING, "The list has no such address");
}

/* --- one channel of several sources ----------------------------------------------------------- */

/* What sources are compared by. */
struct marks {
	struct span alike, guide, folded;
};

/* 1: `source` has it, 0: it has not, -1: failed. By the guide's id first, then by the same name,
 * then by one that is alike. */
static int find_alike(struct db *db, const char *source, const struct marks *m,
	char key[IDENT_KEY_MAX], struct fail *f)
{
	static const char sql[] =
		"SELECT c.key FROM source AS s JOIN channel AS c ON c.source = s.id AND "
		"c.generation = s.generation WHERE s.name = ?1 AND (c.alike = ?2 OR "
		"(c.guide = ?3 AND c.guide <> '')) ORDER BY (c.guide = ?3 AND c.guide <> '') "
		"DESC, c.folded = ?4 DESC, c.number, c.position LIMIT 1";
	struct db_stmt *st;
	enum db_step step;
	int found = 0;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_text(st, 2, m->alike);
	db_bind_text(st, 3, m->guide);
	db_bind_text(st, 4, m->folded);
	step = db_step(st, f);
	if (step == DB_ROW)
		found = span_copy(db_text(st, 0), key, IDENT_KEY_MAX);
	db_done(st);
	return step == DB_FAILED ? -1 : found;
}

int catalog_alike(struct catalog *c, const char *source, const struct channel *channel,
	char key[IDENT_KEY_MAX], struct fail *f)
{
	char alike[CHANNEL_NAME_MAX], guide[CHANNEL_EPG_MAX], folded[CHANNEL_NAME_MAX];
	struct span name = span_of(channel->name);
	struct db *db = NULL;
	struct marks m;
	int found = 0;

	key[0] = '\0';
	if (catalog_begin(c, &db, f) < 0)
		return -1;
	m.alike = span_make(alike, alike_name(name, alike, sizeof(alike)));
	m.guide = span_make(guide, text_fold(span_of(channel->epg), guide, sizeof(guide)));
	m.folded = span_make(folded, text_fold(name, folded, sizeof(folded)));
	if (db) {
		found = find_alike(db, source, &m, key, f);
		catalog_end(c, db);
	}
	return found < 0 ? -1 : 0;
}

/* Whether an earlier source of the group lists it already; read from a row of COLUMNS. */
static int is_listed_before(
	const struct catalog *c, struct db *db, size_t source, struct db_stmt *st, struct fail *f)
{
	const struct conf_source *own = &c->conf->sources[source];
	struct marks m = {db_text(st, 9), db_text(st, 10), db_text(st, 11)};
	char key[IDENT_KEY_MAX];
	int found = 0;

	for (size_t i = 0; *own->group && i < source && found == 0; i++) {
		if (strcmp(c->conf->sources[i].group, own->group) == 0)
			found = find_alike(db, c->conf->sources[i].name, &m, key, f);
	}
	return found;
}

/* --- pages ------------------------------------------------------------------------------------ */

struct page {
	const struct catalog_query *query;
	struct page_words words;
	size_t source;		  /* index in the configuration */
	int64_t number, position; /* the last row given */
	int64_t left;
	bool stopped;
};

/* A cursor is "source.number.position" of the last row that was given. */
static int read_cursor(const struct catalog *c, struct page *p, struct fail *f)
{
	struct span rest = p->query->page.cursor, source, number;

	p->number = p->position = -1;
	if (rest.len == 0)
		return 0;
	span_next(&rest, '.', &source);
	span_next(&rest, '.', &number);
	for (p->source = 0; p->source < c->conf->source_count; p->source++) {
		if (span_is(source, c->conf->sources[p->source].name))
			break;
	}
	if (p->source == c->conf->source_count || !num_parse(number, -1, INT64_MAX, &p->number) ||
		!num_parse(rest, -1, INT64_MAX, &p->position))
		return fail_set(f, FAIL_INPUT, "This cursor is none of ours");
	return 0;
}

static int give_rows(struct catalog *c, struct db *db, struct page *p, struct fail *f)
{
	static const char sql[] =
		"SELECT " COLUMNS JOINED "WHERE s.name = ?1 AND (c.number, c.position) > (?2, ?3) "
		"AND (?4 = '' OR k.folded = ?4 OR c.category = ?5) "
		"AND instr(c.folded, ?6) AND instr(c.folded, ?7) "
		"AND instr(c.folded, ?8) AND instr(c.folded, ?9) "
		"ORDER BY c.number, c.position LIMIT ?10";
	const char *source = c->conf->sources[p->source].name;
	struct channel channel;
	struct db_stmt *st;
	enum db_step step;
	int before = 0;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_int(st, 2, p->number);
	db_bind_int(st, 3, p->position);
	db_bind_text(st, 4, span_of(p->words.category));
	db_bind_text(st, 5, p->query->page.category);
	for (int i = 0; i < PAGE_WORDS; i++)
		db_bind_text(st, 6 + i, span_of(p->words.word[i]));
	/* One more tells whether there is another page; which of a group are left out, nobody
	 * knows. */
	db_bind_int(st, 10, *c->conf->sources[p->source].group ? -1 : p->left + 1);
	while ((step = db_step(st, f)) == DB_ROW && !p->stopped) {
		if (p->left == 0) {
			p->stopped = true;
			break;
		}
		p->number = db_int(st, 5);
		p->position = db_int(st, 8);
		before = is_listed_before(c, db, p->source, st, f);
		if (before < 0)
			break;
		if (before || !read_channel(c, source, st, &channel))
			continue;
		p->left--;
		p->stopped = p->query->each(p->query->ctx, &channel) != 0;
	}
	db_done(st);
	return step == DB_FAILED || before < 0 ? -1 : 0;
}

int catalog_channels(
	struct catalog *c, const struct catalog_query *query, char *next, struct fail *f)
{
	struct page p = {
		.query = query, .left = query->page.limit ? query->page.limit : CATALOG_LIMIT};
	struct db *db = NULL;
	int result = 0;

	if (p.left < 1 || p.left > CATALOG_LIMIT_MAX)
		return fail_set(f, FAIL_INPUT, "A page has 1 to %d channels", CATALOG_LIMIT_MAX);
	if (read_cursor(c, &p, f) < 0 || catalog_begin(c, &db, f) < 0)
		return -1;
	next[0] = '\0'; /* only now: the cursor may have stood there */
	page_words_read(&query->page, &p.words);
	while (db && p.source < c->conf->source_count) {
		result = give_rows(c, db, &p, f);
		if (result < 0 || p.stopped)
			break;
		p.source++;
		p.number = p.position = -1;
	}
	if (db)
		catalog_end(c, db);
	if (result == 0 && p.stopped)
		snprintf(next, CATALOG_CURSOR_MAX, "%s.%" PRId64 ".%" PRId64,
			c->conf->sources[p.source].name, p.number, p.position);
	return result;
}
