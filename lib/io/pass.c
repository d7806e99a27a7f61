/* lib/io/pass.c - messages between our own processes, with descriptors.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/must.h"

/* Ancillary data wants this alignment. */
union ancillary {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
};

void pass_close(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

bool pass_send(int socket, const void *bytes, size_t len, const int *fds, size_t count)
{
	union ancillary ancillary = {0};
	struct iovec part = {(void *)bytes, len};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *head;
	ssize_t n;

	must(count <= PASS_FDS_MAX);
	if (count) {
		msg.msg_control = ancillary.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	}
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n != len)
		errno = EMSGSIZE;
	return n >= 0 && (size_t)n == len;
}

static void take_fds(struct msghdr *msg, int fds[PASS_FDS_MAX], size_t *count)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (*count < PASS_FDS_MAX)
				fds[(*count)++] = fd;
			else
				close(fd);
		}
	}
}

ssize_t pass_take(int socket, void *to, size_t size, int fds[PASS_FDS_MAX], size_t *count)
{
	union ancillary ancillary;
	struct iovec part = {to, size};
	struct msghdr msg = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof(ancillary.bytes)};
	ssize_t n;

	*count = 0;
	do {
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	take_fds(&msg, fds, count);
	if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return n;
	pass_close(fds, *count);
	*count = 0;
	errno = EMSGSIZE;
	return -1;
}
