/* lib/svc/generation.c - the next list of a source's channels, swapped in whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/http/alike.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/io/db.h"
#include "lib/svc/catalog.h"
#include "lib/svc/catalog_schema.h"
#include "lib/svc/database.h"
#include "lib/svc/generation_inside.h"

enum {
	BATCH = 2000, /* rows a transaction */
	ADDRESSES_MAX = 8
};

static int take_lock(const struct conf *conf, int *lock, struct fail *f)
{
	char path[DATABASE_PATH_MAX];
	int fd;

	if (database_path(conf, "import.lock", path, f) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_errno(f, FAIL_BUSY, errno, "%s cannot be opened", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return fail_set(f, FAIL_CONFLICT, "Another import is running");
	}
	*lock = fd;
	return 0;
}

/* Runs `sql` with `count` numbers. */
static int run(struct db *db, const char *sql, const int64_t *numbers, int count, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		db_bind_int(st, i + 1, numbers[i]);
	return db_run(st, f);
}

/* The source's row, made when it is new, with the next generation's number. */
static int begin_source(struct generation *g, const char *name, struct fail *f)
{
	static const char make[] =
		"INSERT INTO source (name, begun, tried_ms) VALUES (?1, 1, ?2) "
		"ON CONFLICT (name) DO UPDATE SET begun = begun + 1, tried_ms = ?2";
	static const char find[] =
		"SELECT id, begun, channels, films, series FROM source WHERE name = ?1";
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(g->db, make, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(name));
	db_bind_int(st, 2, clock_real_ms());
	if (db_run(st, f) < 0 || db_prepare(g->db, find, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(name));
	step = db_step(st, f);
	must(step != DB_END);
	if (step == DB_ROW) {
		g->source = db_int(st, 0);
		g->number = db_int(st, 1);
		g->counts.before = db_int(st, 2);
		g->before[SOURCE_FILMS] = db_int(st, 3);
		g->before[SOURCE_SERIES] = db_int(st, 4);
	}
	db_done(st);
	return step == DB_ROW ? 0 : -1;
}

/* Removes all rows of the source that are not seen. */
static int sweep(struct generation *g, struct fail *f)
{
	static const char *const unseen[] = {
		"DELETE FROM channel WHERE source = ?1 AND generation <> "
		"(SELECT generation FROM source WHERE id = ?1)",
		"DELETE FROM category WHERE source = ?1 AND generation <> "
		"(SELECT generation FROM source WHERE id = ?1)",
		"DELETE FROM address WHERE source = ?1 AND generation <> "
		"(SELECT generation FROM source WHERE id = ?1)",
		"DELETE FROM film WHERE source = ?1 AND generation <> "
		"(SELECT film_generation FROM source WHERE id = ?1)",
		"DELETE FROM series WHERE source = ?1 AND generation <> "
		"(SELECT series_generation FROM source WHERE id = ?1)",
		"DELETE FROM episode WHERE source = ?1 AND generation NOT IN (0, "
		"(SELECT series_generation FROM source WHERE id = ?1))",
		"DELETE FROM episode WHERE source = ?1 AND generation = 0 AND NOT EXISTS "
		"(SELECT 1 FROM series AS r WHERE r.source = ?1 AND r.generation = "
		"(SELECT series_generation FROM source WHERE id = ?1) AND r.key = episode.series)",
		"DELETE FROM asked WHERE source = ?1 AND NOT EXISTS "
		"(SELECT 1 FROM series AS r WHERE r.source = ?1 AND r.generation = "
		"(SELECT series_generation FROM source WHERE id = ?1) AND r.key = asked.series)",
		"DELETE FROM shelf WHERE source = ?1 AND generation <> (SELECT CASE kind WHEN 1 "
		"THEN film_generation ELSE series_generation END FROM source WHERE id = ?1)",
	};

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		if (run(g->db, unseen[i], &g->source, 1, f) < 0)
			return -1;
	}
	return 0;
}

static void close_generation(struct generation **g)
{
	/* A reader in the middle of a page only means that the log is cut the next time. */
	if ((*g)->db)
		db_exec((*g)->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL);
	db_close(&(*g)->db);
	if ((*g)->lock >= 0)
		close((*g)->lock);
	free(*g);
	*g = NULL;
}

int generation_begin(
	struct generation **out, const struct conf *conf, const char *source, struct fail *f)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (!g)
		return fail_set(f, FAIL_BUSY, "There is no memory for an import");
	g->lock = -1;
	if (catalog_schema_write(conf, &g->db, f) < 0 || take_lock(conf, &g->lock, f) < 0 ||
		begin_source(g, source, f) < 0 || sweep(g, f) < 0) {
		close_generation(&g);
		return -1;
	}
	*out = g;
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

int generation_begin_writing(struct generation *g, struct fail *f)
{
	if (!g->writing && db_begin(g->db, f) < 0)
		return -1;
	g->writing = true;
	return 0;
}

int generation_row(struct generation *g, const char *sql, struct db_stmt **st, struct fail *f)
{
	return generation_begin_writing(g, f) < 0 ? -1 : db_prepare(g->db, sql, st, f);
}

/* Gives the lock on writing back: others may have to note something meanwhile. */
static int rest(void *ctx, struct fail *f)
{
	struct generation *g = ctx;

	if (!g->writing)
		return 0;
	g->writing = false;
	g->pending = 0;
	return db_commit(g->db, f);
}

int generation_count(struct generation *g, int64_t *count, struct fail *f)
{
	if (db_changes(g->db))
		(*count)++;
	else
		g->counts.twice++;
	g->position++;
	return ++g->pending < BATCH ? 0 : rest(g, f);
}

static int put_category(void *ctx, const struct source_category *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO category (source, generation, key, name, folded, position) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	struct generation *g = ctx;
	char folded[CHANNEL_CATEGORY_MAX];
	struct db_stmt *st;

	if (row->kind != SOURCE_CHANNELS)
		return generation_put_shelf(g, row, f);
	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	text_fold(row->name, folded, sizeof(folded));
	db_bind_int(st, 1, g->source);
	db_bind_int(st, 2, g->number);
	db_bind_text(st, 3, row->key);
	db_bind_text(st, 4, row->name);
	db_bind_text(st, 5, span_of(folded));
	db_bind_int(st, 6, g->position);
	if (db_run(st, f) < 0)
		return -1;
	return generation_count(g, &g->counts.categories, f);
}

/* Several for one key are tried in the order of the list. */
static int put_address(struct generation *g, const struct source_channel *row, struct fail *f)
{
	static const char sql[] =
		"INSERT INTO address (source, generation, key, entry, url, agent, referrer) "
		"SELECT ?1, ?2, ?3, n, ?4, ?5, ?6 FROM (SELECT count(*) AS n, "
		"coalesce(sum(url = ?4), 0) AS same FROM address "
		"WHERE source = ?1 AND generation = ?2 AND key = ?3) WHERE n < ?7 AND same = 0";
	struct db_stmt *st;

	must(row->url.len < CHANNEL_URL_MAX);
	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, g->source);
	db_bind_int(st, 2, g->number);
	db_bind_text(st, 3, row->key);
	db_bind_text(st, 4, row->url);
	db_bind_text(st, 5, row->agent);
	db_bind_text(st, 6, row->referrer);
	db_bind_int(st, 7, ADDRESSES_MAX);
	return db_run(st, f);
}

