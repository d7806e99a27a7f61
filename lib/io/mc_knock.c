/* lib/io/mc_knock.c - whether anybody is at home where a memcached server did not answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_knock.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/span.h"

enum { FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

/* A socket on its way; -1 with errno. */
static int connect_path(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, FLAGS, 0);

	if (fd >= 0 && span_copy(span_of(path), to.sun_path, sizeof(to.sun_path)) &&
		connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int connect_port(const struct mc_address *address)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *to = NULL;
	char port[8];
	int fd;

	snprintf(port, sizeof(port), "%u", (unsigned)address->port);
	if (getaddrinfo(address->host, port, &hints, &to) != 0)
		return -1;
	fd = socket(to->ai_family, FLAGS, 0);
	if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(to);
	return fd;
}

/* Whether the socket is ready before `until_us`; trouble is readiness, too. */
static bool ready(int fd, short events, int64_t until_us)
{
	struct pollfd p = {fd, events, 0};
	int64_t left_us = until_us - clock_mono_us();

	return left_us > 0 && poll(&p, 1, (int)(left_us / 1000) + 1) > 0;
}

bool mc_knock(const struct mc_address *address, int wait_ms)
{
	static const char question[] = "version\r\n";
	int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
	int fd = address->host[0] == '/' ? connect_path(address->host) : connect_port(address);
	bool heard;

	if (fd < 0) /* full is hung; all else fails as fast for a question */
		return errno != EAGAIN;
	heard = ready(fd, POLLOUT, until_us);
	if (heard && send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0)
		heard = ready(fd, POLLIN, until_us);
	close(fd);
	return heard;
}
