/* lib/svc/catalog_inside.h - what the files of the catalogue share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_CATALOG_INSIDE_H
#define SLUICE_SVC_CATALOG_INSIDE_H

#include <pthread.h>

#include "lib/io/db.h"
#include "lib/svc/catalog.h"

enum { CATALOG_CONNECTIONS = 4 };

struct catalog {
	const struct conf *conf;
	pthread_mutex_t lock; /* guards what follows; nothing else is taken under it */
	pthread_cond_t back;  /* a connection was given back */
	struct db *idle[CATALOG_CONNECTIONS];
	int idle_count, lent;
};

/* Lends a connection in a read transaction: all that is read belongs together. *db is NULL when
 * there is no database yet; otherwise catalog_end() must follow. */
int catalog_begin(struct catalog *c, struct db **db, struct fail *f);
void catalog_end(struct catalog *c, struct db *db);

#endif
