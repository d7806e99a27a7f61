/* lib/io/sock.c - unix sockets that are there whole or not at all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/io/file.h"

/* A full backlog would be an error at once, in the front server, for whoever comes next. */
enum { BACKLOG = 4096 };

static const char beside[] = ".new";

bool sock_path_fits(const char *path)
{
	return strlen(path) + strlen(beside) < sizeof((struct sockaddr_un){0}.sun_path);
}

/* For user and group, and no further: in a directory of theirs somebody may just have put a link in
 * the socket's place. Without /proc the C library cannot leave links alone. */
static bool share(const char *path, gid_t group)
{
	int flags = access("/proc/self/fd", X_OK) == 0 ? AT_SYMLINK_NOFOLLOW : 0;

	return fchmodat(AT_FDCWD, path, 0660, flags) == 0 &&
	       (group == (gid_t)SOCK_NO_GROUP || lchown(path, (uid_t)-1, group) == 0);
}

static int bind_beside(int fd, const char *path, gid_t group, bool listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *temporary = address.sun_path;

	file_path(address.sun_path, sizeof(address.sun_path), "%s%s", path, beside);
	unlink(temporary);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	if (share(temporary, group) && (!listens || listen(fd, BACKLOG) == 0) &&
		rename(temporary, path) == 0)
		return 0;
	int err = errno;
	unlink(temporary);
	errno = err;
	return -1;
}

static int make(const char *path, gid_t group, int type, int *out, struct fail *f)
{
	int fd;

	if (!sock_path_fits(path))
		return fail_set(f, FAIL_INPUT,
			"The path of the socket %s is too long: at most %zu bytes", path,
			sizeof((struct sockaddr_un){0}.sun_path) - sizeof(beside));
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind_beside(fd, path, group, (type & ~SOCK_NONBLOCK) != SOCK_DGRAM) < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "The socket %s cannot be made", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*out = fd;
	return 0;
}

int sock_listen(const char *path, gid_t group, int *fd, struct fail *f)
{
	return make(path, group, SOCK_STREAM, fd, f);
}

int sock_listen_packets(const char *path, gid_t group, int *fd, struct fail *f)
{
	return make(path, group, SOCK_SEQPACKET | SOCK_NONBLOCK, fd, f);
}

int sock_datagram(const char *path, gid_t group, int *fd, struct fail *f)
{
	if (make(path, group, SOCK_DGRAM | SOCK_NONBLOCK, fd, f) < 0)
		return -1;
	return 0;
}

static int connect_to(const char *path, int type)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, err;

	if (!file_path(at.sun_path, sizeof(at.sun_path), "%s", path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

int sock_connect(const char *path)
{
	return connect_to(path, SOCK_STREAM);
}

int sock_connect_packets(const char *path)
{
	return connect_to(path, SOCK_SEQPACKET | SOCK_NONBLOCK);
}

int sock_accept(int listen_fd, bool *rest)
{
	int fd;

	do {
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	*rest = fd < 0 && errno != EAGAIN;
	return fd;
}

bool sock_is_listening(int fd)
{
	socklen_t size = sizeof(int);
	int listens = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

bool sock_is_awaited(int listen_fd)
{
	struct pollfd waiting = {listen_fd, POLLIN, 0};

	return poll(&waiting, 1, 0) > 0;
}
