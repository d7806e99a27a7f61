/* lib/svc/catalog.c - the channels that can be played.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/db.h"
#include "lib/svc/catalog_schema.h"

enum { CONNECTIONS = 4, WORDS = 4 };

struct catalog {
	const struct conf *conf;
	pthread_mutex_t lock; /* guards what follows; nothing else is taken under it */
	pthread_cond_t back;  /* a connection was given back */
	struct db *idle[CONNECTIONS];
	int idle_count, lent;
};

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
	must(c->lent >= 0 && c->idle_count + c->lent <= CONNECTIONS);
	pthread_cond_signal(&c->back);
	pthread_mutex_unlock(&c->lock);
}

/* Lends a connection in a read transaction: all that is read belongs together. *db is NULL when
 * there is no database yet; otherwise end() must follow. */
static int begin(struct catalog *c, struct db **db, struct fail *f)
{
	*db = NULL;
	pthread_mutex_lock(&c->lock);
	while (c->lent == CONNECTIONS)
		pthread_cond_wait(&c->back, &c->lock);
	c->lent++;
	if (c->idle_count)
		*db = c->idle[--c->idle_count];
	pthread_mutex_unlock(&c->lock);

	/* The file may have been replaced since. */
	if (*db && db_broken(*db))
		db_close(db);
	if (!*db && (catalog_schema_read(c->conf, db, f) < 0 || !*db)) {
		bool failed = *db == NULL && f->kind != FAIL_NONE;
		give_back(c, NULL);
		return failed ? -1 : 0;
	}
	if (db_begin_read(*db, f) == 0)
		return 0;
	give_back(c, *db);
	return -1;
}

static void end(struct catalog *c, struct db *db)
{
	db_rollback(db);
	give_back(c, db);
}

/* --- rows ---------------------------------------------------------------------------------------
 */

#define COLUMNS                                                                                    \
	"c.key, c.name, coalesce(k.name, ''), c.logo, c.epg, c.number, c.archive_days, c.adult, "  \
	"c.position "
#define JOINED                                                                                     \
	"FROM source AS s JOIN channel AS c ON c.source = s.id AND c.generation = s.generation "   \
	"LEFT JOIN category AS k ON k.source = s.id AND k.generation = s.generation "              \
	"AND k.key = c.category "

