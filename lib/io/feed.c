/* lib/io/feed.c - bytes of a file that lies elsewhere, asked for over a socket.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/feed.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static bool read_all(int fd, void *to, size_t n)
{
	char *at = to;

	while (n) {
		ssize_t got = read(fd, at, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

int feed_read(int socket, uint64_t offset, void *to, size_t n)
{
	struct feed_request rq = {offset, (uint32_t)(n < FEED_MAX_BYTES ? n : FEED_MAX_BYTES), 0};
	int32_t len = -1;

	if (n == 0)
		return 0;
	if (write(socket, &rq, sizeof(rq)) != (ssize_t)sizeof(rq) ||
		!read_all(socket, &len, sizeof(len)) || len < 0 || (uint32_t)len > rq.length ||
		!read_all(socket, to, (size_t)len)) {
		errno = EIO;
		return -1;
	}
	return len;
}

static bool send_all(int socket, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		ssize_t sent = send(socket, at, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool feed_answer(int socket, const void *bytes, int32_t len)
{
	return send_all(socket, &len, sizeof(len)) &&
	       (len <= 0 || send_all(socket, bytes, (size_t)len));
}
