/* lib/io/db.c - a database in a file, by SQLite.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"

enum { BUSY_MS = 2000, STATEMENTS = 24 };

struct db_stmt {
	struct db *db;
	const char *sql;
	sqlite3_stmt *st;
	bool lent, failed; /* failed: a parameter could not be bound */
};

struct db {
	sqlite3 *sqlite;
	struct db_stmt statements[STATEMENTS]; /* filled from the front */
	dev_t device;
	ino_t inode;
	bool broken;
	int64_t busy_until_ms; /* monotonic */
	char path[PATH_MAX];
};

static const char *file_name(const struct db *db)
{
	const char *slash = strrchr(db->path, '/');

	return slash ? slash + 1 : db->path;
}

/* Says what SQLite's code means to a user. Always -1. */
static int fail_sqlite(struct db *db, int code, struct fail *f)
{
	const char *name = file_name(db);
	int extended = db->sqlite ? sqlite3_extended_errcode(db->sqlite) : code;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail_set(f, FAIL_BUSY, "The database %s is in use by another process", name);
	case SQLITE_FULL:
		return fail_set(f, FAIL_BUSY, "The disk is full: %s cannot be written", name);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		db->broken = true;
		return fail_set(f, FAIL_BUSY, "The database %s is damaged", name);
	case SQLITE_IOERR:
		db->broken = true;
		return fail_set(f, FAIL_BUSY, "The database %s cannot be read or written (%d)",
			name, extended);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		db->broken = true;
		return fail_set(f, FAIL_BUSY, "The database %s cannot be opened", name);
	case SQLITE_READONLY:
		return fail_set(f, FAIL_BUSY, "The database %s may not be written", name);
	default:
		return fail_set(f, FAIL_BUSY, "The database %s cannot be used: %s", name,
			db->sqlite ? sqlite3_errmsg(db->sqlite) : sqlite3_errstr(code));
	}
}

/* A file that is there is never opened here: closing any descriptor of it would drop the locks that
 * SQLite holds on it in this process. */
static int make_file(const char *path, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno != EEXIST)
		return fail_errno(f, FAIL_BUSY, errno, "The database %s cannot be made", path);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Called while another process holds the lock. 0: give up. */
static int wait_for_lock(void *ctx, int calls)
{
	struct db *db = ctx;
	int64_t now_ms = clock_mono_ms();

	if (calls == 0)
		db->busy_until_ms = now_ms + BUSY_MS;
	if (now_ms >= db->busy_until_ms)
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = (calls < 10 ? 1 : 20) * 1000000}, NULL);
	return 1;
}

static int set_up(struct db *db, enum db_mode mode, struct fail *f)
{
	struct stat st;

	/* Each connection would set 48 KB aside for small allocations; malloc does as well. */
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_handler(db->sqlite, wait_for_lock, db);
	if (mode == DB_WRITE && db_exec(db, "PRAGMA journal_mode=WAL", f) < 0)
		return -1;
	if (db_exec(db,
		    "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
		    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-64;",
		    f) < 0)
		return -1;
	if (stat(db->path, &st) < 0) {
		db->broken = true;
		return fail_errno(f, FAIL_BUSY, errno, "The database %s is gone", file_name(db));
	}
	db->device = st.st_dev;
	db->inode = st.st_ino;
	return 0;
}

int db_open(struct db **out, const char *path, enum db_mode mode, struct fail *f)
{
	struct db *db;
	int code;

	if (mode == DB_WRITE && make_file(path, f) < 0)
		return -1;
	if (mode == DB_READ && access(path, F_OK) < 0 && errno == ENOENT)
		return fail_set(f, FAIL_MISSING, "There is no database %s", path);
	db = calloc(1, sizeof(*db));
	if (!db)
		return fail_set(f, FAIL_BUSY, "There is no memory to open a database");
	if (!span_copy(span_of(path), db->path, sizeof(db->path))) {
		free(db);
		return fail_set(f, FAIL_BUSY, "The database's path is too long");
	}
	code = sqlite3_open_v2(path, &db->sqlite,
		SQLITE_OPEN_NOMUTEX |
			(mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE),
		NULL);
	if (code != SQLITE_OK)
		fail_sqlite(db, code, f);
	else if (set_up(db, mode, f) == 0)
		goto opened;
	db_close(&db);
	return -1;
opened:
	*out = db;
	return 0;
}

void db_close(struct db **db)
{
	if (!*db)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize((*db)->statements[i].st);
	must(sqlite3_close((*db)->sqlite) == SQLITE_OK);
	free(*db);
	*db = NULL;
}

bool db_broken(const struct db *db)
{
	struct stat st;

	return db->broken || stat(db->path, &st) < 0 || st.st_dev != db->device ||
	       st.st_ino != db->inode;
}

