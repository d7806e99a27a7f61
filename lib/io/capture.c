/* lib/io/capture.c - a program that is run to its end for what it prints.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/http/text.h"
#include "lib/io/child.h"
#include "lib/io/file.h"

enum {
	STDERR_MAX = 8192, /* the last bytes are kept */
	FILE_MAX = 64 << 20,
	OPEN_FILES = 256,
	REAP_MS = 1000,
	SWEEPS = 20, /* what is killed may have started others meanwhile */
	PIECE = 16384,
	SIGNALLED = 128,
	SIGNAL_MAX = 64 /* child_reap() */
};

struct running {
	struct capture *capture;
	struct child child;
	int out_fd, err_fd;
	struct buf err;
	bool too_much;
	int status;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Reads what is there now. False at the end, or when it is more than there may be. */
static bool drain(struct running *r, int *fd, struct buf *to)
{
	char piece[PIECE];
	ssize_t n = 0;

	while (*fd >= 0 && (n = read(*fd, piece, sizeof(piece))) > 0) {
		if (to == &r->err && to->len + (size_t)n > to->max)
			buf_drop(to, to->len);
		if (!buf_add(to, piece, (size_t)n) && to != &r->err) {
			r->too_much = true;
			return false;
		}
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	return true;
}

/* Until it has ended; what it left behind may hold its output open for ever. */
static bool follow(struct running *r)
{
	int64_t until_ms = clock_mono_ms() + r->capture->wait_ms, left_ms;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		struct pollfd wake[] = {{r->out_fd, POLLIN, 0}, {r->err_fd, POLLIN, 0},
			{r->child.pidfd, POLLIN, 0}};
		bool ended;

		poll(wake, 3, (int)left_ms);
		ended = child_reap(&r->child, &r->status);
		if (!drain(r, &r->out_fd, r->capture->out))
			return true;
		drain(r, &r->err_fd, &r->err);
		if (ended)
			return true;
	}
	return false;
}

/* --- what is left ------------------------------------------------------------------------------
 */

/* Kills our children but `spare`, which are its orphans; false when there is none. */
static bool kill_children(pid_t spare)
{
	char path[64];
	struct buf text;
	struct span rest, word;
	bool some = false;
	int64_t pid;

	file_path(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	buf_init(&text, PIECE);
	file_read(path, &text, NULL);
	rest = buf_span(&text);
	while (span_next(&rest, ' ', &word)) {
		if (!num_parse(word, 2, INT32_MAX, &pid) || pid == spare)
			continue;
		some = true;
		kill((pid_t)pid, SIGKILL);
	}
	buf_release(&text);
	return some;
}

static void end_all(struct running *r)
{
	if (r->child.pid) {
		child_kill(&r->child, SIGKILL);
		child_wait(&r->child, REAP_MS, &r->status);
	}
	for (int i = 0; i < SWEEPS && kill_children(r->capture->spare); i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		poll(NULL, 0, 1);
	}
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static int start(struct running *r, struct fail *f)
{
	char proxies[2][48];
	const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent",
		"LANG=C.UTF-8", "PYTHONUNBUFFERED=1", r->capture->proxy_port ? proxies[0] : NULL,
		proxies[1], NULL};
	int out[2] = {-1, -1}, err[2] = {-1, -1}, result;

	snprintf(proxies[0], sizeof(proxies[0]), "http_proxy=http://127.0.0.1:%d",
		r->capture->proxy_port);
	snprintf(proxies[1], sizeof(proxies[1]), "https_proxy=http://127.0.0.1:%d",
		r->capture->proxy_port);
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		result = fail_errno(f, FAIL_INTERNAL, errno, "A program cannot be started");
	} else {
		struct child_spec spec = {.argv = r->capture->argv,
			.env = env,
			.stdin_fd = -1,
			.stdout_fd = out[1],
			.stderr_fd = err[1],
			.limits = {.as_bytes = r->capture->memory_bytes,
				.cpu_s = r->capture->wait_ms / 1000 + 1,
				.fsize_bytes = FILE_MAX,
				.nofile = OPEN_FILES}};

		result = child_start(&spec, &r->child, f);
		if (result < 0 && f->kind == FAIL_MISSING)
			f->kind = FAIL_UPSTREAM;
	}
	close_fd(&out[1]);
	close_fd(&err[1]);
	r->out_fd = out[0];
	r->err_fd = err[0];
	if (result == 0) {
		fcntl(r->out_fd, F_SETFL, O_NONBLOCK);
		fcntl(r->err_fd, F_SETFL, O_NONBLOCK);
	}
	return result;
}

/* The last line with a word, without addresses, which may hold secrets. */
static void keep_said(struct running *r)
{
	struct span rest = buf_span(&r->err), line, last = {NULL, 0}, word;
	struct buf kept;

	while (span_next(&rest, '\n', &line)) {
		if (span_trim(line).len)
			last = span_trim(line);
	}
	buf_init(&kept, STDERR_MAX);
	while (span_next(&last, ' ', &word)) {
		if (!memmem(word.ptr, word.len, "://", 3) && !memchr(word.ptr, '@', word.len))
			buf_printf(&kept, "%.*s ", (int)word.len, word.ptr);
	}
	text_clean(buf_span(&kept), r->capture->said, sizeof(r->capture->said));
	buf_release(&kept);
}

static int judge(const struct running *r, bool in_time, struct fail *f)
{
	const char *path = r->capture->argv[0], *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!in_time)
		return fail_set(f, FAIL_TIMEOUT, "%s did not end in time", name);
	if (r->too_much)
		return fail_set(f, FAIL_UPSTREAM, "%s printed too much", name);
	if (r->status > SIGNALLED && r->status <= SIGNALLED + SIGNAL_MAX)
		return fail_set(
			f, FAIL_UPSTREAM, "%s was ended by signal %d", name, r->status - SIGNALLED);
	if (r->status)
		return fail_set(f, FAIL_UPSTREAM, "%s ended with status %d%s%s", name, r->status,
			*r->capture->said ? ": " : "", r->capture->said);
	return 0;
}

int capture_run(struct capture *c, struct fail *f)
{
	struct running r = {.capture = c, .child = {0, -1}, .out_fd = -1, .err_fd = -1};
	int result;

	c->said[0] = '\0';
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	buf_init(&r.err, STDERR_MAX);
	result = start(&r, f);
	if (result == 0) {
		bool in_time = follow(&r);

		end_all(&r);
		keep_said(&r);
		result = judge(&r, in_time, f);
	}
	close_fd(&r.out_fd);
	close_fd(&r.err_fd);
	buf_release(&r.err);
	return result;
}
