/* lib/svc/catalog_schema.h - where the catalogue is kept, and its tables.
 * SPDX-License-Identifier: BSD-2-Clause
 * For catalog.c, which reads, and generation.c, which writes; and for other databases beside it. */
#ifndef SLUICE_SVC_CATALOG_SCHEMA_H
#define SLUICE_SVC_CATALOG_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"

struct conf;
struct db;

enum { CATALOG_PATH_MAX = 4096 };

/* {state_dir}/db/{name} into `to`. Fails: FAIL_INPUT when state_dir is too long. */
int catalog_schema_path(
	const struct conf *conf, const char *name, char to[CATALOG_PATH_MAX], struct fail *f);

/* Opens the database {state_dir}/db/{name} to write it, makes it and its directory when they are
 * missing, and brings its tables up to date with the `count` steps of `all` (db_migrate()). */
int catalog_schema_make(const struct conf *conf, const char *name, const char *const *all,
	size_t count, struct db **out, struct fail *f);

/* Opens it to read it, and says its version. *out is NULL when there is none yet. */
int catalog_schema_look(const struct conf *conf, const char *name, struct db **out,
	int64_t *version, struct fail *f);

/* Opens the database to write it, makes it and its directory when they are missing, and brings its
 * tables up to date. Closed by db_close(). */
int catalog_schema_write(const struct conf *conf, struct db **out, struct fail *f);

/* Opens it to read it. *out is NULL when there is none yet, or one without tables.
 * Fails: FAIL_BUSY when its tables are not those of this program. */
int catalog_schema_read(const struct conf *conf, struct db **out, struct fail *f);

#endif
