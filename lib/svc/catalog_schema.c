/* lib/svc/catalog_schema.c - the catalogue's database, and its tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog_schema.h"

#include "lib/io/db.h"
#include "lib/svc/database.h"

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
	"CREATE TABLE revision (value INTEGER NOT NULL);" /* not used any more */
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

static const struct database catalog = {"catalog.db", steps, sizeof(steps) / sizeof(steps[0]),
	"The catalogue was written by a newer version of Sluice: run sluice import with that one"};

int catalog_schema_write(const struct conf *conf, struct db **out, struct fail *f)
{
	return database_write(conf, &catalog, out, f);
}

int catalog_schema_read(const struct conf *conf, struct db **out, struct fail *f)
{
	enum database_state state = database_read(conf, &catalog, out, f);
	struct db *db = NULL;

	/* An older one is brought up to date by whoever sees it first. */
	if (state == DATABASE_OLD) {
		if (database_write(conf, &catalog, &db, f) < 0)
			return -1;
		db_close(&db);
		state = database_read(conf, &catalog, out, f);
	}
	return state == DATABASE_FAILED ? -1 : 0;
}
