/* t/unit/db.c - a database in a file: what is kept, and what a bad file or disk does.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/db.h"
#include "t/unit/tap.h"

static const char *const steps[] = {
	"CREATE TABLE fruit (name TEXT PRIMARY KEY, weight INTEGER) WITHOUT ROWID;"
	"INSERT INTO fruit VALUES ('fig', 50);",
	"ALTER TABLE fruit ADD COLUMN colour TEXT;",
};

static const char insert[] = "INSERT INTO fruit (name, weight) VALUES (?1, ?2)";
static const char weight_of[] = "SELECT weight, name, colour FROM fruit WHERE name = ?1";

static int put_in(struct db *db, const char *name, int64_t weight, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(db, insert, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(name));
	db_bind_int(st, 2, weight);
	return db_run(st, f);
}

/* -1: not there; -2: failed. */
static int64_t look(struct db *db, const char *name, struct fail *f)
{
	struct db_stmt *st;
	int64_t weight = -1;
	enum db_step step;

	if (db_prepare(db, weight_of, &st, f) < 0)
		return -2;
	db_bind_text(st, 1, span_of(name));
	step = db_step(st, f);
	if (step == DB_ROW)
		weight = db_int(st, 0);
	db_done(st);
	return step == DB_FAILED ? -2 : weight;
}

/* A database is up to three files. */
static void drop(const char *path)
{
	char beside[200];

	unlink(path);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	unlink(beside);
}

static void versions(const char *path)
{
	struct db *db = NULL;
	struct fail f;
	struct stat info;
	int64_t version = -1;

	is_int(db_open(&db, path, DB_READ, &f), -1, "a missing database is not made to read it");
	is_int(f.kind, FAIL_MISSING, "and is said to be missing");
	is_int(db_open(&db, path, DB_WRITE, &f), 0, "it is made to write it");
	ok(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "for its owner alone");
	is_int(db_migrate(db, steps, 1, &f), 0, "the first version of the schema is made");
	is_int(look(db, "fig", &f), -2, "without what is for the second");
	is_int(db_migrate(db, steps, 2, &f), 0, "the second one follows");
	is_int(look(db, "fig", &f), 50, "on the rows of the first");
	is_int(db_migrate(db, steps, 2, &f), 0, "and is made once");
	ok(db_version(db, &version, &f) == 0 && version == 2, "the version says so");
	is_int(db_migrate(db, steps, 1, &f), -1, "an older program refuses it");
	is_int(f.kind, FAIL_CONFLICT, "as a conflict");

	db_close(&db);
	ok(!db, "a closed one is gone");
	db_close(&db);
}

static void sharing(const char *path)
{
	struct db *db = NULL, *reader = NULL;
	struct fail f;

	db_open(&db, path, DB_WRITE, &f);
	is_int(db_open(&reader, path, DB_READ, &f), 0, "another connection reads");
	is_int(put_in(reader, "x", 1, &f), -1, "and cannot write");
	is_int(db_begin(db, &f), 0, "a transaction begins");
	is_int(put_in(db, "melon", INT64_MAX, &f), 0, "a row goes in");
	is_int(db_changes(db), 1, "one row was changed");
	is_int(look(reader, "melon", &f), -1, "which nobody else sees yet");
	is_int(db_commit(db, &f), 0, "until it is committed");
	is_int(look(reader, "melon", &f), INT64_MAX, "then all do, to the last bit");
	is_int(put_in(db, "melon", 2, &f), -1, "a row that breaks a rule is refused");
	is_int(look(db, "melon", &f), INT64_MAX, "and the connection goes on");

	is_int(db_begin(db, &f), 0, "another transaction");
	is_int(put_in(db, "lemon", 1, &f), 0, "a row goes in");
	db_rollback(db);
	db_rollback(db);
	is_int(look(db, "lemon", &f), -1, "and out again when it is rolled back");

	is_int(db_begin_read(reader, &f), 0, "a reader freezes what it sees");
	is_int(look(reader, "kiwi", &f), -1, "nothing there");
	is_int(put_in(db, "kiwi", 90, &f), 0, "a writer is not held up by it");
	is_int(look(reader, "kiwi", &f), -1, "still nothing there");
	is_int(db_commit(reader, &f), 0, "the reader is done");
	is_int(look(reader, "kiwi", &f), 90, "now it is there");

	ok(!db_broken(reader), "the file is the one that was opened");
	drop(path);
	ok(db_broken(reader), "until it is removed");
	db_close(&reader);
	db_close(&db);
}

