/* t/unit/rows.c - counters by name, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io/rows.h"
#include "t/unit/tap.h"

static struct rows *make(void)
{
	void *map = mmap(NULL, sizeof(struct rows), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		exit(99);
	return map;
}

/* How many rows of that kind and name there are, and the sum of their first column. */
static int64_t look(const struct rows *rows, enum row_kind kind, const char *name, int *count)
{
	char found[ROW_NAME_BYTES];
	const struct row *row;
	int64_t sum = 0;
	size_t at = 0;

	*count = 0;
	while ((row = rows_each(rows, kind, &at))) {
		row_name(row, found);
		if (strcmp(found, name) != 0)
			continue;
		++*count;
		sum += row_get(row, 0);
	}
	return sum;
}

static void names(void)
{
	static const struct {
		enum row_kind kind;
		const char *name, *kept;
	} cases[] = {
		{ROW_ROUTE, "live_list", "live_list"},
		{ROW_FAMILY, "live_list", "live_list"},
		{ROW_SOURCE, "", ""},
		{ROW_SOURCE, "a \"quoted\"\nname", "a \"quoted\"\nname"},
		{ROW_SERVER, "/a/path/that/is/much/longer/than/any/name/that/fits/in/there.sock",
			"/a/path/that/is/much/longer/than/any/name/that/fits/in/"},
	};
	struct rows *rows = make();
	char name[ROW_NAME_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row *row = rows_find(rows, cases[i].kind, cases[i].name);
		int count;

		row_add(row, 0, (int64_t)i + 1);
		row_name(row, name);
		is_str(name, cases[i].kept, "a row has its name: %zu", i);
		ok(rows_find(rows, cases[i].kind, cases[i].name) == row, "and is found by it");
		is_int(look(rows, cases[i].kind, cases[i].kept, &count), i + 1, "with its count");
		is_int(count, 1, "once");
	}
	row_add(NULL, 0, 1);
	munmap(rows, sizeof(*rows));
}

static void full(void)
{
	struct rows *rows = make();
	char name[32];
	int count;

	for (int i = 0; i < ROWS_MAX + 20; i++) {
		snprintf(name, sizeof(name), "source %d", i);
		row_add(rows_find(rows, ROW_SOURCE, name), 0, 1);
	}
	is_int(look(rows, ROW_SOURCE, "other", &count), 20,
		"what finds no room is counted as other");
	is_int(count, 1, "in one row");
	is_int(look(rows, ROW_SOURCE, "source 0", &count), 1, "and those before are as they were");
	row_add(rows_find(rows, ROW_ROUTE, "late"), 0, 5);
	is_int(look(rows, ROW_ROUTE, "other", &count), 5, "each kind has its own rest");
	munmap(rows, sizeof(*rows));
}

/* Many processes count under the same few names, and are killed while they do. */
static void storm(void)
{
	enum { CHILDREN = 8, ROUNDS = 2000, NAMES = 20 };
	struct rows *rows = make();
	int64_t sum = 0;
	char name[32];
	int count;

	for (int c = 0; c < CHILDREN; c++) {
		if (fork() == 0) {
			for (int i = 0; i < ROUNDS; i++) {
				snprintf(name, sizeof(name), "name %d", (i + c) % NAMES);
				row_add(rows_find(rows, ROW_ROUTE, name), 0, 1);
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	for (int n = 0; n < NAMES; n++) {
		snprintf(name, sizeof(name), "name %d", n);
		sum += look(rows, ROW_ROUTE, name, &count);
	}
	is_int(sum, CHILDREN * ROUNDS, "nothing is lost between processes");
	munmap(rows, sizeof(*rows));
}

/* A process that was killed between taking a row and naming it. */
static void killed(void)
{
	struct rows *rows = make();
	struct row *row = rows_find(rows, ROW_ROUTE, "mine");
	int count;

	atomic_store(&row->state, 1);
	row_add(rows_find(rows, ROW_ROUTE, "mine"), 0, 3);
	is_int(look(rows, ROW_ROUTE, "mine", &count), 3, "a row without a name is passed over");
	is_int(count, 1, "and never shown");
	munmap(rows, sizeof(*rows));
}

int main(void)
{
	names();
	full();
	storm();
	killed();
	return tap_done();
}
