/* lib/svc/jobs.c - asks this host's jobs process for work that nobody waits for in its place.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/jobs.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/span.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sock.h"
#include "lib/svc/resolve.h"
#include "lib/svc/summon.h"

enum { STEP_MS = 20, CALL_MS = 200, ANSWER_MAX = 16 };

bool jobs_socket(const struct conf *conf, char *to, size_t size)
{
	return file_path(to, size, "%s/jobs.sock", conf->run_dir);
}

/* -1 when nobody listens there (yet). */
static int connect_once(const struct conf *conf)
{
	char path[PATH_MAX];

	return jobs_socket(conf, path, sizeof(path)) ? sock_connect(path) : -1;
}

/* A connection over which the line has been sent, or -1. */
static int say(const struct conf *conf, uint64_t client, const char *line)
{
	char text[JOBS_TEXT_MAX + 1];
	int len = snprintf(text, sizeof(text), "%llx %s\n", (unsigned long long)client, line);
	int fd = connect_once(conf);

	if (fd >= 0 && (len > JOBS_TEXT_MAX || send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool jobs_tell(const struct conf *conf, uint64_t client, const char *line)
{
	int fd = say(conf, client, line);

	if (fd < 0) {
		summon_ask(conf, JOBS_VERB, JOBS_ID);
		return false;
	}
	close(fd);
	return true;
}

enum answer { ANSWER_NONE, ANSWER_TAKEN, ANSWER_FULL };

static enum answer hear(int fd, int64_t wait_ms)
{
	struct pollfd wake = {fd, POLLIN, 0};
	char text[ANSWER_MAX];
	ssize_t n;

	if (poll(&wake, 1, (int)wait_ms) <= 0)
		return ANSWER_NONE;
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	if (n <= 0)
		return ANSWER_NONE;
	return span_is(span_make(text, (size_t)n), "taken\n") ? ANSWER_TAKEN : ANSWER_FULL;
}

int jobs_ask(
	const struct conf *conf, uint64_t client, const char *line, int64_t wait_ms, struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + wait_ms, called_ms = 0, now_ms;
	enum answer answer = ANSWER_NONE;

	while (answer == ANSWER_NONE && (now_ms = clock_mono_ms()) < until_ms) {
		int fd = say(conf, client, line);

		if (fd >= 0) {
			answer = hear(fd, until_ms - now_ms);
			close(fd);
			continue;
		}
		if (now_ms - called_ms >= CALL_MS) {
			called_ms = now_ms;
			summon_ask(conf, JOBS_VERB, JOBS_ID);
		}
		poll(NULL, 0, STEP_MS);
	}
	if (answer == ANSWER_TAKEN)
		return 0;
	if (answer == ANSWER_FULL)
		return fail_set(
			f, FAIL_BUSY, "Too much is waiting to be done; try again in a moment");
	return fail_set(f, FAIL_BUSY,
		"What works in the background does not answer; try again in a moment");
}

void jobs_resolve_line(const struct resolve *what, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "resolve %s %s %s%s%s", what->page ? "page" : "own",
		what->source->name, what->key, *what->quality ? " " : "", what->quality);
}
