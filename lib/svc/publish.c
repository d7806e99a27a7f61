/* lib/svc/publish.c - published files: made whole aside, linked under their name, never changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"

enum { NAME_MAX_BYTES = 500, PART_MAX = 200, LINK_TRIES = 5 };

struct publisher {
	const struct conf *conf;
	struct board *board;
	int root[2];	 /* directories of the stores */
	int lives, made; /* state_dir/lives and /made */
};

static const char *const store_names[] = {[PUBLISH_WWW] = "www", [PUBLISH_LIVE] = "live"};

bool publish_store_parse(struct span word, enum publish_store *out)
{
	for (int i = PUBLISH_WWW; i <= PUBLISH_LIVE; i++) {
		if (span_is(word, store_names[i])) {
			*out = (enum publish_store)i;
			return true;
		}
	}
	return false;
}

bool publish_name_ok(struct span name)
{
	struct span part;

	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return false;
	while (span_next(&name, '/', &part)) {
		if (part.len == 0 || part.len > PART_MAX || part.ptr[0] == '.')
			return false;
		for (size_t i = 0; i < part.len; i++) {
			char c = part.ptr[i];
			if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
				!(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
				return false;
		}
	}
	return true;
}

static int open_dir(const char *path, struct fail *f)
{
	int fd;

	if (file_mkdirs(path, 0755, f) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
	return fd;
}

int publish_open(
	struct publisher **out, const struct conf *conf, struct board *board, struct fail *f)
{
	struct publisher *p = malloc(sizeof(*p));
	char live[4096], lives[4096], made[4096];

	if (!p)
		return fail_set(f, FAIL_INTERNAL, "There is no memory to publish");
	*p = (struct publisher){conf, board, {-1, -1}, -1, -1};
	if (file_path(live, sizeof(live), "%s/pub", conf->live_dir) &&
		file_path(lives, sizeof(lives), "%s/lives", conf->state_dir) &&
		file_path(made, sizeof(made), "%s/made", conf->state_dir) &&
		(p->root[PUBLISH_WWW] = open_dir(conf->www_dir, f)) >= 0 &&
		(p->root[PUBLISH_LIVE] = open_dir(live, f)) >= 0 &&
		(p->lives = open_dir(lives, f)) >= 0 && (p->made = open_dir(made, f)) >= 0) {
		*out = p;
		return 0;
	}
	publish_close(&p);
	return -1;
}

void publish_close(struct publisher **p)
{
	if (!*p)
		return;
	for (int i = PUBLISH_WWW; i <= PUBLISH_LIVE; i++) {
		if ((*p)->root[i] >= 0)
			close((*p)->root[i]);
	}
	if ((*p)->lives >= 0)
		close((*p)->lives);
	if ((*p)->made >= 0)
		close((*p)->made);
	free(*p);
	*p = NULL;
}

int64_t publish_room(const struct conf *conf, const struct board *board)
{
	int64_t quota, disk;
	struct statvfs s;

	if (statvfs(conf->www_dir, &s) < 0)
		return -1;
	disk = (int64_t)s.f_bavail * (int64_t)s.f_frsize - conf->free_floor;
	quota = conf->bytes_quota - (board ? board_get(board, BOARD_PUBLISHED_BYTES) : 0);
	return disk < quota ? disk : quota;
}

/* The directory that `name` is in, part by part, so that no symbolic link is followed; missing ones
 * are made when `make`. *last is the file's own part. -1 with errno. */
static int walk(int root, const char *name, bool make, const char **last)
{
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	const char *slash;

	for (; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		char part[PART_MAX + 1];
		int next;

		must(span_copy(span_make(name, (size_t)(slash - name)), part, sizeof(part)));
		if (make && mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			next = -1;
		else
			next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	*last = name;
	return dir;
}

/* One short append is never mixed with another one's. */
static bool note(int dir, int64_t at_s, enum publish_store store, const char *name)
{
	char file[32], line[NAME_MAX_BYTES + 16];
	int fd, n;
	bool good;

	snprintf(file, sizeof(file), "%lld", (long long)(at_s / 60));
	n = snprintf(line, sizeof(line), "%s\t%s\n", store_names[store], name);
	fd = openat(dir, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	good = write(fd, line, (size_t)n) == n;
	close(fd);
	return good;
}

static enum publish_result refuse(struct fail *f, const char *what, const char *name)
{
	int err = errno;
	bool full = err == ENOSPC || err == EDQUOT || err == EIO || err == EFBIG || err == EROFS;

	fail_errno(f, full ? FAIL_BUSY : FAIL_INTERNAL, err, "%s cannot be %s", name, what);
	return full ? PUBLISH_FULL : PUBLISH_FAILED;
}

static bool set_times(
	int dir, const char *name, int flags, int64_t now_s, int64_t life_s, int64_t mtime_s)
{
	struct timespec times[2] = {{.tv_sec = (time_t)(now_s + life_s)},
		{.tv_sec = (time_t)(mtime_s && mtime_s < now_s ? mtime_s : now_s)}};

	return flags < 0 ? futimens(dir, times) == 0 : utimensat(dir, name, times, flags) == 0;
}

/* A life that was given before is made longer, never shorter. */
static void renew(int dir, const char *last, int64_t end_s)
{
	struct timespec times[2] = {{.tv_sec = (time_t)end_s}, {.tv_nsec = UTIME_OMIT}};
	struct stat st;

	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		st.st_atim.tv_sec < end_s)
		utimensat(dir, last, times, AT_SYMLINK_NOFOLLOW);
}

/* Links `from` (a name or, with a descriptor, /proc/self/fd/…) to the name in the store. */
static enum publish_result link_in(struct publisher *p, enum publish_store store, const char *from,
	const char *name, int64_t bytes, int64_t end_s, struct fail *f)
{
	const char *last;
	int dir, linked = -1;

	for (int i = 0; i < LINK_TRIES; i++) { /* the janitor may remove an empty directory */
		dir = walk(p->root[store], name, true, &last);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0)
			return refuse(f, "published", name);
		linked = linkat(AT_FDCWD, from, dir, last, AT_SYMLINK_FOLLOW);
		if (linked < 0 && errno == EEXIST) {
			renew(dir, last, end_s);
			close(dir);
			return PUBLISH_OK;
		}
		close(dir);
		if (linked == 0 || errno != ENOENT)
			break;
	}
	if (linked < 0)
		return refuse(f, "published", name);
	if (p->board && store == PUBLISH_WWW) {
		board_add(p->board, BOARD_PUBLISHED_BYTES, bytes);
		board_add(p->board, BOARD_PUBLISHED_FILES, 1);
	}
	return PUBLISH_OK;
}

static enum publish_result begin(struct publisher *p, enum publish_store store, const char *name,
	int64_t bytes, int64_t now_s, int64_t life_s, struct fail *f)
{
	must(publish_name_ok(span_of(name)) && life_s > 0);
	if (store == PUBLISH_WWW && publish_room(p->conf, p->board) < bytes) {
		fail_set(f, FAIL_BUSY, "There is no room to keep %s", name);
		return PUBLISH_FULL;
	}
	if (!note(p->lives, now_s + life_s + 59, store, name))
		return refuse(f, "noted", name);
	if (store == PUBLISH_WWW && !note(p->made, now_s, store, name))
		return refuse(f, "noted", name);
	return PUBLISH_OK;
}

static bool write_all(int fd, struct span bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = span_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
	return true;
}

enum publish_result publish_bytes(struct publisher *p, enum publish_store store, const char *name,
	struct span bytes, int64_t life_s, int64_t mtime_s, struct fail *f)
{
	int64_t now_s = clock_real_ms() / 1000;
	enum publish_result result = begin(p, store, name, (int64_t)bytes.len, now_s, life_s, f);
	char from[40];
	int fd;

	if (result != PUBLISH_OK)
		return result;
	fd = openat(p->root[store], ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return refuse(f, "written", name);
	if (!write_all(fd, bytes) || fchmod(fd, 0644) < 0 ||
		!set_times(fd, NULL, -1, now_s, life_s, mtime_s)) {
		result = refuse(f, "written", name);
	} else {
		snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
		result = link_in(p, store, from, name, (int64_t)bytes.len, now_s + life_s, f);
	}
	close(fd);
	return result;
}

enum publish_result publish_link(struct publisher *p, enum publish_store store, const char *path,
	const char *name, int64_t life_s, struct fail *f)
{
	int64_t now_s = clock_real_ms() / 1000;
	enum publish_result result;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		fail_set(f, FAIL_INTERNAL, "%s is not there to be published", name);
		return PUBLISH_FAILED;
	}
	result = begin(p, store, name, st.st_size, now_s, life_s, f);
	if (result != PUBLISH_OK)
		return result;
	if (chmod(path, 0644) < 0 ||
		!set_times(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, now_s, life_s, st.st_mtim.tv_sec))
		return refuse(f, "published", name);
	return link_in(p, store, path, name, st.st_size, now_s + life_s, f);
}

/* Directories that became empty, from the inside out. */
static void remove_empty(int root, const char *name)
{
	char path[NAME_MAX_BYTES + 1];
	char *slash;

	must(span_copy(span_of(name), path, sizeof(path)));
	while ((slash = strrchr(path, '/'))) {
		const char *last;
		int dir;

		*slash = '\0';
		dir = walk(root, path, false, &last);
		if (dir < 0)
			return;
		if (unlinkat(dir, last, AT_REMOVEDIR) < 0) {
			close(dir);
			return;
		}
		close(dir);
	}
}

bool publish_remove(struct publisher *p, enum publish_store store, const char *name, int64_t due_s)
{
	bool gone = false;
	const char *last;
	struct stat st;
	int dir;

	if (!publish_name_ok(span_of(name)))
		return false;
	dir = walk(p->root[store], name, false, &last);
	if (dir < 0)
		return errno == ENOENT;
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		gone = true;
	} else if (S_ISREG(st.st_mode) && (due_s <= 0 || st.st_atim.tv_sec <= due_s)) {
		gone = unlinkat(dir, last, 0) == 0;
		if (gone && p->board && store == PUBLISH_WWW) {
			board_add(p->board, BOARD_PUBLISHED_BYTES, -st.st_size);
			board_add(p->board, BOARD_PUBLISHED_FILES, -1);
		}
	}
	close(dir);
	if (gone)
		remove_empty(p->root[store], name);
	return gone;
}
