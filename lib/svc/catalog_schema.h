/* lib/svc/catalog_schema.h - the catalogue's database, and its tables.
 * SPDX-License-Identifier: BSD-2-Clause
 * For catalog.c, which reads, and generation.c, which writes. */
#ifndef SLUICE_SVC_CATALOG_SCHEMA_H
#define SLUICE_SVC_CATALOG_SCHEMA_H

#include "lib/base/fail.h"

struct conf;
struct db;

/* Opens the database to write it, makes it and its directory when they are missing, and brings its
 * tables up to date. Closed by db_close(). */
int catalog_schema_write(const struct conf *conf, struct db **out, struct fail *f);

/* Opens it to read it. *out is NULL when there is none yet, or one without tables.
 * Fails: FAIL_BUSY when its tables are not those of this program. */
int catalog_schema_read(const struct conf *conf, struct db **out, struct fail *f);

#endif