int db_exec(struct db *db, const char *sql, struct fail *f)
{
	int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail_sqlite(db, code, f);
}

int db_version(struct db *db, int64_t *version, struct fail *f)
{
	static const char sql[] = "PRAGMA user_version";
	struct db_stmt *st;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	if (db_step(st, f) != DB_ROW) {
		db_done(st);
		return -1;
	}
	*version = db_int(st, 0);
	db_done(st);
	return 0;
}

/* Runs the next step, if one is left. Asks for the version under the lock, as another process may
 * be at the same work. 1: ran one; 0: none is left. */
static int migrate_one(struct db *db, const char *const *steps, size_t count, struct fail *f)
{
	char sql[64];
	int64_t version;

	if (db_begin(db, f) < 0)
		return -1;
	if (db_version(db, &version, f) < 0)
		goto failed;
	if (version < 0 || (size_t)version > count) {
		fail_set(f, FAIL_CONFLICT, "The database %s was written by a newer Sluice",
			file_name(db));
		goto failed;
	}
	if ((size_t)version == count)
		return db_commit(db, f);
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", (int)version + 1);
	if (db_exec(db, steps[version], f) < 0 || db_exec(db, sql, f) < 0)
		goto failed;
	return db_commit(db, f) < 0 ? -1 : 1;
failed:
	db_rollback(db);
	return -1;
}

int db_migrate(struct db *db, const char *const *steps, size_t count, struct fail *f)
{
	int64_t version;
	int ran;

	must(count < INT_MAX);
	/* The usual case takes no lock. */
	if (db_version(db, &version, f) < 0)
		return -1;
	if (version == (int64_t)count)
		return 0;
	do
		ran = migrate_one(db, steps, count, f);
	while (ran == 1);
	return ran;
}

int db_begin_read(struct db *db, struct fail *f)
{
	return db_exec(db, "BEGIN", f);
}

int db_begin(struct db *db, struct fail *f)
{
	return db_exec(db, "BEGIN IMMEDIATE", f);
}

int db_commit(struct db *db, struct fail *f)
{
	if (db_exec(db, "COMMIT", f) == 0)
		return 0;
	db_rollback(db);
	return -1;
}

void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->sqlite))
		sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes(db->sqlite);
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct fail *f)
{
	struct db_stmt *st = db->statements, *end = db->statements + STATEMENTS;
	int code;

	while (st < end && st->st && st->sql != sql)
		st++;
	must(st < end);
	must(!st->lent);
	if (!st->st) {
		code = sqlite3_prepare_v3(
			db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);
		if (code != SQLITE_OK)
			return fail_sqlite(db, code, f);
		st->db = db;
		st->sql = sql;
	}
	st->lent = true;
	st->failed = false;
	*out = st;
	return 0;
}

static void note_bind(struct db_stmt *st, int code)
{
	must(code == SQLITE_OK || code == SQLITE_NOMEM || code == SQLITE_TOOBIG);
	if (code != SQLITE_OK)
		st->failed = true;
}

void db_bind_int(struct db_stmt *st, int n, int64_t value)
{
	note_bind(st, sqlite3_bind_int64(st->st, n, value));
}

void db_bind_text(struct db_stmt *st, int n, struct span text)
{
	note_bind(st, sqlite3_bind_text64(st->st, n, text.ptr ? text.ptr : "", text.len,
			      SQLITE_TRANSIENT, SQLITE_UTF8));
}

enum db_step db_step(struct db_stmt *st, struct fail *f)
{
	int code = st->failed ? SQLITE_NOMEM : sqlite3_step(st->st);

	must(st->lent);
	if (code == SQLITE_ROW)
		return DB_ROW;
	if (code == SQLITE_DONE)
		return DB_END;
	fail_sqlite(st->db, code, f);
	return DB_FAILED;
}

int64_t db_int(struct db_stmt *st, int n)
{
	return sqlite3_column_int64(st->st, n);
}

struct span db_text(struct db_stmt *st, int n)
{
	const char *text = (const char *)sqlite3_column_text(st->st, n);
	int len = sqlite3_column_bytes(st->st, n);

	if (!text)
		return span_of("");
	must(len >= 0);
	return span_make(text, (size_t)len);
}

void db_done(struct db_stmt *st)
{
	if (!st)
		return;
	must(st->lent);
	sqlite3_reset(st->st);
	sqlite3_clear_bindings(st->st);
	st->lent = false;
}

int db_run(struct db_stmt *st, struct fail *f)
{
	enum db_step step;

	do
		step = db_step(st, f);
	while (step == DB_ROW);
	db_done(st);
	return step == DB_END ? 0 : -1;
}
