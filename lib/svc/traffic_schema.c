/* lib/svc/traffic_schema.c - where the sums of what was sent are kept, and their tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/traffic_schema.h"

#include "lib/io/db.h"
#include "lib/svc/database.h"

/* Never changed once it has been in a release: a change is a step of its own, at the end. Days are
 * counted from the epoch, families are named as access_family_name() says. */
static const char *const steps[] = {
	"CREATE TABLE place (" /* in the log, that the sums reach to */
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  device INTEGER NOT NULL,"
	"  inode INTEGER NOT NULL,"
	"  offset INTEGER NOT NULL,"
	"  mark TEXT NOT NULL);"
	"CREATE TABLE sum ("
	"  day INTEGER NOT NULL,"
	"  family TEXT NOT NULL,"
	"  title TEXT NOT NULL,"
	"  rendition TEXT NOT NULL,"
	"  hits INTEGER NOT NULL,"
	"  misses INTEGER NOT NULL,"
	"  others INTEGER NOT NULL,"
	"  bytes INTEGER NOT NULL,"
	"  PRIMARY KEY (day, family, title, rendition)) WITHOUT ROWID;"
	"CREATE TABLE total (" /* of all time */
	"  family TEXT PRIMARY KEY,"
	"  hits INTEGER NOT NULL,"
	"  misses INTEGER NOT NULL,"
	"  others INTEGER NOT NULL,"
	"  bytes INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE upstream ("
	"  day INTEGER NOT NULL,"
	"  source TEXT NOT NULL,"
	"  bytes INTEGER NOT NULL,"
	"  PRIMARY KEY (day, source)) WITHOUT ROWID;"
	"CREATE TABLE upstream_seen (" /* what a source's counter was when it was looked at last */
	"  source TEXT PRIMARY KEY,"
	"  bytes INTEGER NOT NULL) WITHOUT ROWID;",
};

static const struct database traffic = {"traffic.db", steps, sizeof(steps) / sizeof(steps[0]),
	"What was sent has been counted by a newer version of Sluice"};

int traffic_schema_write(const struct conf *conf, struct db **out, struct fail *f)
{
	return database_write(conf, &traffic, out, f);
}

/* An older one is brought up to date by the meter. */
int traffic_schema_read(const struct conf *conf, struct db **out, struct fail *f)
{
	return database_read(conf, &traffic, out, f) == DATABASE_FAILED ? -1 : 0;
}
