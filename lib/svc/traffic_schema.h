/* lib/svc/traffic_schema.h - where the sums of what was sent are kept, and their tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_TRAFFIC_SCHEMA_H
#define SLUICE_SVC_TRAFFIC_SCHEMA_H

#include "lib/base/fail.h"

struct conf;
struct db;

/* Opens the database to write it, makes it when it is missing, and brings its tables up to date. */
int traffic_schema_write(const struct conf *conf, struct db **out, struct fail *f);

/* Opens it to read it. *out is NULL when there is none yet. Fails: FAIL_BUSY. */
int traffic_schema_read(const struct conf *conf, struct db **out, struct fail *f);

#endif
