/* t/unit/tail.c - each line is given once, whatever happens to the file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/io/file.h"
#include "lib/io/tail.h"
#include "t/unit/tap.h"

static char dir[64], path[96], old[96], older[96], clock_path[96];
static int64_t clock_ms;

static void move_clock(int64_t ms)
{
	int fd = open(clock_path, O_RDWR | O_CREAT, 0600);

	clock_ms += ms;
	if (fd < 0 || pwrite(fd, &clock_ms, sizeof(clock_ms), 0) != sizeof(clock_ms))
		abort();
	close(fd);
}

static void add(const char *to, const char *text)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

/* Lines that are not alike, so many and as long as they may be in a log. */
static void add_lines(const char *to, int from, int count)
{
	char line[200];

	for (int i = from; i < from + count; i++) {
		snprintf(line, sizeof(line),
			"%d 127.0.0.1 [27/Nov/2026:09:54:47 +0000] \"GET /%d\"\n", i, i);
		add(to, line);
	}
}

static void copy(const char *from, const char *to)
{
	struct buf b;
	struct fail f;

	buf_init(&b, 1 << 20);
	if (file_read(from, &b, &f) < 0)
		abort();
	add(to, buf_str(&b));
	buf_release(&b);
}

static void begin(struct tail **t, const struct tail_place *from)
{
	struct fail f;

	if (tail_open(t, path, from, &f) < 0)
		abort();
}

/* Sets the time on which a file was changed, as that of files that are rotated one after
 * another. */
static void age(const char *of, int seconds)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {1700000000 + seconds, 0}};

	if (utimensat(AT_FDCWD, of, times, 0) < 0)
		abort();
}

/* Reads all that comes; says the numbers of the first and the last line and how many there were. */
static void take(struct tail *t, int *first, int *last, int *count)
{
	struct span lines, line;
	struct fail f;

	*first = *last = -1;
	*count = 0;
	for (int waits = 0; waits < 12;) {
		if (tail_next(t, &lines, &f) != TAIL_LINES) {
			move_clock(10000);
			waits++;
			continue;
		}
		while (lines.len && span_next(&lines, '\n', &line) && lines.ptr) {
			*last = atoi(line.ptr);
			if (*first < 0)
				*first = *last;
			++*count;
		}
	}
}

static void want(struct tail *t, int first, int last, const char *what)
{
	int a, b, n;

	take(t, &a, &b, &n);
	is_int(n, first < 0 ? 0 : last - first + 1, "%s: each line once", what);
	ok(a == first && b == last, "from the first to the last (%d to %d)", a, b);
}

static void clean(void)
{
	unlink(path);
	unlink(old);
	unlink(older);
}

static void grows(void)
{
	struct tail_place here;
	struct tail *t;
	struct span lines;
	struct fail f;

	begin(&t, NULL);
	is_int(tail_next(t, &lines, &f), TAIL_FAILED,
		"a file that is not there is said to be missing");
	ok(strstr(f.text, path) != NULL, "by its name");
	add_lines(path, 1, 3);
	want(t, 1, 3, "once it is there");
	add(path, "4 hal");
	want(t, -1, -1, "half a line");
	add(path, "f a line\n");
	want(t, 4, 4, "and its other half");
	tail_here(t, &here);
	tail_close(&t);
	add_lines(path, 5, 2000);
	begin(&t, &here);
	want(t, 5, 2004, "what came while nobody looked");
	is_int(tail_losses(t), 0, "nothing is missing");
	tail_close(&t);
	clean();
}

static void long_lines(void)
{
	static char line[3 * TAIL_BLOCK_BYTES];
	struct tail *t;

	begin(&t, NULL);
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	add_lines(path, 1, 1);
	add(path, line);
	add_lines(path, 2, 2);
	want(t, 1, 3, "around a line that is too long");
	tail_close(&t);
	clean();
}

static void renamed(void)
{
	struct tail_place here;
	struct tail *t;

	begin(&t, NULL);
	add_lines(path, 1, 5);
	want(t, 1, 5, "before");
	add_lines(path, 6, 1);
	rename(path, old);
	add_lines(old, 7, 2); /* the server has not heard of it yet */
	want(t, 6, 8, "renamed, and written to still");
	add_lines(path, 9, 3);
	want(t, 9, 11, "then the new one");
	tail_here(t, &here);
	tail_close(&t);
	/* Twice while nobody looks. */
	add_lines(path, 12, 2);
	rename(old, older);
	rename(path, old);
	age(older, 1);
	age(old, 2);
	begin(&t, &here);
	want(t, 12, 13, "renamed while nobody followed");
	add_lines(path, 14, 2);
	want(t, 14, 15, "and the new one");
	tail_here(t, &here);
	tail_close(&t);
	unlink(older);
	add_lines(path, 16, 1);
	rename(old, older);
	rename(path, old);
	add_lines(path, 17, 1);
	rename(old, older);
	rename(path, old);
	add_lines(path, 18, 1);
	age(older, 3);
	age(old, 4);
	begin(&t, &here);
	want(t, 16, 18, "renamed twice");
	is_int(tail_losses(t), 0, "nothing is missing");
	tail_close(&t);
	clean();
}

static void emptied(bool followed, bool grown)
{
	struct tail_place here;
	struct tail *t;

	begin(&t, NULL);
	add_lines(path, 1, 4);
	want(t, 1, 4, "before");
	tail_here(t, &here);
	if (!followed)
		tail_close(&t);
	add_lines(path, 5, 2);
	copy(path, old);
	truncate(path, 0);
	add_lines(path, 7, grown ? 20 : 1);
	if (!followed)
		begin(&t, &here);
	want(t, 5, grown ? 26 : 7, "copied and emptied");
	is_int(tail_losses(t), 0, "nothing is missing");
	tail_close(&t);
	clean();
}

static void lost(void)
{
	struct tail_place here;
	struct tail *t;

	begin(&t, NULL);
	add_lines(path, 1, 4);
	want(t, 1, 4, "before");
	tail_here(t, &here);
	tail_close(&t);
	unlink(path);
	add_lines(path, 5, 5); /* with the old one's number, on many file systems */
	begin(&t, &here);
	want(t, 5, 9, "removed and made anew");
	is_int(tail_losses(t), 1, "something may be missing, and that is said");
	tail_close(&t);
	clean();
}

int main(void)
{
	char template[] = "/tmp/sluice-tail.XXXXXX";

	if (!mkdtemp(template))
		return 1;
	file_path(dir, sizeof(dir), "%s", template);
	file_path(path, sizeof(path), "%s/access.log", dir);
	file_path(old, sizeof(old), "%s/access.log.1", dir);
	file_path(older, sizeof(older), "%s/access.log.2", dir);
	file_path(clock_path, sizeof(clock_path), "%s/clock", dir);
	move_clock(0);
	setenv("SLUICE_CLOCK", clock_path, 1);
	clock_init();
	grows();
	long_lines();
	renamed();
	for (int i = 0; i < 4; i++)
		emptied(i & 1, i & 2);
	lost();
	unlink(clock_path);
	rmdir(dir);
	return tap_done();
}
