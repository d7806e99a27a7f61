/* lib/svc/temporary.c - a file that is being written, before anybody can see it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/temporary.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/io/file.h"

enum { HOST_BYTES = 80, START_FIELD = 22, TRIES = 100 };

static const char prefix[] = ".tmp-";

/* When a process began; -1 when there is none, or nothing can be said. proc(5), /proc/pid/stat */
static int64_t process_start(int64_t pid)
{
	char path[64];
	struct span rest, field = {0};
	int64_t start = -1;
	struct buf text;
	const char *end;

	buf_init(&text, 4096);
	file_path(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (file_read(path, &text, NULL) == 0 && (end = strrchr(buf_str(&text), ')'))) {
		rest = span_of(end + 1); /* " S 1 …": the second field ended in ')' */
		for (int i = 2; i <= START_FIELD && span_next(&rest, ' ', &field); i++)
			;
		if (!num_parse(field, 0, INT64_MAX, &start))
			start = -1;
	}
	buf_release(&text);
	return start;
}

/* A host's name as it may stand in a file's name and between dots. */
static void host_part(const char *host, char to[HOST_BYTES])
{
	size_t n = 0;

	for (; *host && n < HOST_BYTES - 1; host++)
		to[n++] = isalnum((unsigned char)*host) ? *host : '-';
	to[n] = '\0';
}

int temporary_open(
	int dir, bool nameless, const char *host, unsigned n, char name[TEMPORARY_NAME_BYTES])
{
	char part[HOST_BYTES];
	int fd = -1;

	name[0] = '\0';
	if (nameless)
		fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0 || (nameless && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	host_part(host, part);
	for (int i = 0; i < TRIES; i++) {
		snprintf(name, TEMPORARY_NAME_BYTES, "%s%s.%d.%lld.%u", prefix, part, (int)getpid(),
			(long long)process_start(getpid()), n + (unsigned)i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	if (fd < 0)
		name[0] = '\0';
	return fd;
}

bool temporary_is_orphan(const char *name, const char *host, int64_t age_s)
{
	struct span rest, owner, pid_text, start_text;
	int64_t pid, start;
	char part[HOST_BYTES];

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	if (age_s > TEMPORARY_AGE_S)
		return true;
	rest = span_of(name + strlen(prefix));
	host_part(host, part);
	if (!span_next(&rest, '.', &owner) || !span_is(owner, part) ||
		!span_next(&rest, '.', &pid_text) || !span_next(&rest, '.', &start_text) ||
		!num_parse(pid_text, 1, INT32_MAX, &pid) ||
		!num_parse(start_text, -1, INT64_MAX, &start))
		return false;
	return start >= 0 && process_start(pid) != start;
}
