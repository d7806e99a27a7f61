/* lib/svc/popular.c - which titles viewers ask for most, by the sums of the front server's log.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/popular.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/http/access_line.h"
#include "lib/io/db.h"
#include "lib/svc/traffic_schema.h"

enum { DAY_MS = 86400 * 1000 };

/* Ordered as strcmp() does. Channels are sent most of all, and of them nothing is kept. */
static const char sql[] =
	"WITH asked AS (SELECT title, sum(hits) AS hits FROM sum WHERE day > ?1 AND title != '' "
	"AND title NOT GLOB 'live-*' AND title NOT GLOB '*.live-*' AND family IN (?2, ?3) "
	"GROUP BY title HAVING sum(hits) > 0) "
	"SELECT title FROM (SELECT title FROM asked WHERE hits >= (SELECT avg(hits) FROM asked) "
	"ORDER BY hits DESC LIMIT ?4) ORDER BY title";

static int read_rows(struct popular *p, struct db *db, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, clock_real_ms() / DAY_MS - POPULAR_DAYS);
	db_bind_text(st, 2, span_of(access_family_name(ACCESS_SEGMENTS)));
	db_bind_text(st, 3, span_of(access_family_name(ACCESS_OBJECTS)));
	db_bind_int(st, 4, POPULAR_MAX);
	p->count = 0;
	while ((step = db_step(st, f)) == DB_ROW) {
		if (p->count < POPULAR_MAX &&
			span_copy(db_text(st, 0), p->titles[p->count], IDENT_MAX))
			p->count++;
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int popular_read(struct popular *p, const struct conf *conf, struct fail *f)
{
	struct db *db = NULL;
	struct popular *now;
	int result = -1;

	if (traffic_schema_read(conf, &db, f) < 0)
		return -1;
	now = calloc(1, sizeof(*now));
	if (!now)
		fail_set(f, FAIL_BUSY, "There is no memory to read what is popular");
	else if (!db || read_rows(now, db, f) == 0)
		result = 0;
	if (result == 0)
		*p = *now;
	free(now);
	db_close(&db);
	return result;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool popular_has(const struct popular *p, struct span name)
{
	struct access_subject subject;

	if (p->count == 0)
		return false;
	access_subject_of(name, &subject);
	return bsearch(subject.title, p->titles, p->count, IDENT_MAX, compare) != NULL;
}
