/* t/unit/traffic.c - what was sent is summed up, and a line counts once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/traffic.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/io/db.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static struct access_line line(const char *path, int status, enum access_cache cache, int64_t bytes)
{
	return (struct access_line){
		1795773287, span_of("GET"), span_of(path), status, bytes, 10, cache};
}

static int64_t number(const struct place *at, const char *sql)
{
	int64_t value = -1;
	char path[128];
	struct db_stmt *st;
	struct db *db;
	struct fail f;

	file_path(path, sizeof(path), "%s/db/traffic.db", at->dir);
	if (db_open(&db, path, DB_READ, &f) < 0 || db_prepare(db, sql, &st, &f) < 0)
		return -1;
	if (db_step(st, &f) == DB_ROW)
		value = db_int(st, 0);
	db_done(st);
	db_close(&db);
	return value;
}

static struct traffic *start(struct place *at)
{
	struct traffic *t;
	struct fail f;

	if (traffic_open(&t, &at->conf, &f) < 0) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
	return t;
}

static int64_t shown(const struct place *at, const char *family, int column)
{
	return row_get(board_row(at->board, ROW_TRAFFIC, family), column);
}

static void sums(struct place *at)
{
	static const char segment[] = "/api/hls/vod-7/0123456789abcdef0123456789abcdef/720p/1.m4s";
	struct tail_place here = {1, 2, 300, "ab"};
	struct traffic *t = start(at);
	struct access_line l;
	struct fail f;

	is_int(traffic_place(t)->offset, 0, "at first nothing has been read");
	for (int i = 0; i < 3; i++) {
		l = line(segment, 200, i ? ACCESS_HIT : ACCESS_MISS, 1000);
		traffic_add(t, &l);
	}
	l = line(segment, 206, ACCESS_UNKNOWN, 10);
	traffic_add(t, &l);
	l = line("/api/hls/vod-666/0123456789abcdef0123456789abcdef/720p/1.m4s", 404, ACCESS_MISS,
		1);
	traffic_add(t, &l);
	l = line("/api/hls/demo.vod-7/720p.m3u8", 200, ACCESS_MISS, 70);
	traffic_add(t, &l);
	l = line("/api/hls/other.vod-7/720p.m3u8", 200, ACCESS_MISS, 700);
	traffic_add(t, &l);
	l = line("/api/live", 200, ACCESS_MISS, 5);
	traffic_add(t, &l);
	l = line("/cdn/stream/vod-7", 200, ACCESS_MISS, 300);
	l.method = span_of("HEAD");
	traffic_add(t, &l);
	is_int(traffic_commit(t, &here, &f), 0, "a batch is written");
	traffic_show(t, at->board);
	is_int(shown(at, "segments", TRAFFIC_HITS), 2, "hits are shown");
	is_int(shown(at, "segments", TRAFFIC_MISSES), 1, "and misses");
	is_int(shown(at, "segments", TRAFFIC_OTHERS), 2, "and refusals, and what is not known");
	is_int(shown(at, "segments", TRAFFIC_BYTES), 3011, "and bytes");
	is_int(shown(at, "api", TRAFFIC_BYTES), 5, "of each family");
	is_int(shown(at, "objects", TRAFFIC_MISSES), 0,
		"who asks for a head alone has missed nothing");
	is_int(shown(at, "objects", TRAFFIC_OTHERS), 1, "though it was an answer");
	is_int(number(at, "SELECT bytes FROM sum WHERE title = 'vod-7' AND rendition = '720p' "
			  "AND family = 'segments' AND day = 1795773287 / 86400"),
		3010, "a title's bytes are kept by day and rendition");
	is_int(number(at, "SELECT bytes FROM sum WHERE title = 'vod-7' AND family = 'playlists'"),
		70, "with the name of the only source before its id it is the same title");
	is_int(number(at, "SELECT bytes FROM sum WHERE title = 'other.vod-7'"), 700,
		"with another name it is another");
	is_int(number(at, "SELECT count(*) FROM sum WHERE title = 'vod-666'"), 0,
		"a title that there is none of is not");
	traffic_close(&t);

	t = start(at);
	is_int(traffic_place(t)->offset, 300, "the next one goes on there");
	is_str(traffic_place(t)->mark, "ab", "by its mark");
	l = line(segment, 200, ACCESS_HIT, 1);
	traffic_add(t, &l);
	traffic_show(t, at->board);
	is_int(shown(at, "segments", TRAFFIC_HITS), 2, "what is not committed is not shown");
	here.offset = 400;
	traffic_commit(t, &here, &f);
	traffic_show(t, at->board);
	is_int(shown(at, "segments", TRAFFIC_HITS), 3, "then it is");
	is_int(number(at, "SELECT hits FROM sum WHERE title = 'vod-7' AND family = 'segments'"), 3,
		"in one row");
	traffic_close(&t);
}

/* A process that is killed at any instant: sums and place are of the same moment. */
static void killed(struct place *at)
{
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct traffic *t = start(at);
			struct access_line l = line("/cdn/stream/x", 200, ACCESS_HIT, 1);
			struct tail_place here = *traffic_place(t);
			struct fail f;

			for (;;) {
				for (int i = 0; i < 10; i++)
					traffic_add(t, &l);
				here.offset += 10;
				traffic_commit(t, &here, &f);
			}
		}
		usleep(3000 + (unsigned)round * 1700);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	is_int(number(at, "SELECT offset - 400 - (SELECT hits FROM total WHERE family = 'objects') "
			  "FROM place"),
		0, "after 20 kills the sums are those of the lines that were read");
	is_int(number(at, "SELECT (SELECT sum(hits) FROM sum WHERE family = 'objects') - hits "
			  "FROM total WHERE family = 'objects'"),
		0, "by day as in all");
	ok(number(at, "SELECT hits FROM total WHERE family = 'objects'") > 100,
		"and some were read");
}

