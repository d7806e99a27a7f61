/* lib/svc/traffic.c - what was sent to viewers: the sums, as the meter writes them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/db.h"
#include "lib/svc/source.h"
#include "lib/svc/traffic_schema.h"

enum {
	ENTRIES = 4096, /* of a batch, a power of two */
	ENTRIES_MAX = ENTRIES * 3 / 4,
	DAY_S = 86400
};

/* One sum of a batch. */
struct entry {
	bool used;
	int64_t day; /* since the epoch */
	struct access_subject subject;
	struct traffic_sum sum;
};

struct traffic {
	struct db *db;
	const struct conf *conf;
	struct tail_place place;
	struct traffic_sum total[ACCESS_FAMILIES]; /* of all time, as committed */
	struct entry entry[ENTRIES];
	size_t count;
};

static void add_sum(struct traffic_sum *to, const struct traffic_sum *sum)
{
	to->hits += sum->hits;
	to->misses += sum->misses;
	to->others += sum->others;
	to->bytes += sum->bytes;
}

/* --- what is there ---------------------------------------------------------------------------- */

static int read_place(struct traffic *t, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(t->db, "SELECT device, inode, offset, mark FROM place", &st, f) < 0)
		return -1;
	step = db_step(st, f);
	if (step == DB_ROW) {
		t->place = (struct tail_place){db_int(st, 0), db_int(st, 1), db_int(st, 2), ""};
		span_copy(db_text(st, 3), t->place.mark, sizeof(t->place.mark));
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

static int read_totals(struct traffic *t, struct fail *f)
{
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(t->db, "SELECT family, hits, misses, others, bytes FROM total", &st, f) < 0)
		return -1;
	while ((step = db_step(st, f)) == DB_ROW) {
		for (int i = 0; i < ACCESS_FAMILIES; i++) {
			if (span_is(db_text(st, 0), access_family_name((enum access_family)i)))
				t->total[i] = (struct traffic_sum){
					db_int(st, 1), db_int(st, 2), db_int(st, 3), db_int(st, 4)};
		}
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int traffic_open(struct traffic **out, const struct conf *conf, struct fail *f)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (!t)
		return fail_set(f, FAIL_BUSY, "There is no memory to count with");
	if (traffic_schema_write(conf, &t->db, f) < 0 || read_place(t, f) < 0 ||
		read_totals(t, f) < 0) {
		traffic_close(&t);
		return -1;
	}
	t->conf = conf;
	*out = t;
	return 0;
}

void traffic_close(struct traffic **t)
{
	if (!*t)
		return;
	db_close(&(*t)->db);
	free(*t);
	*t = NULL;
}

const struct tail_place *traffic_place(const struct traffic *t)
{
	return &t->place;
}

void traffic_show(const struct traffic *t, struct board *board)
{
	for (int i = 0; i < ACCESS_FAMILIES; i++) {
		struct row *row =
			board_row(board, ROW_TRAFFIC, access_family_name((enum access_family)i));

		row_set(row, TRAFFIC_HITS, t->total[i].hits);
		row_set(row, TRAFFIC_MISSES, t->total[i].misses);
		row_set(row, TRAFFIC_OTHERS, t->total[i].others);
		row_set(row, TRAFFIC_BYTES, t->total[i].bytes);
	}
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

static struct entry *find_entry(struct traffic *t, int64_t day, const struct access_subject *s)
{
	uint32_t at = hash_text(2166136261u ^ (uint32_t)day, s->title);

	at = hash_text(at ^ (uint32_t)s->family, s->rendition);
	for (;; at++) {
		struct entry *e = &t->entry[at % ENTRIES];

		if (!e->used || (e->day == day && e->subject.family == s->family &&
					strcmp(e->subject.title, s->title) == 0 &&
					strcmp(e->subject.rendition, s->rendition) == 0))
			return e;
	}
}

static bool was_answered(const struct access_line *l)
{
	return l->status == 200 || l->status == 206 || l->status == 304;
}

/* Where there is one source with titles of its own, its name in front of an id says nothing. */
static void shorten(const struct conf *conf, char title[IDENT_MAX])
{
	struct ident id;

	if (!strchr(title, '.') || source_several(conf) ||
		!ident_parse(span_of(title), IDENT_NONE, &id) || !*id.source ||
		!conf_source(conf, id.source))
		return;
	id.source[0] = '\0';
	ident_print(&id, title, IDENT_MAX);
}

bool traffic_is_full(const struct traffic *t)
{
	return t->count + TRAFFIC_LINES > ENTRIES_MAX;
}

void traffic_add(struct traffic *t, const struct access_line *l)
{
	struct access_subject subject;
	struct traffic_sum sum = {.bytes = l->bytes};
	struct entry *e;
	bool counts;

	must(t->count < ENTRIES_MAX);
	access_subject_of(l->path, &subject);
	if (!was_answered(l)) /* or anybody could have titles counted that there are none of */
		subject.title[0] = subject.rendition[0] = '\0';
	shorten(t->conf, subject.title);
	counts = was_answered(l) && !span_is(l->method, "HEAD");
	sum.hits = counts && l->cache == ACCESS_HIT;
	sum.misses = counts && l->cache == ACCESS_MISS;
	sum.others = !sum.hits && !sum.misses;
	e = find_entry(t, l->time_s / DAY_S, &subject);
	if (!e->used) {
		*e = (struct entry){true, l->time_s / DAY_S, subject, {0}};
		t->count++;
	}
	add_sum(&e->sum, &sum);
}

/* --- committing ------------------------------------------------------------------------------- */

static void bind_sum(struct db_stmt *st, int first, const struct traffic_sum *sum)
{
	db_bind_int(st, first, sum->hits);
	db_bind_int(st, first + 1, sum->misses);
	db_bind_int(st, first + 2, sum->others);
	db_bind_int(st, first + 3, sum->bytes);
}

static int write_entry(struct traffic *t, const struct entry *e, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(t->db,
		    "INSERT INTO sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
		    "ON CONFLICT DO UPDATE SET hits = hits + ?5, misses = misses + ?6, "
		    "others = others + ?7, bytes = bytes + ?8",
		    &st, f) < 0)
		return -1;
	db_bind_int(st, 1, e->day);
	db_bind_text(st, 2, span_of(access_family_name(e->subject.family)));
	db_bind_text(st, 3, span_of(e->subject.title));
	db_bind_text(st, 4, span_of(e->subject.rendition));
	bind_sum(st, 5, &e->sum);
	return db_run(st, f);
}

static int write_totals(
	struct traffic *t, const struct traffic_sum total[ACCESS_FAMILIES], struct fail *f)
{
	for (int i = 0; i < ACCESS_FAMILIES; i++) {
		struct db_stmt *st;

		if (db_prepare(t->db, "INSERT OR REPLACE INTO total VALUES (?1, ?2, ?3, ?4, ?5)",
			    &st, f) < 0)
			return -1;
		db_bind_text(st, 1, span_of(access_family_name((enum access_family)i)));
		bind_sum(st, 2, &total[i]);
		if (db_run(st, f) < 0)
			return -1;
	}
	return 0;
}

static int write_place(struct traffic *t, const struct tail_place *place, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(t->db, "INSERT OR REPLACE INTO place VALUES (1, ?1, ?2, ?3, ?4)", &st, f) <
		0)
		return -1;
	db_bind_int(st, 1, place->device);
	db_bind_int(st, 2, place->inode);
	db_bind_int(st, 3, place->offset);
	db_bind_text(st, 4, span_of(place->mark));
	return db_run(st, f);
}

