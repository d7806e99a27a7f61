/* t/unit/memstat.c - what memcached's figures mean.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "lib/io/board.h"
#include "lib/io/file.h"
#include "lib/svc/memstat.h"
#include "t/unit/tap.h"

static void watch(void)
{
	static const struct {
		const char *what, *want; /* a word of the sentence; "": none comes */
		struct memstat_server s;
	} cases[] = {
		{"all is well", "", {.uptime_s = 90000, .hits = 9500, .misses = 500}},
		{"something is evicted", "before their time", {.evictions = 1}},
		{"what is used is evicted", "in use", {.evictions = 9, .evicted_active = 1}},
		{"connections were refused", "refused", {.connections_refused = 1}},
		{"connections run out", "nearly", {.connections = 850, .connections_limit = 1024}},
		{"half of the connections", "", {.connections = 512, .connections_limit = 1024}},
		{"a bad hit rate", "9 of 10", {.uptime_s = 90000, .hits = 890, .misses = 110}},
		{"a bad hit rate of few", "", {.uptime_s = 90000, .hits = 1, .misses = 9}},
		{"a bad hit rate at first", "", {.uptime_s = 60, .hits = 1000, .misses = 9000}},
		{"two hosts of one name", "host_name", {.cas_badval = 100}},
		{"a race now and then", "", {.cas_badval = 5}},
		{"a wrong password", "password", {.auth_errors = 1}},
		{"a flush", "of its own", {.flushes = 1}},
		{"a server that is away", "", {.state = {.away = true}, .flushes = 1}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found[MEMSTAT_WATCH];
		size_t count = memstat_watch(&cases[i].s, found);

		is_int(count, *cases[i].want ? 1 : 0, "%s", cases[i].what);
		if (count == 1)
			ok(strstr(found[0], cases[i].want) != NULL, "is said: %s", found[0]);
	}
}

static void rates(void)
{
	static const struct {
		int64_t hits, misses;
		int want;
	} cases[] = {{0, 0, -1}, {0, 5, 0}, {5, 0, 1000}, {1, 2, 333}, {2, 1, 667},
		{INT64_MAX / 4, INT64_MAX / 4, 500}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(memstat_rate(cases[i].hits, cases[i].misses), cases[i].want,
			"%lld of %lld hits", (long long)cases[i].hits,
			(long long)(cases[i].hits + cases[i].misses));
}

/* A server may say anything. */
static void large_numbers(void)
{
	struct memstat_server s = {.state = {.away = false}};
	struct span largest = span_of("9223372036854775807");
	const char *found[MEMSTAT_WATCH];

	memstat_take(&s, span_of("get_hits"), largest);
	memstat_take(&s, span_of("get_misses"), largest);
	memstat_take(&s, span_of("evictions"), span_of("4611686018427387904"));
	memstat_take(&s, span_of("uptime"), span_of("4000"));
	is_int(s.hits, 0, "a number that no counter reaches is left out");
	is_int(s.evictions, 0, "another as well");
	is_int(s.uptime_s, 4000, "one that can be is taken");
	is_int(memstat_watch(&s, found), 0, "and nothing is said about the others");
}

static void families(const char *path)
{
	struct memstat_family list[4];
	struct board *b = NULL;
	struct fail f;

	is_int(memstat_families(NULL, list, 4), 0, "without a board there is no family");
	board_open(&b, path, &f);
	row_add(board_row(b, ROW_FAMILY, "tok"), FAMILY_HITS, 3);
	row_add(board_row(b, ROW_FAMILY, "tok"), FAMILY_BYTES_READ, 300);
	row_add(board_row(b, ROW_FAMILY, "lease"), FAMILY_STORED, 2);
	row_add(board_row(b, ROW_ROUTE, "live_list"), ROUTE_2XX, 9);
	is_int(memstat_families(b, list, 4), 2, "families are those that were asked for");
	is_str(list[0].name, "lease", "sorted by name");
	is_int(list[0].stored, 2, "with what was stored");
	is_str(list[1].name, "tok", "and");
	ok(list[1].hits == 3 && list[1].bytes_read == 300, "with what was found");
	is_int(memstat_families(b, list, 1), 1, "no more than there is room for");
	board_close(&b);
}

int main(void)
{
	char dir[] = "/tmp/sluice-memstat-XXXXXX", path[200];

	if (!mkdtemp(dir))
		return 99;
	file_path(path, sizeof(path), "%s/board", dir);
	watch();
	rates();
	large_numbers();
	families(path);
	unlink(path);
	is_int(rmdir(dir), 0, "tidied up");
	return tap_done();
}