static void upstream(struct place *at)
{
	struct row *row = board_row(at->board, ROW_SOURCE, "gw");
	struct traffic *t = start(at);
	struct fail f;

	row_add(row, SOURCE_BYTES, 70);
	traffic_note_upstream(t, at->board, &f);
	traffic_note_upstream(t, at->board, &f);
	is_int(number(at, "SELECT sum(bytes) FROM upstream"), 70,
		"what a source sent is noted once");
	row_add(row, SOURCE_BYTES, 5);
	traffic_note_upstream(t, at->board, &f);
	is_int(number(at, "SELECT sum(bytes) FROM upstream"), 75, "what came since is added");
	row_set(row, SOURCE_BYTES, 3);
	traffic_note_upstream(t, at->board, &f);
	is_int(number(at, "SELECT sum(bytes) FROM upstream"), 78, "also after a new board");
	traffic_close(&t);
}

static void tidy(struct place *at)
{
	struct tail_place here = {1, 2, 1, ""};
	struct traffic *t = start(at);
	int64_t now_s = clock_real_ms() / 1000;
	struct fail f;

	for (int days = 0; days < 500; days += 50) {
		struct access_line l = line("/cdn/stream/y", 200, ACCESS_HIT, 1);

		l.time_s = now_s - days * 86400;
		traffic_add(t, &l);
	}
	traffic_commit(t, &here, &f);
	is_int(traffic_tidy(t, &f), 0, "what is old is dropped");
	is_int(number(at, "SELECT count(*) FROM sum WHERE title = 'y'"), 2,
		"titles after two months");
	is_int(number(at, "SELECT sum(bytes) FROM sum WHERE family = 'objects' AND title = '' AND "
			  "day > strftime('%s') / 86400 - 401"),
		7, "whose bytes stay");
	is_int(number(at, "SELECT count(*) FROM sum WHERE day < strftime('%s') / 86400 - 401"), 0,
		"for a year and a bit");
	traffic_close(&t);
}

int main(void)
{
	char dir[] = "/tmp/sluice-traffic.XXXXXX", command[64];
	struct conf_source source = {.name = "demo", .type = "xtream"};
	struct place at;

	if (!mkdtemp(dir))
		return 1;
	place_open(&at, dir);
	at.conf.sources = &source;
	at.conf.source_count = 1;
	sums(&at);
	killed(&at);
	upstream(&at);
	tidy(&at);
	place_close(&at);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return tap_done() | (system(command) != 0);
}