static int write_all(struct traffic *t, const struct tail_place *place,
	const struct traffic_sum total[ACCESS_FAMILIES], struct fail *f)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (t->entry[i].used && write_entry(t, &t->entry[i], f) < 0)
			return -1;
	}
	if (write_totals(t, total, f) < 0 || write_place(t, place, f) < 0)
		return -1;
	return db_commit(t->db, f);
}

int traffic_commit(struct traffic *t, const struct tail_place *place, struct fail *f)
{
	struct traffic_sum total[ACCESS_FAMILIES];

	memcpy(total, t->total, sizeof(total));
	for (size_t i = 0; i < ENTRIES; i++) {
		if (t->entry[i].used)
			add_sum(&total[t->entry[i].subject.family], &t->entry[i].sum);
	}
	if (db_begin(t->db, f) < 0)
		return -1;
	if (write_all(t, place, total, f) < 0) {
		db_rollback(t->db);
		return -1;
	}
	memcpy(t->total, total, sizeof(total));
	memset(t->entry, 0, sizeof(t->entry));
	t->count = 0;
	t->place = *place;
	return 0;
}

/* --- upstream --------------------------------------------------------------------------------- */

/* How much of `now` is new. Less than was seen means that the board was made anew. */
static int take_news(struct db *db, const char *source, int64_t now, int64_t *news, struct fail *f)
{
	enum db_step step;
	struct db_stmt *st;

	*news = now;
	if (db_prepare(db, "SELECT bytes FROM upstream_seen WHERE source = ?1", &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	step = db_step(st, f);
	if (step == DB_ROW && db_int(st, 0) <= now)
		*news = now - db_int(st, 0);
	db_done(st);
	if (step == DB_FAILED || *news == 0)
		return step == DB_FAILED ? -1 : 0;
	if (db_prepare(db, "INSERT OR REPLACE INTO upstream_seen VALUES (?1, ?2)", &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_int(st, 2, now);
	return db_run(st, f);
}

static int note_source(struct db *db, const char *source, int64_t now, struct fail *f)
{
	struct db_stmt *st;
	int64_t news;

	if (take_news(db, source, now, &news, f) < 0)
		return -1;
	if (news == 0)
		return 0;
	if (db_prepare(db,
		    "INSERT INTO upstream VALUES (?1, ?2, ?3) "
		    "ON CONFLICT DO UPDATE SET bytes = bytes + ?3",
		    &st, f) < 0)
		return -1;
	db_bind_int(st, 1, clock_real_ms() / 1000 / DAY_S);
	db_bind_text(st, 2, span_of(source));
	db_bind_int(st, 3, news);
	return db_run(st, f);
}

int traffic_note_upstream(struct traffic *t, const struct board *board, struct fail *f)
{
	const struct row *row;
	char name[ROW_NAME_BYTES];
	size_t at = 0;

	if (db_begin(t->db, f) < 0)
		return -1;
	while ((row = rows_each(board_rows(board), ROW_SOURCE, &at))) {
		row_name(row, name);
		if (note_source(t->db, name, row_get(row, SOURCE_BYTES), f) < 0) {
			db_rollback(t->db);
			return -1;
		}
	}
	if (db_commit(t->db, f) == 0)
		return 0;
	db_rollback(t->db);
	return -1;
}

/* --- what is too old -------------------------------------------------------------------------- */

static int run_for_day(struct db *db, const char *sql, int64_t day, struct fail *f)
{
	struct db_stmt *st;

	if (db_prepare(db, sql, &st, f) < 0)
		return -1;
	db_bind_int(st, 1, day);
	return db_run(st, f);
}

int traffic_tidy(struct traffic *t, struct fail *f)
{
	int64_t today = clock_real_ms() / 1000 / DAY_S;
	int64_t first = today - TRAFFIC_DAYS, first_title = today - TRAFFIC_TITLE_DAYS;

	if (db_begin(t->db, f) < 0)
		return -1;
	if (run_for_day(t->db, "DELETE FROM sum WHERE day < ?1", first, f) < 0 ||
		run_for_day(t->db, "DELETE FROM upstream WHERE day < ?1", first, f) < 0 ||
		run_for_day(t->db,
			"INSERT INTO sum SELECT day, family, '', '', sum(hits), sum(misses), "
			"sum(others), sum(bytes) FROM sum "
			"WHERE day < ?1 AND (title != '' OR rendition != '') GROUP BY day, family "
			"ON CONFLICT DO UPDATE SET hits = hits + excluded.hits, "
			"misses = misses + excluded.misses, others = others + excluded.others, "
			"bytes = bytes + excluded.bytes",
			first_title, f) < 0 ||
		run_for_day(t->db,
			"DELETE FROM sum WHERE day < ?1 AND (title != '' OR rendition != '')",
			first_title, f) < 0 ||
		db_commit(t->db, f) < 0) {
		db_rollback(t->db);
		return -1;
	}
	return 0;
}
