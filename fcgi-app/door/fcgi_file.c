/* fcgi-app/door/fcgi_file.c - a file as records of an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/fcgi_file.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

enum { VERSION = 1, STDOUT = 6, RECORD_BYTES = 65528 /* the most that one holds, in eights */ };

static bool copy(int socket, int fd, off_t *offset, size_t len)
{
	while (len > 0) {
		ssize_t n = sendfile(socket, fd, offset, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len -= (size_t)n;
	}
	return true;
}

bool fcgi_file_records(int socket, int request_id, int fd, int64_t offset, int64_t len)
{
	unsigned char head[8] = {
		VERSION, STDOUT, (unsigned char)(request_id >> 8), (unsigned char)request_id};
	off_t at = offset;

	while (len > 0) {
		size_t part = len < RECORD_BYTES ? (size_t)len : RECORD_BYTES;

		head[4] = (unsigned char)(part >> 8);
		head[5] = (unsigned char)part;
		if (send(socket, head, sizeof(head), MSG_MORE | MSG_NOSIGNAL) !=
				(ssize_t)sizeof(head) ||
			!copy(socket, fd, &at, part))
			return false;
		len -= (int64_t)part;
	}
	return true;
}
