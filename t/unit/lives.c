/* t/unit/lives.c - lists of names by minute.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io/file.h"
#include "lib/svc/lives.h"
#include "t/unit/tap.h"

static void lines(void)
{
	static const struct {
		const char *line, *store, *name;
	} cases[] = {
		{"www\tweb/1/a.css", "www", "web/1/a.css"},
		{"x\t../../etc/passwd", "x", "../../etc/passwd"}, /* for the store to refuse */
		{"", NULL, NULL},
		{"www", NULL, NULL},
		{"www\t", NULL, NULL},
		{"\tname", NULL, NULL},
		{"www\ta\tb", NULL, NULL},
		{"www\ta b", NULL, NULL},
		{"www\ta\x01", NULL, NULL},
		{"www\ta\xc3\xa4", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span store, name;
		bool good = lives_parse(span_of(cases[i].line), &store, &name);
		ok(good == (cases[i].store != NULL) &&
				(!good || (span_is(store, cases[i].store) &&
						  span_is(name, cases[i].name))),
			"the line '%s' is %s", cases[i].line,
			cases[i].store ? "read" : "passed over");
	}
}

static void append(int dir, int64_t minute, const char *name)
{
	int fd = lives_append(dir, minute, "www", name);

	ok(fd >= 0, "%s is put on the list of minute %d", name, (int)minute);
	close(fd);
}

static int count_lines(int dir, int64_t minute)
{
	struct lives_reader r;
	struct span store, name;
	int n = 0;

	if (lives_open(&r, dir, minute) != LIVES_OPEN)
		return -1;
	while (lives_next(&r, &store, &name))
		n++;
	lives_close(&r, false);
	return n;
}

static void lists(int dir)
{
	struct lives_reader r;
	struct span store, name;
	int64_t *minutes;

	append(dir, 7, "a");
	append(dir, 12, "b");
	append(dir, 7, "c");
	close(openat(dir, "boot", O_CREAT | O_WRONLY, 0600));
	is_int(lives_list(dir, &minutes), 2, "lists are found, other files are none");
	ok(minutes[0] == 7 && minutes[1] == 12, "the oldest first");
	free(minutes);
	is_int(lives_open(&r, dir, 7), LIVES_OPEN, "a list is taken");
	ok(lives_next(&r, &store, &name) && span_is(store, "www") && span_is(name, "a"),
		"its first line");
	ok(lives_next(&r, &store, &name) && span_is(name, "c"), "its second line");
	ok(!lives_next(&r, &store, &name), "and no other");
	append(dir, 7, "late");
	lives_close(&r, true);
	is_int(count_lines(dir, 7), -1, "a list that is done with is gone");
	is_int(count_lines(dir, 8), 1, "who came meanwhile is on the next one");
	int fd = lives_append(dir, 12, "www", "d");
	is_int(lives_open(&r, dir, 12), LIVES_HELD, "a list is not taken from who writes to it");
	close(fd);
	is_int(lives_open(&r, dir, 12), LIVES_OPEN, "but when that is done");
	lives_close(&r, true);
	is_int(lives_open(&r, dir, 12), LIVES_NONE, "and only once");
	append(dir, 12, "e");
	is_int(count_lines(dir, 12), 1, "a new list may come in its place");
	mkdirat(dir, "13", 0700);
	is_int(lives_append(dir, 13, "www", "f"), -1, "a directory is no list");
}

static void torn(int dir, const char *path)
{
	char file[128];
	struct fail f = {0};
	struct buf b;

	file_path(file, sizeof(file), "%s/20", path);
	file_replace(file, span_of("\nwww\ta\n\nwww\tcut-he"), 0600, &f);
	is_int(count_lines(dir, 20), 1, "a line that was cut is none");
	append(dir, 20, "whole");
	is_int(count_lines(dir, 20), 3, "and does not spoil the next");
	file_replace(file, span_make("\nwww\tb\n\0\0\0\0\0\0\nwww\tc\n", 21), 0600, &f);
	is_int(count_lines(dir, 20), 2, "nor do zeros that a crash left");
	buf_init(&b, 1 << 20);
	buf_puts(&b, "www\t");
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\nwww\tafter\n");
	file_replace(file, buf_span(&b), 0600, &f);
	is_int(count_lines(dir, 20), 1, "a line without an end is passed over");
	buf_clear(&b);
	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "\nwww\tname/%d\n", i);
	file_replace(file, buf_span(&b), 0600, &f);
	is_int(count_lines(dir, 20), 20000, "a long list is read whole");
	buf_release(&b);
}

int main(void)
{
	char dir[] = "/tmp/sluice-lives-XXXXXX", command[100];
	int fd;

	if (!mkdtemp(dir))
		return 99;
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	lines();
	lists(fd);
	torn(fd, dir);
	close(fd);
	file_path(command, sizeof(command), "rm -rf '%s'", dir);
	is_int(system(command), 0, "tidied up");
	return tap_done();
}
