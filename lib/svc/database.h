/* lib/svc/database.h - our databases: where they lie, and those of other versions of this program.
 * SPDX-License-Identifier: BSD-2-Clause
 * Each is a file {state_dir}/db/{name}. Who writes makes it and brings its tables up to date; who
 * reads never changes it. */
#ifndef SLUICE_SVC_DATABASE_H
#define SLUICE_SVC_DATABASE_H

#include <stddef.h>

#include "lib/base/fail.h"

struct conf;
struct db;

enum { DATABASE_PATH_MAX = 4096 };

struct database {
	const char *name;
	const char *const *steps; /* as db_migrate() takes them; their number is the version */
	size_t count;
	const char *newer; /* a sentence for one that a newer version of Sluice wrote */
};

/* {state_dir}/db/{name} into `to`. Fails: FAIL_INPUT when state_dir is too long. */
int database_path(
	const struct conf *conf, const char *name, char to[DATABASE_PATH_MAX], struct fail *f);

/* Opens it to write it, makes it and its directory when they are missing. Closed by db_close().
 * Fails: as db_open() and db_migrate(), FAIL_INTERNAL for the directory. */
int database_write(
	const struct conf *conf, const struct database *d, struct db **out, struct fail *f);

enum database_state {
	DATABASE_READY, /* *out is open; closed by db_close() */
	DATABASE_NONE,	/* there is none yet, or it is just being made: *out is NULL */
	DATABASE_OLD,	/* an older version wrote it: *out is NULL until somebody writes */
	DATABASE_FAILED /* *f says why; FAIL_BUSY where a newer version wrote it */
};

/* Opens it to read it. */
enum database_state database_read(
	const struct conf *conf, const struct database *d, struct db **out, struct fail *f);

#endif