static void rows(const char *path)
{
	struct db *db = NULL;
	struct db_stmt *st;
	struct fail f;

	db_open(&db, path, DB_WRITE, &f);
	db_migrate(db, steps, 2, &f);
	put_in(db, "kiwi", 90, &f);
	is_int(db_prepare(db, weight_of, &st, &f), 0, "a query");
	db_bind_text(st, 1, span_of("kiwi"));
	is_int(db_step(st, &f), DB_ROW, "has a row");
	ok(span_is(db_text(st, 1), "kiwi"), "with a text");
	ok(db_text(st, 2).len == 0 && db_text(st, 2).ptr != NULL, "NULL reads as no text");
	is_int(db_int(st, 2), 0, "or as 0");
	is_int(db_step(st, &f), DB_END, "and no second one");
	db_done(st);
	is_int(db_exec(db, "SELECT nonsense FROM nowhere", &f), -1, "nonsense fails");

	db_close(&db);
	drop(path);
}

static void damage(const char *path)
{
	struct db *db = NULL;
	struct fail f = {0};
	char rubbish[8192];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memset(rubbish, 'x', sizeof(rubbish));
	ok(write(fd, rubbish, sizeof(rubbish)) == sizeof(rubbish), "a file of rubbish");
	is_int(db_open(&db, path, DB_WRITE, &f), -1, "is no database");
	ok(f.kind == FAIL_BUSY && strstr(f.text, "damaged"), "and said to be damaged");
	drop(path);

	db_open(&db, path, DB_WRITE, &f);
	db_migrate(db, steps, 2, &f);
	db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", &f);
	db_close(&db);
	close(fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok(pwrite(fd, rubbish, 4096, 4096) == 4096, "rubbish in the middle");
	is_int(db_open(&db, path, DB_READ, &f), 0, "is not seen at first");
	is_int(look(db, "fig", &f), -2, "but when it is read");
	ok(f.kind == FAIL_BUSY && db_broken(db), "and then the connection says so");
	db_close(&db);
	ok(ftruncate(fd, 5000) == 0, "a file cut short");
	ok(db_open(&db, path, DB_READ, &f) < 0 || look(db, "fig", &f) == -2, "cannot be read");
	db_close(&db);
	close(fd);
	drop(path);
	is_int(db_open(&db, "/dev/null/x.db", DB_WRITE, &f), -1, "no directory, no database");
	is_int(db_open(&db, "/proc", DB_READ, &f), -1, "a directory is none");
}

static void full(const char *path)
{
	struct db *db = NULL;
	struct fail f = {0};
	char name[500];
	int n = 0;

	db_open(&db, path, DB_WRITE, &f);
	db_migrate(db, steps, 2, &f);
	db_exec(db, "PRAGMA max_page_count=6", &f);
	memset(name, 'x', sizeof(name));
	while (n < 100) {
		snprintf(name + 400, 100, "%d", n);
		if (put_in(db, name, n, &f) < 0)
			break;
		n++;
	}
	ok(n > 0 && n < 100, "a full disk ends it");
	ok(f.kind == FAIL_BUSY && strstr(f.text, "full"), "with a sentence");
	is_int(look(db, "fig", &f), 50, "what is there can still be read");
	ok(!db_broken(db), "and nothing is broken");
	db_close(&db);
	drop(path);
}

struct mover {
	int fd;
	atomic_bool stop;
};

/* Lets a second pass every 5 ms. */
static void *move_clock(void *arg)
{
	struct mover *m = arg;
	int64_t ms = 0;

	while (!atomic_load(&m->stop)) {
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		ms += 1000;
		if (pwrite(m->fd, &ms, sizeof(ms), 0) != sizeof(ms))
			break;
	}
	return NULL;
}

static void locked(const char *path, struct mover *mover)
{
	struct db *a = NULL, *b = NULL;
	struct fail f = {0};
	pthread_t thread;

	db_open(&a, path, DB_WRITE, &f);
	db_migrate(a, steps, 2, &f);
	db_open(&b, path, DB_WRITE, &f);
	is_int(db_begin(a, &f), 0, "one holds the lock");
	is_int(look(b, "fig", &f), 50, "others read");
	pthread_create(&thread, NULL, move_clock, mover);
	is_int(db_begin(b, &f), -1, "but do not get it, after some time");
	ok(f.kind == FAIL_BUSY && strstr(f.text, "in use"), "and are told so");
	atomic_store(&mover->stop, true);
	pthread_join(thread, NULL);
	is_int(db_commit(a, &f), 0, "it is given back");
	is_int(db_begin(b, &f), 0, "and can be had");
	db_rollback(b);
	db_close(&a);
	db_close(&b);
	drop(path);
}

int main(void)
{
	char dir[] = "/tmp/sluice-db-XXXXXX", path[100], clock[100];
	struct mover mover = {.fd = -1};
	int64_t zero = 0;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/a.db", dir);
	snprintf(clock, sizeof(clock), "%s/clock", dir);
	mover.fd = open(clock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(write(mover.fd, &zero, sizeof(zero)) == sizeof(zero), "a clock that can be moved");
	setenv("SLUICE_CLOCK", clock, 1);
	clock_init();
	versions(path);
	sharing(path);
	rows(path);
	damage(path);
	full(path);
	locked(path, &mover);
	close(mover.fd);
	unlink(clock);
	ok(rmdir(dir) == 0, "nothing is left over");
	return tap_done();
}
