/* lib/io/file.c - small files, whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/walk.h"

int file_read(const char *path, struct buf *to, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char part[16384];
	ssize_t n;

	if (fd < 0)
		return fail_errno(f, errno == ENOENT ? FAIL_MISSING : FAIL_INTERNAL, errno,
			"The file %s cannot be opened", path);
	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail_errno(f, FAIL_INTERNAL, errno, "The file %s cannot be read", path);
			break;
		}
		if (!buf_add(to, part, (size_t)n)) {
			n = fail_set(f, FAIL_INTERNAL, "The file %s has more than %zu bytes", path,
				to->max);
			break;
		}
	}
	close(fd);
	return n < 0 ? -1 : 0;
}

static int write_all(int fd, struct span bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes = span_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
	return 0;
}

/* Root does not take a file from those who could read it. */
static bool keep_owner(int fd, const char *path)
{
	struct stat st;

	return geteuid() != 0 || lstat(path, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) == 0;
}

int file_replace(const char *path, struct span bytes, mode_t mode, struct fail *f)
{
	char temporary[PATH_MAX];
	int fd;

	if (!file_path(temporary, sizeof(temporary), "%s.XXXXXX", path))
		return fail_set(f, FAIL_INTERNAL, "The path %s is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The file %s cannot be written", path);
	if (keep_owner(fd, path) && fchmod(fd, mode) == 0 && write_all(fd, bytes) == 0 &&
		rename(temporary, path) == 0) {
		close(fd);
		return 0;
	}
	fail_errno(f, FAIL_INTERNAL, errno, "The file %s cannot be written", path);
	unlink(temporary);
	close(fd);
	return -1;
}

int file_renew(const char *path, struct span bytes, mode_t mode, struct fail *f)
{
	bool done;
	int fd;

	if (file_replace(path, bytes, mode, f) == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1; /* what file_replace() failed with */
	done = pwrite(fd, bytes.ptr, bytes.len, 0) == (ssize_t)bytes.len &&
	       ftruncate(fd, (off_t)bytes.len) == 0;
	close(fd);
	return done ? 0 : -1;
}

int file_mkdirs(const char *path, mode_t mode, struct fail *f)
{
	int fd, result = walk_open(path, mode, false, &fd, f);

	if (result == 0)
		close(fd);
	return result;
}

bool file_touch(const char *path)
{
	int64_t ms = clock_real_ms();
	struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
	};
	bool good;
	int fd;

	if (utimensat(AT_FDCWD, path, times, 0) == 0)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return false;
	good = futimens(fd, times) == 0;
	close(fd);
	return good;
}

int64_t file_mtime_ms(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

bool file_path(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		return true;
	to[0] = '\0';
	return false;
}

void file_raise_limit(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
		most.rlim_cur = most.rlim_max;
		setrlimit(RLIMIT_NOFILE, &most);
	}
}
