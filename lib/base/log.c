/* lib/base/log.c - one line per event.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"

enum { LINE_MAX_BYTES = 4000 }; /* below PIPE_BUF, so that a pipe keeps lines whole too */

/* The one thing that is set at start and again after a fork: where this process's lines go. */
static struct {
	int fd;
	enum log_level level;
	char role[16];
} out = {STDERR_FILENO, LOG_INFO, "sluice"};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* Root writes to no file that another user's symbolic link leads to, where that user may write. */
static int open_file(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	int fd = open(path, flags | O_NOFOLLOW, 0640);
	struct stat st;

	if (fd >= 0 || errno != ELOOP)
		return fd;
	if (geteuid() == 0 && lstat(path, &st) == 0 && st.st_uid != 0) {
		errno = ELOOP;
		return -1;
	}
	return open(path, flags, 0640);
}

int log_open(const char *path, enum log_level level, struct fail *f)
{
	int fd = STDERR_FILENO;

	if (path) {
		fd = open_file(path);
		if (fd < 0)
			return fail_errno(
				f, FAIL_INTERNAL, errno, "The log %s cannot be opened", path);
	}
	if (out.fd != STDERR_FILENO)
		close(out.fd);
	out.fd = fd;
	out.level = level;
	return 0;
}

void log_role(const char *role)
{
	snprintf(out.role, sizeof(out.role), "%s", role);
}

bool log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(word, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f)
			return false;
	}
	return true;
}

static void put_value(struct buf *line, const char *s)
{
	if (is_plain(s)) {
		buf_puts(line, s);
		return;
	}
	buf_putc(line, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			buf_printf(line, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(line, "\\x%02x", c);
		else
			buf_putc(line, (char)c);
	}
	buf_putc(line, '"');
}

static void put_time(struct buf *line)
{
	int64_t ms = clock_real_ms();
	time_t s = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(line, "%s.%03dZ", text, (int)(ms % 1000));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	struct buf line;
	ssize_t n;

	if (level > out.level)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	put_time(&line);
	buf_printf(&line, " %s %s[%d] %s", level_names[level], out.role, (int)getpid(), event);
	for (; fields->key; fields++) {
		buf_printf(&line, " %s=", fields->key);
		if (fields->text)
			put_value(&line, fields->text);
		else
			buf_printf(&line, "%lld", (long long)fields->number);
	}
	line.max++; /* a line that was cut still ends */
	line.failed = false;
	if (buf_putc(&line, '\n')) {
		n = write(out.fd, line.ptr, line.len);
		(void)n; /* nowhere to say that the log is full */
	}
	buf_release(&line);
}
