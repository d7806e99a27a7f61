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

/* What can be looked up by id: its SQL takes the source's name and the key, and read() fills `out`
 * of the row that comes back; false for one whose key cannot be an id, which no import writes. */
struct catalog_kind {
	enum ident_kind kind;
	const char *noun;
	const char *sql;
	bool (*read)(const struct catalog *c, const char *source, struct db_stmt *st, void *out);
};

/* Looks for `id` in its source, or in all of them when it names none. Fails: FAIL_MISSING when none
 * or several have it, and as catalog_begin(). */
int catalog_find(struct catalog *c, const struct catalog_kind *k, const struct ident *id, void *out,
	struct fail *f);

/* Copies what a row has; what is too long or holds a NUL, which no import writes, is left out. */
void catalog_copy(struct span text, char *to, size_t size);

#endif
