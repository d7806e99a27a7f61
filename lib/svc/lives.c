/* lib/svc/lives.c - lists of names by minute.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/lives.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/base/num.h"

enum { APPEND_TRIES = 10, MINUTE_BYTES = 24 };

static void print_minute(int64_t minute, char to[MINUTE_BYTES])
{
	snprintf(to, MINUTE_BYTES, "%lld", (long long)minute);
}

/* A list that cannot go away while the descriptor is open; *taken: somebody has it alone. */
static int hold(int dir, int64_t minute, bool *taken)
{
	char file[MINUTE_BYTES];
	struct stat st;
	int fd;

	*taken = false;
	print_minute(minute, file);
	fd = openat(dir, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -1;
	*taken = flock(fd, LOCK_SH | LOCK_NB) < 0;
	if (!*taken && fstat(fd, &st) == 0 && st.st_nlink > 0)
		return fd;
	close(fd);
	errno = EAGAIN;
	return -1;
}

int lives_append(int dir, int64_t minute, const char *store, const char *name)
{
	char line[LIVES_LINE_MAX];
	int fd = -1, n = snprintf(line, sizeof(line), "\n%s\t%s\n", store, name);
	bool taken = false;

	must(n > 0 && (size_t)n < sizeof(line));
	for (int i = 0; fd < 0 && i < APPEND_TRIES; i++) {
		fd = hold(dir, minute, &taken);
		if (fd < 0 && errno != EAGAIN)
			return -1;
		minute += taken;
	}
	if (fd < 0)
		return -1;
	ssize_t written = write(fd, line, (size_t)n);
	if (written == n)
		return fd;
	int err = written < 0 ? errno : ENOSPC;
	close(fd);
	errno = err;
	return -1;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool add(int64_t **minutes, size_t *room, size_t count, int64_t minute)
{
	if (count == *room) {
		size_t more = *room ? *room * 2 : 64;
		int64_t *larger = reallocarray(*minutes, more, sizeof(**minutes));
		if (!larger)
			return false;
		*minutes = larger;
		*room = more;
	}
	(*minutes)[count] = minute;
	return true;
}

size_t lives_list(int dir, int64_t **out)
{
	/* A new open file: a copy would share its position with others. */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0, room = 0;
	struct dirent *e;
	int64_t minute;

	*out = NULL;
	if (!d && fd >= 0)
		close(fd);
	while (d && count < LIVES_LIST_MAX && (e = readdir(d))) {
		if (num_parse(span_of(e->d_name), 0, INT64_MAX / 60, &minute)) {
			if (!add(out, &room, count, minute))
				break;
			count++;
		}
	}
	if (d)
		closedir(d);
	if (count)
		qsort(*out, count, sizeof(**out), by_value);
	return count;
}

enum lives_result lives_open(struct lives_reader *r, int dir, int64_t minute)
{
	char file[MINUTE_BYTES];

	print_minute(minute, file);
	*r = (struct lives_reader){.dir = dir, .minute = minute};
	r->fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r->fd < 0)
		return LIVES_NONE;
	if (flock(r->fd, LOCK_EX | LOCK_NB) == 0)
		return LIVES_OPEN;
	close(r->fd);
	r->fd = -1;
	return LIVES_HELD;
}

/* More bytes behind the part of a line that is there. False at the end of the list. */
static bool fill(struct lives_reader *r)
{
	ssize_t n;

	memmove(r->bytes, r->bytes + r->used, r->have - r->used);
	r->have -= r->used;
	r->used = 0;
	if (r->have == sizeof(r->bytes)) {
		r->skip = true;
		r->have = 0;
	}
	do {
		n = read(r->fd, r->bytes + r->have, sizeof(r->bytes) - r->have);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	r->have += (size_t)n;
	return true;
}

/* What stands behind the last newline is no line: it was cut. */
bool lives_next(struct lives_reader *r, struct span *store, struct span *name)
{
	for (;;) {
		char *from = r->bytes + r->used;
		char *end = memchr(from, '\n', r->have - r->used);
		bool skip = r->skip;

		if (!end) {
			if (!fill(r))
				return false;
			continue;
		}
		r->used = (size_t)(end - r->bytes) + 1;
		r->skip = false;
		if (!skip && lives_parse(span_make(from, (size_t)(end - from)), store, name))
			return true;
	}
}

void lives_close(struct lives_reader *r, bool done)
{
	char file[MINUTE_BYTES];

	if (r->fd < 0)
		return;
	print_minute(r->minute, file);
	if (done)
		unlinkat(r->dir, file, 0);
	close(r->fd);
	r->fd = -1;
}

bool lives_parse(struct span line, struct span *store, struct span *name)
{
	struct span rest = line, first;

	if (line.len == 0 || line.len > LIVES_LINE_MAX || !span_next(&rest, '\t', &first) ||
		first.len == 0 || rest.len == 0)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		if (i != first.len && (line.ptr[i] <= ' ' || line.ptr[i] > '~'))
			return false;
	}
	*store = first;
	*name = rest;
	return true;
}
