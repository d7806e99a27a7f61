/* lib/svc/catalog_schema.c - where the catalogue is kept, and its tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog_schema.h"

#include "lib/io/conf.h"
#include "lib/io/db.h"
#include "lib/io/file.h"

/* Never changed once it has been in a release: a change is a step of its own, at the end.
 * Channels lie in the order in which they are listed. */
static const char *const steps[] = {
	"CREATE TABLE source ("
	"  id INTEGER PRIMARY KEY,"
	"  name TEXT NOT NULL UNIQUE,"
	"  generation INTEGER NOT NULL DEFAULT 0," /* the rows that are seen */
	"  begun INTEGER NOT NULL DEFAULT 0,"	   /* the last one that was begun */
	"  channels INTEGER NOT NULL DEFAULT 0,"
	"  imported_ms INTEGER NOT NULL DEFAULT 0,"
	"  tried_ms INTEGER NOT NULL DEFAULT 0,"
	"  trouble TEXT NOT NULL DEFAULT '');"
	"CREATE TABLE category ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  folded TEXT NOT NULL,"
	"  position INTEGER NOT NULL,"
	"  channels INTEGER NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (source, generation, key)) WITHOUT ROWID;"
	"CREATE TABLE channel ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  number INTEGER NOT NULL,"
	"  position INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  folded TEXT NOT NULL,"
	"  category TEXT NOT NULL,"
	"  logo TEXT NOT NULL,"
	"  epg TEXT NOT NULL,"
	"  archive_days INTEGER NOT NULL,"
	"  adult INTEGER NOT NULL,"
	"  PRIMARY KEY (source, generation, number, position)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX channel_key ON channel (source, generation, key);"
	"CREATE INDEX channel_category ON channel (source, generation, category);"
	"CREATE TABLE revision (value INTEGER NOT NULL);"
	"INSERT INTO revision VALUES (0);",

	/* Films and series, each kind by a generation of its own; addresses of lists; what channels
	 * of several sources are matched by. */
	"ALTER TABLE source ADD COLUMN films INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN film_generation INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN series INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN series_generation INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE channel ADD COLUMN alike TEXT NOT NULL DEFAULT '';" /* lib/http/alike.h */
	"ALTER TABLE channel ADD COLUMN guide TEXT NOT NULL DEFAULT '';" /* epg, folded */
	"CREATE INDEX channel_alike ON channel (source, generation, alike);"
	"CREATE INDEX channel_guide ON channel (source, generation, guide);"
	/* of a channel in a list: several for one key are tried in order */
	"CREATE TABLE address ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  entry INTEGER NOT NULL,"
	"  url TEXT NOT NULL,"
	"  agent TEXT NOT NULL,"
	"  referrer TEXT NOT NULL,"
	"  PRIMARY KEY (source, generation, key, entry)) WITHOUT ROWID;"
	"CREATE TABLE shelf (" /* a category of films (1) or series (2) */
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  folded TEXT NOT NULL,"
	"  position INTEGER NOT NULL,"
	"  PRIMARY KEY (source, generation, kind, key)) WITHOUT ROWID;"
	"CREATE TABLE film ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  position INTEGER NOT NULL,"
	"  name TEXT NOT NULL,"
	"  folded TEXT NOT NULL,"
	"  category TEXT NOT NULL,"
	"  poster TEXT NOT NULL,"
	"  plot TEXT NOT NULL,"
	"  suffix TEXT NOT NULL,"    /* of the container */
	"  year INTEGER NOT NULL,"   /* 0: not known */
	"  rating INTEGER NOT NULL," /* tenths of 0 to 10; 0: none */
	"  changed_s INTEGER NOT NULL,"
	"  adult INTEGER NOT NULL,"
	"  url TEXT NOT NULL," /* of a list; else empty */
	"  PRIMARY KEY (source, generation, key)) WITHOUT ROWID;"
	"CREATE TABLE series ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  position INTEGER NOT NULL,"
	"  name TEXT NOT NULL,"
	"  folded TEXT NOT NULL,"
	"  category TEXT NOT NULL,"
	"  poster TEXT NOT NULL,"
	"  plot TEXT NOT NULL,"
	"  year INTEGER NOT NULL,"
	"  rating INTEGER NOT NULL,"
	"  changed_s INTEGER NOT NULL,"
	"  PRIMARY KEY (source, generation, key)) WITHOUT ROWID;",

	/* Episodes: those of generation 0 were asked for, series by series; the others came with
	 * their series. */
	"CREATE TABLE episode ("
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  generation INTEGER NOT NULL,"
	"  key TEXT NOT NULL,"
	"  series TEXT NOT NULL," /* its key */
	"  season INTEGER NOT NULL,"
	"  number INTEGER NOT NULL,"
	"  name TEXT NOT NULL," /* may be empty */
	"  poster TEXT NOT NULL,"
	"  plot TEXT NOT NULL,"
	"  suffix TEXT NOT NULL,"
	"  duration_s INTEGER NOT NULL," /* 0: not known */
	"  url TEXT NOT NULL,"
	"  PRIMARY KEY (source, generation, key)) WITHOUT ROWID;"
	"CREATE INDEX episode_place ON episode (source, series, season, number, key);"
	"CREATE INDEX series_place ON series (source, generation, position);"
	"CREATE TABLE asked (" /* whose episodes were asked for, and what came of it */
	"  source INTEGER NOT NULL REFERENCES source (id),"
	"  series TEXT NOT NULL,"
	"  asked_ms INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL," /* of the failure; 0: none */
	"  trouble TEXT NOT NULL,"
	"  PRIMARY KEY (source, series)) WITHOUT ROWID;",

	/* Films as they are listed. */
	("CREATE INDEX film_place ON film (source, generation, position);"
	 "CREATE INDEX film_category ON film (source, generation, category);"),
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

int catalog_schema_path(
	const struct conf *conf, const char *name, char to[CATALOG_PATH_MAX], struct fail *f)
{
	if (!file_path(to, CATALOG_PATH_MAX, "%s/db/%s", conf->state_dir, name))
		return fail_set(f, FAIL_INPUT, "The path in state_dir is too long");
	return 0;
}

int catalog_schema_make(const struct conf *conf, const char *name, const char *const *all,
	size_t count, struct db **out, struct fail *f)
{
	char path[CATALOG_PATH_MAX];
	struct db *db = NULL;

	if (catalog_schema_path(conf, "", path, f) < 0 || file_mkdirs(path, 0750, f) < 0)
		return -1;
	if (catalog_schema_path(conf, name, path, f) < 0 || db_open(&db, path, DB_WRITE, f) < 0)
		return -1;
	if (db_migrate(db, all, count, f) < 0) {
		db_close(&db);
		return -1;
	}
	*out = db;
	return 0;
}

int catalog_schema_look(const struct conf *conf, const char *name, struct db **out,
	int64_t *version, struct fail *f)
{
	char path[CATALOG_PATH_MAX];
	struct fail why = {0};

	*out = NULL;
	if (catalog_schema_path(conf, name, path, f) < 0)
		return -1;
	if (db_open(out, path, DB_READ, &why) < 0) {
		if (why.kind == FAIL_MISSING)
			return 0;
		return fail_set(f, why.kind, "%s", why.text);
	}
	if (db_version(*out, version, f) == 0)
		return 0;
	db_close(out);
	return -1;
}

int catalog_schema_write(const struct conf *conf, struct db **out, struct fail *f)
{
	return catalog_schema_make(conf, "catalog.db", steps, STEPS, out, f);
}

static int renew(const struct conf *conf, struct db **out, struct fail *f)
{
	char path[CATALOG_PATH_MAX];
	struct db *db = NULL;

	if (catalog_schema_path(conf, "catalog.db", path, f) < 0)
		return -1;
	if (catalog_schema_write(conf, &db, f) < 0)
		return -1;
	db_close(&db);
	return db_open(out, path, DB_READ, f);
}

int catalog_schema_read(const struct conf *conf, struct db **out, struct fail *f)
{
	int64_t version = 0;

	if (catalog_schema_look(conf, "catalog.db", out, &version, f) < 0)
		return -1;
	if (!*out)
		return 0;
	if (version == STEPS)
		return 0;
	db_close(out);
	if (version > STEPS)
		return fail_set(f, FAIL_BUSY,
			"The catalogue was written by a newer version of Sluice: run sluice "
			"import with that one");
	/* An older one is brought up to date by whoever sees it first; 0 is one that is being
	 * made. */
	return version == 0 ? 0 : renew(conf, out, f);
}
