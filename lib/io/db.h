/* lib/io/db.h - a database in a file.
 * SPDX-License-Identifier: BSD-2-Clause
 * One `struct db` is one connection, for one thread at a time, and never carried over a fork: share
 * one by a lock, or open several (readers and one writer work at once: write-ahead log). A
 * connection takes about 100 KB at most, because its page cache is kept small; the kernel's is
 * shared.
 *
 * Fails: FAIL_BUSY for what a file or a disk can do to us (locked by another for longer than 2 s,
 * full, broken, unreadable, no memory); the sentence says which. FAIL_MISSING from db_open() alone.
 * After any failure the connection stays usable; db_broken() tells whether opening it anew is
 * wiser. */
#ifndef SLUICE_IO_DB_H
#define SLUICE_IO_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

struct db;
struct db_stmt;

enum db_mode {
	DB_READ, /* must exist; nothing in it is ever changed by this connection */
	DB_WRITE /* made, with mode 0600, when it is missing; its directory must exist */
};

/* Opens `path`. Fails: FAIL_MISSING with DB_READ when there is no such file. */
int db_open(struct db **out, const char *path, enum db_mode mode, struct fail *f);
void db_close(struct db **db);

/* Whether the last failure was the file's (broken, gone bad, unreadable) or the file at the path is
 * no longer the one that was opened. */
bool db_broken(const struct db *db);

/* Brings the schema to version `count`: runs those of `steps` that have not been run on this
 * database, each in a transaction of its own (SQL, several statements allowed).
 * Fails: FAIL_CONFLICT when a newer Sluice wrote it. */
int db_migrate(struct db *db, const char *const *steps, size_t count, struct fail *f);

/* The schema's version: how many steps have been run. */
int db_version(struct db *db, int64_t *version, struct fail *f);

/* Runs constant SQL of ours that gives no rows. */
int db_exec(struct db *db, const char *sql, struct fail *f);

/* A transaction. db_begin_read() freezes what is seen; db_begin() also takes the one write lock.
 * db_rollback() never fails and does nothing outside of a transaction. */
int db_begin_read(struct db *db, struct fail *f);
int db_begin(struct db *db, struct fail *f);
int db_commit(struct db *db, struct fail *f);
void db_rollback(struct db *db);

/* Rows that the last statement changed. */
int64_t db_changes(const struct db *db);

/* Lends the statement for `sql`, a constant of ours (kept prepared, found again by its address).
 * db_done() must follow before the same one is asked for again. */
int db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct fail *f);

/* Binds parameter `n` (from 1). Texts are copied. A bind that finds no memory fails the next
 * step. */
void db_bind_int(struct db_stmt *st, int n, int64_t value);
void db_bind_text(struct db_stmt *st, int n, struct span text);

enum db_step { DB_ROW, DB_END, DB_FAILED /* *f is set */ };
enum db_step db_step(struct db_stmt *st, struct fail *f);

/* Column `n` (from 0) of the row. NULL reads as 0 or "". A text is good until the next step, and is
 * followed by a NUL. */
int64_t db_int(struct db_stmt *st, int n);
struct span db_text(struct db_stmt *st, int n);

/* Gives the statement back: its row ends, its parameters are forgotten. Accepts NULL. */
void db_done(struct db_stmt *st);

/* Steps to the end and gives the statement back. */
int db_run(struct db_stmt *st, struct fail *f);

#endif
