/* lib/svc/traffic_report.c - what was sent to viewers, in a period.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/traffic_report.h"

#include <string.h>

#include "lib/io/db.h"
#include "lib/svc/traffic_schema.h"

/* The columns of a row from `first` on. */
static struct traffic_sum read_sum(struct db_stmt *st, int first)
{
	return (struct traffic_sum){db_int(st, first), db_int(st, first + 1), db_int(st, first + 2),
		db_int(st, first + 3)};
}

/* Lends `sql` for these days; its rows come by db_step(). */
static int begin(struct db *db, const char *sql, int64_t first, int64_t last, struct db_stmt **st,
	struct fail *f)
{
	if (db_prepare(db, sql, st, f) < 0)
		return -1;
	db_bind_int(*st, 1, first);
	db_bind_int(*st, 2, last);
	return 0;
}

static void add(struct traffic_sum *to, const struct traffic_sum *sum)
{
	to->hits += sum->hits;
	to->misses += sum->misses;
	to->others += sum->others;
	to->bytes += sum->bytes;
}

static int read_families(
	struct db *db, int64_t first, int64_t last, struct traffic_report *out, struct fail *f)
{
	static const char sql[] = "SELECT family, sum(hits), sum(misses), sum(others), sum(bytes) "
				  "FROM sum WHERE day BETWEEN ?1 AND ?2 GROUP BY family";
	struct db_stmt *st;
	enum db_step step;

	if (begin(db, sql, first, last, &st, f) < 0)
		return -1;
	while ((step = db_step(st, f)) == DB_ROW) {
		struct traffic_sum sum = read_sum(st, 1);

		add(&out->all, &sum);
		if (span_is(db_text(st, 0), access_family_name(ACCESS_SEGMENTS)) ||
			span_is(db_text(st, 0), access_family_name(ACCESS_OBJECTS)))
			add(&out->streams, &sum);
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

static int read_days(
	struct db *db, int64_t first, int64_t last, struct traffic_report *out, struct fail *f)
{
	static const char sql[] =
		"SELECT day, sum(hits), sum(misses), sum(others), sum(bytes), sum(upstream) FROM ("
		"SELECT day, hits, misses, others, bytes, 0 AS upstream FROM sum "
		"UNION ALL SELECT day, 0, 0, 0, 0, bytes FROM upstream) "
		"WHERE day BETWEEN ?1 AND ?2 GROUP BY day ORDER BY day";
	struct db_stmt *st;
	enum db_step step;

	if (begin(db, sql, first, last, &st, f) < 0)
		return -1;
	while ((step = db_step(st, f)) == DB_ROW && out->day_count <= TRAFFIC_DAYS) {
		struct traffic_line *day = &out->days[out->day_count++];

		day->day = db_int(st, 0);
		day->sent = read_sum(st, 1);
		day->upstream = db_int(st, 5);
		out->upstream += day->upstream;
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

/* Lines of which each has a name. */
static int read_names(struct db *db, const char *sql, int64_t first, int64_t last,
	struct traffic_line lines[TRAFFIC_TOP], size_t *count, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (begin(db, sql, first, last, &st, f) < 0)
		return -1;
	while ((step = db_step(st, f)) == DB_ROW && *count < TRAFFIC_TOP) {
		struct traffic_line *line = &lines[(*count)++];

		span_copy(db_text(st, 0), line->name, sizeof(line->name));
		line->sent = read_sum(st, 1);
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

static int read_all(
	struct db *db, int64_t first, int64_t last, struct traffic_report *out, struct fail *f)
{
	if (read_families(db, first, last, out, f) < 0 || read_days(db, first, last, out, f) < 0)
		return -1;
	if (read_names(db,
		    "SELECT title, sum(hits), sum(misses), sum(others), sum(bytes) AS b FROM sum "
		    "WHERE day BETWEEN ?1 AND ?2 AND title != '' GROUP BY title "
		    "ORDER BY b DESC, title LIMIT 100",
		    first, last, out->titles, &out->title_count, f) < 0)
		return -1;
	return read_names(db,
		"SELECT rendition, sum(hits), sum(misses), sum(others), sum(bytes) AS b FROM sum "
		"WHERE day BETWEEN ?1 AND ?2 AND rendition != '' AND family = 'segments' "
		"GROUP BY rendition ORDER BY b DESC, rendition LIMIT 100",
		first, last, out->renditions, &out->rendition_count, f);
}

int traffic_report(const struct conf *conf, int64_t first, int64_t last, struct traffic_report *out,
	struct fail *f)
{
	struct db *db = NULL;
	int result;

	memset(out, 0, sizeof(*out));
	if (traffic_schema_read(conf, &db, f) < 0)
		return -1;
	if (!db)
		return 0;
	result = db_begin_read(db, f);
	if (result == 0)
		result = read_all(db, first, last, out, f);
	db_close(&db);
	return result;
}