static int put_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO channel (source, generation, number, position, key, name,"
		" folded, category, logo, epg, archive_days, adult, alike, guide) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
	struct generation *g = ctx;
	char folded[CHANNEL_NAME_MAX], alike[CHANNEL_NAME_MAX], guide[CHANNEL_EPG_MAX];
	struct db_stmt *st;

	must(ident_key_ok(row->key));
	must(row->name.len > 0 && row->name.len < CHANNEL_NAME_MAX);
	must(row->logo.len < CHANNEL_LOGO_MAX && row->epg.len < CHANNEL_EPG_MAX);
	if (generation_row(g, sql, &st, f) < 0)
		return -1;
	text_fold(row->name, folded, sizeof(folded));
	alike_name(row->name, alike, sizeof(alike));
	text_fold(row->epg, guide, sizeof(guide));
	db_bind_int(st, 1, g->source);
	db_bind_int(st, 2, g->number);
	db_bind_int(st, 3, row->number ? row->number : g->counts.channels + 1);
	db_bind_int(st, 4, g->position);
	db_bind_text(st, 5, row->key);
	db_bind_text(st, 6, row->name);
	db_bind_text(st, 7, span_of(folded));
	db_bind_text(st, 8, row->category);
	db_bind_text(st, 9, row->logo);
	db_bind_text(st, 10, row->epg);
	db_bind_int(st, 11, row->archive_days);
	db_bind_int(st, 12, row->adult);
	db_bind_text(st, 13, span_of(alike));
	db_bind_text(st, 14, span_of(guide));
	if (db_run(st, f) < 0 || generation_count(g, &g->counts.channels, f) < 0)
		return -1;
	return row->url.len ? put_address(g, row, f) : 0;
}

static void note_list(void *ctx, enum source_kind kind, const struct fail *why)
{
	struct generation *g = ctx;

	g->missing[kind] = *why;
}

struct source_sink generation_sink(struct generation *g)
{
	return (struct source_sink){.category = put_category,
		.channel = put_channel,
		.title = generation_put_title,
		.episode = generation_put_episode,
		.listed = note_list,
		.rest = rest,
		.ctx = g};
}

