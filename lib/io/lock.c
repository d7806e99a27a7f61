/* lib/io/lock.c - one process at a time, by a locked file that names it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/num.h"

enum { LOOKERS_MS = 100 };

static pid_t written_pid(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	int64_t pid;

	if (n <= 0)
		return 0;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return num_parse(span_make(text, (size_t)n), 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* Whether `path` still is the file behind `fd`, and not one made after it was removed. */
static bool is_current(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

static bool write_pid(int fd)
{
	return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	       dprintf(fd, "%d\n", (int)getpid()) > 0;
}

/* Whoever asks for the holder shares the lock for a moment, which is no reason to do without it. */
static bool lock_alone(int fd)
{
	const struct timespec moment = {0, 1000000};

	for (int i = 0; i < LOOKERS_MS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (flock(fd, LOCK_SH | LOCK_NB) < 0)
			return false; /* somebody has it alone */
		flock(fd, LOCK_UN);
		nanosleep(&moment, NULL);
	}
	return false;
}

int lock_take(const char *path, int *out, struct fail *f)
{
	for (int i = 0; i < 10; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

		if (fd < 0)
			return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
		if (!lock_alone(fd)) {
			fail_set(f, FAIL_CONFLICT, "It runs already, as process %d (%s is locked)",
				(int)written_pid(fd), path);
			close(fd);
			return -1;
		}
		if (is_current(fd, path)) {
			if (!write_pid(fd)) {
				fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be written", path);
				close(fd);
				return -1;
			}
			*out = fd;
			return 0;
		}
		close(fd);
	}
	return fail_set(f, FAIL_INTERNAL, "%s is removed again and again", path);
}

bool lock_adopt(const char *path, int fd)
{
	return is_current(fd, path) && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_pid(fd) &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

void lock_drop(const char *path, int *fd)
{
	if (*fd < 0)
		return;
	if (is_current(*fd, path))
		unlink(path);
	close(*fd);
	*fd = -1;
}

pid_t lock_holder(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		pid = written_pid(fd);
	close(fd);
	return pid;
}
