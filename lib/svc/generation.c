/* lib/svc/generation.c - the next list of a source's channels, swapped in whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/io/db.h"
#include "lib/svc/catalog.h"
#include "lib/svc/catalog_schema.h"

enum { BATCH = 2000 /* rows a transaction */ };

struct generation {
	struct db *db;
	int lock;
	int64_t source, number; /* ids in the database */
	struct generation_counts counts;
	int64_t position; /* of the next row of either kind */
	int64_t pending;  /* rows since the last commit */
};

static int take_lock(const struct conf *conf, int *lock, struct fail *f)
{
	char path[CATALOG_PATH_MAX];
	int fd;

	if (catalog_schema_path(conf, "import.lock", path, f) < 0)
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
	static const char find[] = "SELECT id, begun, channels FROM source WHERE name = ?1";
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
	}
	db_done(st);
	return step == DB_ROW ? 0 : -1;
}

/* Removes all rows of the source that are not seen. */
static int sweep(struct generation *g, struct fail *f)
{
	static const char channels[] = "DELETE FROM channel WHERE source = ?1 AND generation <> "
				       "(SELECT generation FROM source WHERE id = ?1)";
	static const char categories[] = "DELETE FROM category WHERE source = ?1 AND generation <> "
					 "(SELECT generation FROM source WHERE id = ?1)";

	if (run(g->db, channels, &g->source, 1, f) < 0)
		return -1;
	return run(g->db, categories, &g->source, 1, f);
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
		begin_source(g, source, f) < 0 || sweep(g, f) < 0 || db_begin(g->db, f) < 0) {
		close_generation(&g);
		return -1;
	}
	*out = g;
	return 0;
}

/* Counts a row that went in or was there already. */
static int note_row(struct generation *g, int64_t *count, struct fail *f)
{
	if (db_changes(g->db))
		(*count)++;
	else
		g->counts.twice++;
	g->position++;
	if (++g->pending < BATCH)
		return 0;
	g->pending = 0;
	return db_commit(g->db, f) < 0 || db_begin(g->db, f) < 0 ? -1 : 0;
}

static int put_category(void *ctx, const struct source_category *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO category (source, generation, key, name, folded, position) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	struct generation *g = ctx;
	char folded[CHANNEL_CATEGORY_MAX];
	struct db_stmt *st;

	if (db_prepare(g->db, sql, &st, f) < 0)
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
	return note_row(g, &g->counts.categories, f);
}

static int put_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	static const char sql[] =
		"INSERT OR IGNORE INTO channel (source, generation, number, position, key, name,"
		" folded, category, logo, epg, archive_days, adult) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	struct generation *g = ctx;
	char folded[CHANNEL_NAME_MAX];
	struct db_stmt *st;

	must(ident_key_ok(row->key));
	must(row->name.len > 0 && row->name.len < CHANNEL_NAME_MAX);
	must(row->logo.len < CHANNEL_LOGO_MAX && row->epg.len < CHANNEL_EPG_MAX);
	if (db_prepare(g->db, sql, &st, f) < 0)
		return -1;
	text_fold(row->name, folded, sizeof(folded));
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
	if (db_run(st, f) < 0)
		return -1;
	return note_row(g, &g->counts.channels, f);
}

struct source_sink generation_sink(struct generation *g)
{
	return (struct source_sink){put_category, put_channel, g};
}

static int believe(const struct generation *g, struct fail *f)
{
	const struct generation_counts *n = &g->counts;

	if (n->channels == 0)
		return fail_set(f, FAIL_UPSTREAM,
			"The source lists no channels; nothing was changed (--force accepts it)");
	if (n->channels < n->before / 2 + n->before % 2)
		return fail_set(f, FAIL_UPSTREAM,
			"The source lists %lld channels where there were %lld; nothing was changed "
			"(--force accepts it)",
			(long long)n->channels, (long long)n->before);
	return 0;
}

static int show(struct generation *g, struct fail *f)
{
	static const char sql[] =
		"UPDATE source SET generation = ?2, channels = ?3, imported_ms = ?4, trouble = '' "
		"WHERE id = ?1";
	/* Also grows when the database was made anew since a worker last looked. */
	static const char revise[] = "UPDATE revision SET value = max(value + 1, ?1)";
	int64_t now_ms = clock_real_ms();
	const int64_t numbers[] = {g->source, g->number, g->counts.channels, now_ms};

	if (run(g->db, sql, numbers, 4, f) < 0)
		return -1;
	return run(g->db, revise, &now_ms, 1, f);
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

	if (counts)
		*counts = (*g)->counts;
	if ((!force && believe(*g, &why) < 0) || run((*g)->db, count, numbers, 2, &why) < 0 ||
		show(*g, &why) < 0 || db_commit((*g)->db, &why) < 0) {
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
	static const char note[] = "UPDATE source SET trouble = ?2 WHERE id = ?1";
	struct db_stmt *st;

	if (!*g)
		return;
	db_rollback((*g)->db);
	sweep(*g, NULL);
	if (db_prepare((*g)->db, note, &st, NULL) == 0) {
		db_bind_int(st, 1, (*g)->source);
		db_bind_text(st, 2, span_of(why->text));
		db_run(st, NULL);
	}
	close_generation(g);
}