static bool is_shrunk(int64_t now, int64_t before)
{
	return now < before / 2 + before % 2;
}

static int believe(const struct generation *g, struct fail *f)
{
	const struct generation_counts *n = &g->counts;

	/* A source may have films alone. */
	if (n->channels == 0 && (n->before > 0 || g->titles[SOURCE_FILMS] == 0))
		return fail_set(f, FAIL_UPSTREAM,
			"The source lists no channels; nothing was changed (--force accepts it)");
	if (is_shrunk(n->channels, n->before))
		return fail_set(f, FAIL_UPSTREAM,
			"The source lists %lld channels where there were %lld; nothing was changed "
			"(--force accepts it)",
			(long long)n->channels, (long long)n->before);
	return 0;
}

/* Whether the films or series go in; if they do not, why, when that is a loss. */
static bool believe_titles(
	const struct generation *g, enum source_kind kind, bool force, struct buf *trouble)
{
	const char *name = kind == SOURCE_FILMS ? "films" : "series";

	if (!g->missing[kind].kind && (force || !is_shrunk(g->titles[kind], g->before[kind])))
		return true;
	if (g->missing[kind].kind && g->before[kind])
		buf_printf(
			trouble, "The %s stayed as they were: %s. ", name, g->missing[kind].text);
	else if (!g->missing[kind].kind)
		buf_printf(trouble,
			"The %s stayed as they were: %lld are listed where there were %lld "
			"(--force accepts it). ",
			name, (long long)g->titles[kind], (long long)g->before[kind]);
	return false;
}

static int show_titles(struct generation *g, bool force, struct buf *trouble, struct fail *f)
{
	static const char *const sql[SOURCE_KINDS] = {
		[SOURCE_FILMS] = "UPDATE source SET film_generation = ?2, films = ?3 WHERE id = ?1",
		[SOURCE_SERIES] =
			"UPDATE source SET series_generation = ?2, series = ?3 WHERE id = ?1"};

	for (int kind = SOURCE_FILMS; kind < SOURCE_KINDS; kind++) {
		const int64_t numbers[] = {g->source, g->number, g->titles[kind]};

		if (believe_titles(g, (enum source_kind)kind, force, trouble) &&
			run(g->db, sql[kind], numbers, 3, f) < 0)
			return -1;
	}
	return 0;
}

static int note_trouble(struct generation *g, const char *text, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(g->db, "UPDATE source SET trouble = ?2 WHERE id = ?1", &st, f) < 0)
		return -1;
	db_bind_int(st, 1, g->source);
	db_bind_text(st, 2, span_of(text));
	return db_run(st, f);
}

static int show(struct generation *g, bool force, struct fail *f)
{
	static const char sql[] =
		"UPDATE source SET generation = ?2, channels = ?3, imported_ms = ?4 WHERE id = ?1";
	const int64_t numbers[] = {g->source, g->number, g->counts.channels, clock_real_ms()};
	struct buf trouble;
	int result;

	buf_init(&trouble, 1024);
	result = run(g->db, sql, numbers, 4, f) < 0 || show_titles(g, force, &trouble, f) < 0 ||
				 note_trouble(g, buf_str(&trouble), f) < 0
			 ? -1
			 : 0;
	if (trouble.len)
		log_warn("import_in_part", LOG_STR("why", buf_str(&trouble)));
	buf_release(&trouble);
	return result;
}

int generation_swap(
	struct generation **g, bool force, struct generation_counts *counts, struct fail *f)
{
	static const char count[] =
		"UPDATE category SET channels = (SELECT count(*) FROM channel AS c "
		"WHERE c.source = ?1 AND c.generation = ?2 AND c.category = category.key) "
		"WHERE source = ?1 AND generation = ?2";
	const int64_t numbers[] = {(*g)->source, (*g)->number};
	struct fail why = {0};

	(*g)->counts.films = (*g)->titles[SOURCE_FILMS];
	(*g)->counts.series = (*g)->titles[SOURCE_SERIES];
	if (counts)
		*counts = (*g)->counts;
	if ((!force && believe(*g, &why) < 0) || generation_begin_writing(*g, &why) < 0 ||
		run((*g)->db, count, numbers, 2, &why) < 0 || show(*g, force, &why) < 0 ||
		db_commit((*g)->db, &why) < 0) {
		generation_drop(g, &why);
		return fail_set(f, why.kind, "%s", why.text);
	}
	/* The new list is seen. If the old one cannot be removed now, the next import does it. */
	sweep(*g, NULL);
	close_generation(g);
	return 0;
}

void generation_drop(struct generation **g, const struct fail *why)
{
	if (!*g)
		return;
	db_rollback((*g)->db);
	sweep(*g, NULL);
	note_trouble(*g, why->text, NULL);
	close_generation(g);
}
