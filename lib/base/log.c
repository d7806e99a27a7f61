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
#include "lib/base/span.h"

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

/* Bytes of the character at the front, if it may stand in a line as it is; else 0. What no UTF-8
 * is, and the controls U+0080 to U+009F, are orders to some terminals. */
static size_t shown(struct span text)
{
	unsigned char c = (unsigned char)text.ptr[0];
	size_t n = span_character(text);

	if (c < ' ' || c == 0x7f || (n == 2 && c == 0xc2 && (unsigned char)text.ptr[1] < 0xa0))
		return 0;
	return n;
}

static bool is_plain(struct span text)
{
	if (text.len == 0)
		return false;
	while (text.len) {
		size_t n = shown(text);

		if (n == 0 || strchr(" \"\\=", text.ptr[0]))
			return false;
		text = span_make(text.ptr + n, text.len - n);
	}
	return true;
}

static void put_value(struct buf *line, struct span text)
{
	if (is_plain(text)) {
		buf_add(line, text.ptr, text.len);
		return;
	}
	buf_putc(line, '"');
	while (text.len) {
		size_t n = shown(text);

		if (n == 0)
			buf_printf(line, "\\x%02x", (unsigned char)text.ptr[0]);
		else if (strchr("\"\\", text.ptr[0]))
			buf_printf(line, "\\%c", text.ptr[0]);
		else
			buf_add(line, text.ptr, n);
		n += n == 0;
		text = span_make(text.ptr + n, text.len - n);
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
			put_value(&line, span_of(fields->text));
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
