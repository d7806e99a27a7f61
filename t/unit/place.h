/* t/unit/place.h - a service's directories for a test, and what publishing needs.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_T_PLACE_H
#define SLUICE_T_PLACE_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"

enum { MB = 1 << 20 };

struct place {
	char dir[64], www[96], live[96], board_path[96];
	struct conf conf;
	struct board *board;
	struct publisher *publisher;
};

__attribute__((unused)) static void place_open(struct place *at, const char *dir)
{
	struct fail f = {0};

	*at = (struct place){0};
	file_path(at->dir, sizeof(at->dir), "%s", dir);
	file_path(at->www, sizeof(at->www), "%s/www", dir);
	file_path(at->live, sizeof(at->live), "%s/live", dir);
	file_path(at->board_path, sizeof(at->board_path), "%s/board", dir);
	at->conf = (struct conf){.state_dir = at->dir,
		.www_dir = at->www,
		.live_dir = at->live,
		.stream_dir = at->dir,
		.stream_quota = 100 * MB,
		.host_name = "host.example",
		.live_idle_s = 30,
		.bytes_quota = 100 * MB};
	if (board_open(&at->board, at->board_path, &f) < 0 ||
		publish_open(&at->publisher, &at->conf, at->board, &f) < 0) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
}

/* In a new directory, `dir` of mkdtemp(); false when there can be none. */
__attribute__((unused)) static bool place_begin(struct place *at, char *dir)
{
	umask(022);
	clock_init();
	if (!mkdtemp(dir))
		return false;
	place_open(at, dir);
	return true;
}

__attribute__((unused)) static void place_close(struct place *at)
{
	publish_close(&at->publisher);
	board_close(&at->board);
}

__attribute__((unused)) static enum publish_result put(
	struct place *at, const char *name, const char *text, int64_t life_s)
{
	struct fail f = {0};

	return publish_bytes(at->publisher, PUBLISH_WWW, name, span_of(text), life_s, 0, &f);
}

__attribute__((unused)) static bool in_www(
	const struct place *at, const char *name, struct stat *st)
{
	char path[1200];

	return file_path(path, sizeof(path), "%s/%s", at->www, name) && lstat(path, st) == 0;
}

/* The text of a file below the place; "" when there is none. */
__attribute__((unused)) static const char *text_of(const struct place *at, const char *name)
{
	static char text[4096];
	char path[1200];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	file_path(path, sizeof(path), "%s/%s", at->dir, name);
	file_read(path, &b, NULL);
	file_path(text, sizeof(text), "%s", buf_str(&b));
	buf_release(&b);
	return text;
}

/* What `command` returns in the directory. */
__attribute__((unused)) static int shell(const char *command, const char *dir)
{
	char text[400];

	snprintf(text, sizeof(text), "cd '%s' && %s", dir, command);
	return system(text);
}

/* --- a moved clock, and a janitor --- */

/* Maps the file that SLUICE_CLOCK is to name; for main(), before anything looks at the clock. */
__attribute__((unused)) static volatile int64_t *clock_open(const char *dir)
{
	char path[96];
	int64_t zero = 0;
	volatile int64_t *ms;
	int fd;

	snprintf(path, sizeof(path), "%s/clock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, &zero, sizeof(zero)) != sizeof(zero))
		exit(99);
	ms = mmap(NULL, sizeof(*ms), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ms == MAP_FAILED)
		exit(99);
	close(fd);
	setenv("SLUICE_CLOCK", path, 1);
	clock_init();
	return ms;
}

/* Waits for `cond`, at most half a minute of real time. */
#define wait_for(cond)                                                                             \
	({                                                                                         \
		int tries_ = 0;                                                                    \
		while (!(cond) && tries_++ < 3000)                                                 \
			nanosleep(&(struct timespec){0, 10000000}, NULL);                          \
		tries_ < 3000;                                                                     \
	})

__attribute__((unused)) static int end_child(pid_t pid, int signal)
{
	int status = 0;

	kill(pid, signal);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