/* False for a row whose key cannot be an id, which no import writes. */
static bool read_channel(
	const struct catalog *c, const char *source, struct db_stmt *st, struct channel *out)
{
	bool several = c->conf->source_count > 1;

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
static int find_in(struct catalog *c, struct db *db, const char *source, const char *key,
	struct channel *out, struct fail *f)
{
	static const char sql[] = "SELECT " COLUMNS JOINED "WHERE s.name = ?1 AND c.key = ?2";
	struct db_stmt *st;
	enum db_step step;
	int found = 0;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_text(st, 2, span_of(key));
	step = db_step(st, f);
	if (step == DB_ROW)
		found = read_channel(c, source, st, out);
	db_done(st);
	return step == DB_FAILED ? -1 : found;
}

int catalog_channel(struct catalog *c, const struct ident *id, struct channel *out, struct fail *f)
{
	struct db *db = NULL;
	int known = 0;

	if (id->kind != IDENT_LIVE)
		return fail_set(f, FAIL_MISSING, "There is no such channel");
	if (begin(c, &db, f) < 0)
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
		end(c, db);
	if (known < 0)
		return -1;
	if (known > 1)
		return fail_set(f, FAIL_MISSING,
			"Several sources have a channel %s; put the source's name and a dot before "
			"it",
			id->key);
	return known ? 0 : fail_set(f, FAIL_MISSING, "There is no such channel");
}

/* --- pages --------------------------------------------------------------------------------------
 */

struct page {
	const struct catalog_query *query;
	char category[CHANNEL_CATEGORY_MAX];
	char words[WORDS][CHANNEL_NAME_MAX];
	size_t source;		  /* index in the configuration */
	int64_t number, position; /* the last row given */
	int64_t left;
	bool stopped;
};

/* A cursor is "source.number.position" of the last row that was given. */
static int read_cursor(const struct catalog *c, struct page *p, struct fail *f)
{
	struct span rest = p->query->cursor, source, number;

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

static void read_words(struct page *p)
{
	char folded[CHANNEL_NAME_MAX];
	struct span rest, word;
	size_t n = 0;

	text_fold(p->query->q, folded, sizeof(folded));
	rest = span_of(folded);
	while (n < WORDS && span_next(&rest, ' ', &word)) {
		if (word.len)
			span_copy(word, p->words[n++], sizeof(p->words[0]));
	}
	text_fold(p->query->category, p->category, sizeof(p->category));
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

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_int(st, 2, p->number);
	db_bind_int(st, 3, p->position);
	db_bind_text(st, 4, span_of(p->category));
	db_bind_text(st, 5, p->query->category);
	for (int i = 0; i < WORDS; i++)
		db_bind_text(st, 6 + i, span_of(p->words[i]));
	db_bind_int(st, 10, p->left + 1); /* one more tells whether there is another page */
	while ((step = db_step(st, f)) == DB_ROW && !p->stopped) {
		if (p->left == 0) {
			p->stopped = true;
			break;
		}
		p->number = db_int(st, 5);
		p->position = db_int(st, 8);
		if (!read_channel(c, source, st, &channel))
			continue;
		p->left--;
		p->stopped = p->query->each(p->query->ctx, &channel) != 0;
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_channels(
	struct catalog *c, const struct catalog_query *query, char *next, struct fail *f)
{
	struct page p = {.query = query, .left = query->limit ? query->limit : CATALOG_LIMIT};
	struct db *db = NULL;
	int result = 0;

	if (p.left < 1 || p.left > CATALOG_LIMIT_MAX)
		return fail_set(f, FAIL_INPUT, "A page has 1 to %d channels", CATALOG_LIMIT_MAX);
	if (read_cursor(c, &p, f) < 0 || begin(c, &db, f) < 0)
		return -1;
	next[0] = '\0'; /* only now: the cursor may have stood there */
	read_words(&p);
	while (db && p.source < c->conf->source_count) {
		result = give_rows(c, db, &p, f);
		if (result < 0 || p.stopped)
			break;
		p.source++;
		p.number = p.position = -1;
	}
	if (db)
		end(c, db);
	if (result == 0 && p.stopped)
		snprintf(next, CATALOG_CURSOR_MAX, "%s.%" PRId64 ".%" PRId64,
			c->conf->sources[p.source].name, p.number, p.position);
	return result;
}

/* --- categories and state
 * ------------------------------------------------------------------------- */

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

	if (begin(c, &db, f) < 0)
		return -1;
	for (size_t i = 0; db && i < c->conf->source_count && result == 0 && !to.stopped; i++)
		result = give_categories(db, c->conf->sources[i].name, &to, f);
	if (db)
		end(c, db);
	return result;
}

int catalog_revision(struct catalog *c, int64_t *revision, struct fail *f)
{
	struct db *db = NULL;
	struct db_stmt *st;
	enum db_step step = DB_FAILED;

	*revision = 0;
	if (begin(c, &db, f) < 0)
		return -1;
	if (!db)
		return 0;
	if (db_prepare(db, "SELECT value FROM revision", &st, f) == 0) {
		step = db_step(st, f);
		if (step == DB_ROW)
			*revision = db_int(st, 0);
		db_done(st);
	}
	end(c, db);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_state(struct catalog *c, const char *source, struct catalog_state *out, struct fail *f)
{
	static const char sql[] =
		"SELECT imported_ms, tried_ms, channels, trouble FROM source WHERE name = ?1";
	struct db *db = NULL;
	struct db_stmt *st;
	enum db_step step = DB_FAILED;

	*out = (struct catalog_state){0};
	if (begin(c, &db, f) < 0)
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
			text_clean(db_text(st, 3), out->trouble, sizeof(out->trouble));
		}
		db_done(st);
	}
	end(c, db);
	return step == DB_FAILED ? -1 : 0;
}

int64_t catalog_imported_ms(struct catalog *c, const char *source)
{
	struct catalog_state state;
	struct fail why = {0};

	return catalog_state(c, source, &state, &why) == 0 ? state.imported_ms : 0;
}
