/* lib/svc/database.c - our databases: where they lie, and those of other versions of this program.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/database.h"

#include "lib/io/conf.h"
#include "lib/io/db.h"
#include "lib/io/file.h"

int database_path(
	const struct conf *conf, const char *name, char to[DATABASE_PATH_MAX], struct fail *f)
{
	if (!file_path(to, DATABASE_PATH_MAX, "%s/db/%s", conf->state_dir, name))
		return fail_set(f, FAIL_INPUT, "The path in state_dir is too long");
	return 0;
}

int database_write(
	const struct conf *conf, const struct database *d, struct db **out, struct fail *f)
{
	char path[DATABASE_PATH_MAX];
	struct db *db = NULL;

	if (database_path(conf, "", path, f) < 0 || file_mkdirs(path, 0750, f) < 0)
		return -1;
	if (database_path(conf, d->name, path, f) < 0 || db_open(&db, path, DB_WRITE, f) < 0)
		return -1;
	if (db_migrate(db, d->steps, d->count, f) < 0) {
		db_close(&db);
		return -1;
	}
	*out = db;
	return 0;
}

enum database_state database_read(
	const struct conf *conf, const struct database *d, struct db **out, struct fail *f)
{
	char path[DATABASE_PATH_MAX];
	int64_t version = 0;
	struct fail why = {0};

	*out = NULL;
	if (database_path(conf, d->name, path, f) < 0)
		return DATABASE_FAILED;
	if (db_open(out, path, DB_READ, &why) < 0) {
		if (why.kind == FAIL_MISSING)
			return DATABASE_NONE;
		fail_set(f, why.kind, "%s", why.text);
		return DATABASE_FAILED;
	}
	if (db_version(*out, &version, f) < 0) {
		db_close(out);
		return DATABASE_FAILED;
	}
	if (version == (int64_t)d->count)
		return DATABASE_READY;
	db_close(out);
	if (version < (int64_t)d->count)
		return version == 0 ? DATABASE_NONE : DATABASE_OLD;
	fail_set(f, FAIL_BUSY, "%s", d->newer);
	return DATABASE_FAILED;
}
