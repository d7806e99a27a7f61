/* lib/io/seat.c - at most so many at once on this host.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/seat.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int seat_take(const char *path, int64_t count, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
	for (int64_t i = 0; i < count; i++) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return fd;
		if (errno != EAGAIN && errno != EACCES) {
			fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be locked", path);
			close(fd);
			return -1;
		}
	}
	close(fd);
	return fail_set(f, FAIL_BUSY, "All %lld seats are taken", (long long)count);
}
