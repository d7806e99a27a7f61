/* lib/io/tail.c - follows a file that another program adds lines to, and that is rotated.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"

enum {
	KEPT_BYTES = 256,	/* before a place, which it is known by */
	QUIET_MS = 3000,	/* an old file that did not grow for so long is done with, */
	QUIET_EMPTY_MS = 60000, /* while the new one is empty */
};

struct tail {
	char path[PATH_MAX], dir[PATH_MAX], name[NAME_MAX + 1];
	struct tail_place wanted; /* before it is found */
	int fd;			  /* -1: not open */
	struct stat st;		  /* of it, when it was opened */
	int64_t offset;
	char kept[KEPT_BYTES]; /* the bytes before `offset` */
	size_t kept_len;
	int64_t grown_ms; /* when something came last; monotonic */
	int64_t losses;
	bool skipping; /* within a line that is too long */
	char block[KEPT_BYTES + TAIL_BLOCK_BYTES];
};

int tail_open(struct tail **out, const char *path, const struct tail_place *from, struct fail *f)
{
	struct tail *t = calloc(1, sizeof(*t));
	char copy[PATH_MAX];

	if (!t)
		return fail_set(f, FAIL_INTERNAL, "There is no memory to follow %s", path);
	t->fd = -1;
	if (from)
		t->wanted = *from;
	if (!file_path(t->path, sizeof(t->path), "%s", path) ||
		!file_path(copy, sizeof(copy), "%s", path) ||
		!file_path(t->name, sizeof(t->name), "%s", basename(copy)) ||
		!file_path(copy, sizeof(copy), "%s", path) ||
		!file_path(t->dir, sizeof(t->dir), "%s", dirname(copy))) {
		free(t);
		return fail_set(f, FAIL_INTERNAL, "The path %.100s… is too long", path);
	}
	*out = t;
	return 0;
}

