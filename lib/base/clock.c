/* lib/base/clock.c - what time it is, movable for tests.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Set once at the start and only read afterwards; what it points to belongs to the test. */
static const volatile int64_t *moved_ms;

void clock_init(void)
{
	const char *path = getenv("SLUICE_CLOCK");
	struct stat st;
	void *map;
	int fd;

	if (!path || moved_ms)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(*moved_ms)) {
		map = mmap(NULL, sizeof(*moved_ms), PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			moved_ms = map;
	}
	close(fd);
}

static int64_t now_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + (moved_ms ? *moved_ms : 0);
}

int64_t clock_real_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
