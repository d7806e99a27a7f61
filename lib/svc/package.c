/* lib/svc/package.c - asks this host's packager to make a part of a film, and waits for it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/package.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/pass.h"
#include "lib/io/sock.h"
#include "lib/svc/summon.h"

enum { STEP_MS = 20, CALL_MS = 200 };

void package_name(const struct package_request *rq, char to[PACKAGE_NAME_BYTES])
{
	if (rq->part == PACKAGE_INIT)
		file_path(to, PACKAGE_NAME_BYTES, "api/hls/%s/%s/%s/init.%s", rq->id, rq->ver,
			rq->rendition, rq->suffix);
	else
		file_path(to, PACKAGE_NAME_BYTES, "api/hls/%s/%s/%s/%u.%s", rq->id, rq->ver,
			rq->rendition, rq->n, rq->suffix);
}

bool package_socket(const struct conf *conf, char *to, size_t size)
{
	return file_path(to, size, "%s/packager.sock", conf->run_dir);
}

/* -1 when nobody listens there (yet). */
static int connect_once(const struct conf *conf)
{
	char path[PATH_MAX];

	return package_socket(conf, path, sizeof(path)) ? sock_connect(path) : -1;
}

static int64_t left_ms(int64_t due_us)
{
	int64_t left_us = due_us - clock_mono_us();

	return left_us > 0 ? left_us / 1000 + 1 : 0;
}

static bool is_gone(int gone_fd, int wait_ms)
{
	struct pollfd gone = {gone_fd, POLLRDHUP, 0};

	return poll(&gone, 1, wait_ms) > 0;
}

/* Connects, and has a packager started where there is none. */
static int connect_by(const struct conf *conf, int64_t due_us, int gone_fd, struct fail *f)
{
	int64_t called_us = 0;

	for (;;) {
		int64_t now_us = clock_mono_us();
		int fd = connect_once(conf);

		if (fd >= 0)
			return fd;
		if (now_us - called_us >= CALL_MS * 1000) {
			called_us = now_us;
			summon_ask(conf, PACKAGE_VERB, PACKAGE_ID);
		}
		if (is_gone(gone_fd, STEP_MS))
			return fail_set(f, FAIL_GONE, "The client is gone");
		if (left_ms(due_us) == 0)
			return fail_set(f, FAIL_BUSY,
				"What makes films playable does not answer; try again in a moment");
	}
}

/* 1: answered, 0: the packager ended before it did, -1: *f says why not. */
static int await(int fd, int64_t due_us, int gone_fd, struct package_reply *out, struct fail *f)
{
	struct pollfd wake[] = {{fd, POLLIN, 0}, {gone_fd, POLLRDHUP, 0}};
	int fds[PASS_FDS_MAX];
	struct package_answer a;
	size_t count = 0;
	ssize_t n;

	poll(wake, 2, (int)left_ms(due_us));
	if (wake[1].revents)
		return fail_set(f, FAIL_GONE, "The client is gone");
	if (!wake[0].revents)
		return fail_set(
			f, FAIL_BUSY, "This part of the film is being made; try again in a moment");
	n = pass_take(fd, &a, sizeof(a), fds, &count);
	if (n != (ssize_t)sizeof(a) || a.version != PACKAGE_VERSION) {
		pass_close(fds, count);
		return 0;
	}
	for (size_t i = 1; i < count; i++)
		close(fds[i]);
	out->fd = count ? fds[0] : -1;
	out->changed = a.changed != 0;
	a.text[sizeof(a.text) - 1] = '\0';
	return a.kind == FAIL_NONE ? 1 : fail_set(f, (enum fail_kind)a.kind, "%s", a.text);
}

int package_ask(const struct conf *conf, const struct package_request *rq, int64_t wait_ms,
	int gone_fd, struct package_reply *out, struct fail *f)
{
	int64_t due_us = clock_mono_us() + wait_ms * 1000;

	for (;;) {
		int fd = connect_by(conf, due_us, gone_fd, f), result = 0;

		*out = (struct package_reply){.fd = -1};
		if (fd < 0)
			return -1;
		if (pass_send(fd, rq, sizeof(*rq), NULL, 0))
			result = await(fd, due_us, gone_fd, out, f);
		close(fd);
		if (result)
			return result > 0 ? 0 : -1;
		if (is_gone(gone_fd, STEP_MS))
			return fail_set(f, FAIL_GONE, "The client is gone");
		if (left_ms(due_us) == 0)
			return fail_set(f, FAIL_BUSY,
				"What makes films playable has ended; try again in a moment");
	}
}