static void let_go(struct tail *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void tail_close(struct tail **t)
{
	if (!*t)
		return;
	let_go(*t);
	free(*t);
	*t = NULL;
}

int64_t tail_losses(const struct tail *t)
{
	return t->losses;
}

/* --- places ----------------------------------------------------------------------------------- */

static size_t kept_before(int64_t offset)
{
	return offset < KEPT_BYTES ? (size_t)offset : KEPT_BYTES;
}

static void print_mark(struct span bytes, char mark[TAIL_MARK_BYTES])
{
	unsigned char sum[SIGN_SIZE];

	sign_sha256(bytes, sum);
	num_print_hex(sum, sizeof(sum), mark);
}

void tail_here(const struct tail *t, struct tail_place *out)
{
	if (t->fd < 0) {
		*out = t->wanted;
		return;
	}
	*out = (struct tail_place){(int64_t)t->st.st_dev, (int64_t)t->st.st_ino, t->offset, ""};
	if (t->kept_len)
		print_mark(span_make(t->kept, t->kept_len), out->mark);
}

/* Reads the bytes before `offset`; false when they are not there. */
static bool read_kept(int fd, int64_t offset, char kept[KEPT_BYTES])
{
	size_t len = kept_before(offset);

	return pread(fd, kept, len, offset - (int64_t)len) == (ssize_t)len;
}

/* Whether `place` is one of that file. At its beginning nothing but its number tells. */
static bool holds(int fd, const struct stat *st, const struct tail_place *place)
{
	char kept[KEPT_BYTES], mark[TAIL_MARK_BYTES];

	if (place->offset == 0)
		return (int64_t)st->st_ino == place->inode && (int64_t)st->st_dev == place->device;
	if (st->st_size < place->offset || !read_kept(fd, place->offset, kept))
		return false;
	print_mark(span_make(kept, kept_before(place->offset)), mark);
	return strcmp(mark, place->mark) == 0;
}

/* Goes on with that file, which it takes, at `offset`. */
static void take(struct tail *t, int fd, const struct stat *st, int64_t offset)
{
	let_go(t);
	t->fd = fd;
	t->st = *st;
	t->offset = offset;
	t->kept_len = kept_before(offset);
	t->skipping = false;
	if (!read_kept(fd, offset, t->kept))
		t->kept_len = 0;
	t->grown_ms = clock_mono_ms();
}

static int open_file(int dir, const char *name, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- what lies beside it ---------------------------------------------------------------------- */

/* Looks at each file whose name begins as ours does. `see` takes the descriptor, and ends the walk,
 * by returning true. */
static bool look_beside(struct tail *t,
	bool (*see)(struct tail *t, int fd, const struct stat *st, void *ctx), void *ctx)
{
	size_t len = strlen(t->name);
	DIR *dir = opendir(t->dir);
	bool taken = false;
	struct dirent *e;
	struct stat st;
	int fd;

	while (dir && !taken && (e = readdir(dir))) {
		if (strncmp(e->d_name, t->name, len) != 0 || !e->d_name[len])
			continue;
		fd = open_file(dirfd(dir), e->d_name, &st);
		if (fd < 0)
			continue;
		taken = see(t, fd, &st, ctx);
		if (!taken)
			close(fd);
	}
	if (dir)
		closedir(dir);
	return taken;
}

static bool take_if_holds(struct tail *t, int fd, const struct stat *st, void *ctx)
{
	const struct tail_place *place = ctx;

	if (!holds(fd, st, place))
		return false;
	take(t, fd, st, place->offset);
	return true;
}

/* The oldest of those that are younger than what was done with: others were rotated meanwhile. */
struct younger {
	struct stat than, best;
	int fd;
};

static bool is_younger(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
						      : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

static bool is_text(int fd)
{
	char first;

	/* A line of any front server begins with an address; what is compressed does not. */
	return pread(fd, &first, 1, 0) == 1 && first >= ' ' && first <= '~';
}

static bool choose(struct tail *t, int fd, const struct stat *st, void *ctx)
{
	struct younger *y = ctx;
	int copy;

	(void)t;
	if (st->st_ino == y->than.st_ino || !is_younger(st, &y->than) || !is_text(fd) ||
		(y->fd >= 0 && !is_younger(&y->best, st)))
		return false;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return false;
	if (y->fd >= 0)
		close(y->fd);
	y->fd = copy;
	y->best = *st;
	return false;
}

/* Begins with the one at `path`. False when there is none. */
static bool begin_current(struct tail *t)
{
	struct stat st;
	int fd = open_file(AT_FDCWD, t->path, &st);

	if (fd < 0)
		return false;
	take(t, fd, &st, 0);
	return true;
}

/* What follows an old file that is done with. */
static void go_on(struct tail *t)
{
	struct younger y = {.fd = -1};

	if (fstat(t->fd, &y.than) == 0)
		look_beside(t, choose, &y);
	if (y.fd >= 0)
		take(t, y.fd, &y.best, 0);
	else
		begin_current(t);
}

/* Finds where to go on, after a start or when there was no file. */
static bool find(struct tail *t)
{
	bool is_first = t->wanted.inode == 0 && t->wanted.offset == 0;
	struct stat st;
	int fd = open_file(AT_FDCWD, t->path, &st);

	if (fd >= 0 && (is_first || holds(fd, &st, &t->wanted))) {
		take(t, fd, &st, t->wanted.offset);
		return true;
	}
	if (fd >= 0)
		close(fd);
	if (!is_first && look_beside(t, take_if_holds, &t->wanted))
		return true;
	if (fd < 0)
		return false; /* none yet, or between two */
	t->losses += t->wanted.offset > 0;
	return begin_current(t);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* It is not any more what it was: emptied after it was copied. Its copy may hold what is
 * missing. */
static void find_copy(struct tail *t)
{
	struct tail_place place;

	tail_here(t, &place);
	if (look_beside(t, take_if_holds, &place))
		return;
	t->losses++;
	if (!begin_current(t)) {
		let_go(t);
		t->wanted = (struct tail_place){0};
	}
}

/* Whether nothing more is to be expected of a file that is not the one at `path`. */
static bool is_done(struct tail *t)
{
	int64_t quiet_ms = clock_mono_ms() - t->grown_ms;
	struct stat st;

	if (stat(t->path, &st) < 0)
		return false;
	if (st.st_ino == t->st.st_ino && st.st_dev == t->st.st_dev)
		return false;
	return quiet_ms >= (st.st_size ? QUIET_MS : QUIET_EMPTY_MS);
}

static void advance(struct tail *t, const char *bytes, size_t len)
{
	size_t keep = len < KEPT_BYTES ? len : KEPT_BYTES, old = KEPT_BYTES - keep;

	if (old > t->kept_len)
		old = t->kept_len;
	memmove(t->kept, t->kept + t->kept_len - old, old);
	memcpy(t->kept + old, bytes + len - keep, keep);
	t->kept_len = old + keep;
	t->offset += (int64_t)len;
	t->grown_ms = clock_mono_ms();
}

/* The whole lines among `len` new bytes. False when there is none yet. */
static bool give_lines(struct tail *t, const char *bytes, size_t len, struct span *lines)
{
	const char *end = len ? memrchr(bytes, '\n', len) : NULL, *first;
	struct span given;

	if (!end && len < TAIL_BLOCK_BYTES)
		return false;
	given = span_make(bytes, end ? (size_t)(end - bytes) + 1 : 0);
	advance(t, bytes, end ? given.len : len);
	if (end && t->skipping) {
		first = memchr(given.ptr, '\n', given.len);
		given = span_make(first + 1, given.len - (size_t)(first + 1 - given.ptr));
	}
	t->skipping = !end;
	*lines = given;
	return true;
}

enum tail_result tail_next(struct tail *t, struct span *lines, struct fail *f)
{
	ssize_t n;

	*lines = (struct span){NULL, 0};
	if (t->fd < 0 && !find(t)) {
		fail_errno(f, FAIL_MISSING, ENOENT, "%s cannot be read", t->path);
		return TAIL_FAILED;
	}
	n = pread(
		t->fd, t->block, t->kept_len + TAIL_BLOCK_BYTES, t->offset - (int64_t)t->kept_len);
	if (n < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be read", t->path);
		return TAIL_FAILED;
	}
	if ((size_t)n < t->kept_len || memcmp(t->block, t->kept, t->kept_len) != 0) {
		find_copy(t);
		return TAIL_WAIT;
	}
	if (give_lines(t, t->block + t->kept_len, (size_t)n - t->kept_len, lines))
		return TAIL_LINES;
	if (is_done(t))
		go_on(t);
	return TAIL_WAIT;
}
