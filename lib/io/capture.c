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
	PIECE = 16384,
	PIECES = 65, /* more than a pipe holds */
	SIGNALLED = 128,
	SIGNAL_MAX = 64 /* child_reap() */
};

/* What the keeper says at its end. */
struct report {
	int status;
	struct fail why; /* why the program could not be started */
};

struct running {
	struct capture *capture;
	struct child keeper;
	int out[2], err[2], leash[2], report[2]; /* pipes */
	struct buf complaints;
	bool too_much;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- what is left ----------------------------------------------------------------------------- */

/* Kills our children but `spare`; false when there is none. */
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
		waitpid((pid_t)pid, NULL, WNOHANG);
	}
	buf_release(&text);
	return some;
}

/* Ends all that we have but `spare`. The orphans of what is killed come to us, and are next; they
 * may have started others meanwhile. */
static void sweep(pid_t spare)
{
	int64_t until_ms = clock_mono_ms() + REAP_MS;

	while (kill_children(spare) && clock_mono_ms() < until_ms)
		poll(NULL, 0, 1);
}

/* --- the keeper --------------------------------------------------------------------------------
 * A process between us and the program. It has the orphans of what the program starts, and when the
 * program has ended, or we have let go of the leash, which the kernel does for us if we are killed,
 * it ends them
 * all. */

static int start_program(const struct running *r, struct child *program, struct fail *f)
{
	const struct capture *c = r->capture;
	char proxies[2][160];
	const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent",
		"LANG=C.UTF-8", "PYTHONUNBUFFERED=1", c->proxy ? proxies[0] : NULL, proxies[1],
		NULL};
	const struct child_spec spec = {.argv = c->argv,
		.env = env,
		.stdin_fd = -1,
		.stdout_fd = r->out[1],
		.stderr_fd = r->err[1],
		.limits = {.data_bytes = c->memory_bytes,
			.cpu_s = c->wait_ms / 1000 + 1,
			.fsize_bytes = FILE_MAX,
			.nofile = OPEN_FILES}};

	snprintf(proxies[0], sizeof(proxies[0]), "http_proxy=%s", c->proxy);
	snprintf(proxies[1], sizeof(proxies[1]), "https_proxy=%s", c->proxy);
	if (child_start(&spec, program, f) == 0)
		return 0;
	if (f->kind == FAIL_MISSING)
		f->kind = FAIL_UPSTREAM;
	return -1;
}

static int keeper_main(void *ctx)
{
	struct running *r = ctx;
	struct report report = {.status = SIGNALLED + SIGKILL};
	struct child program = {0, -1};
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	close_fd(&r->leash[1]);
	if (start_program(r, &program, &report.why) == 0) {
		struct pollfd wake[] = {{r->leash[0], 0, 0}, {program.pidfd, POLLIN, 0}};

		while (poll(wake, 2, -1) < 0 && errno == EINTR)
			;
		child_reap(&program, &report.status);
		child_kill(&program, SIGKILL);
		sweep(0);
	}
	n = write(r->report[1], &report, sizeof(report));
	return n != (ssize_t)sizeof(report);
}

/* --- following it ----------------------------------------------------------------------------- */

/* Reads what is there now. False when it is more than there may be. */
static bool drain(struct running *r, int *fd, struct buf *to)
{
	char piece[PIECE];
	ssize_t n = 0;

	for (int i = 0; i < PIECES && *fd >= 0 && (n = read(*fd, piece, sizeof(piece))) > 0; i++) {
		if (to == &r->complaints && to->len + (size_t)n > to->max)
			buf_drop(to, to->len);
		if (!buf_add(to, piece, (size_t)n) && to != &r->complaints) {
			r->too_much = true;
			return false;
		}
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	return true;
}

/* Until all of it has ended: what still held its output is dead by then. */
static bool follow(struct running *r, struct report *report)
{
	int64_t until_ms = clock_mono_ms() + r->capture->wait_ms, left_ms;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		struct pollfd wake[] = {
			{r->out[0], POLLIN, 0}, {r->err[0], POLLIN, 0}, {r->report[0], POLLIN, 0}};

		if (poll(wake, 3, (int)left_ms) < 0)
			continue;
		if (!drain(r, &r->out[0], r->capture->out))
			return true;
		drain(r, &r->err[0], &r->complaints);
		if (wake[2].revents)
			return read(r->report[0], report, sizeof(*report)) >= 0;
	}
	return false;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int start(struct running *r, struct fail *f)
{
	if (pipe2(r->out, O_CLOEXEC) < 0 || pipe2(r->err, O_CLOEXEC) < 0 ||
		pipe2(r->leash, O_CLOEXEC) < 0 || pipe2(r->report, O_CLOEXEC) < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "A program cannot be started");
	if (child_fork(keeper_main, r, "keeper", &r->keeper, f) < 0)
		return -1;
	close_fd(&r->out[1]);
	close_fd(&r->err[1]);
	close_fd(&r->leash[0]);
	close_fd(&r->report[1]);
	fcntl(r->out[0], F_SETFL, O_NONBLOCK);
	fcntl(r->err[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static void end(struct running *r)
{
	int *const pipes[] = {r->out, r->err, r->leash, r->report};

	close_fd(&r->leash[1]);
	if (r->keeper.pid && !child_wait(&r->keeper, 2 * REAP_MS, NULL)) {
		child_kill(&r->keeper, SIGKILL);
		child_wait(&r->keeper, REAP_MS, NULL);
	}
	for (size_t i = 0; i < sizeof(pipes) / sizeof(pipes[0]); i++) {
		close_fd(&pipes[i][0]);
		close_fd(&pipes[i][1]);
	}
	sweep(r->capture->spare); /* what a killed keeper has left */
}

/* The last line with a word, without addresses, which may hold secrets. */
static void keep_said(struct running *r)
{
	struct span rest = buf_span(&r->complaints), line, last = {NULL, 0}, word;
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

static int judge(const struct running *r, bool in_time, const struct report *report, struct fail *f)
{
	const char *path = r->capture->argv[0], *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int status = report->status;

	if (!in_time)
		return fail_set(f, FAIL_TIMEOUT, "%s did not end in time", name);
	if (r->too_much)
		return fail_set(f, FAIL_UPSTREAM, "%s printed too much", name);
	if (report->why.kind)
		return fail_set(f, report->why.kind, "%s", report->why.text);
	if (status > SIGNALLED && status <= SIGNALLED + SIGNAL_MAX)
		return fail_set(
			f, FAIL_UPSTREAM, "%s was ended by signal %d", name, status - SIGNALLED);
	if (status)
		return fail_set(f, FAIL_UPSTREAM, "%s ended with status %d%s%s", name, status,
			*r->capture->said ? ": " : "", r->capture->said);
	return 0;
}

int capture_run(struct capture *c, struct fail *f)
{
	struct running r = {.capture = c,
		.keeper = {0, -1},
		.out = {-1, -1},
		.err = {-1, -1},
		.leash = {-1, -1},
		.report = {-1, -1}};
	struct report report = {.status = SIGNALLED + SIGKILL};
	bool in_time;
	int result;

	c->said[0] = '\0';
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	buf_init(&r.complaints, STDERR_MAX);
	result = start(&r, f);
	in_time = result == 0 && follow(&r, &report);
	end(&r);
	if (result == 0) {
		keep_said(&r);
		result = judge(&r, in_time, &report, f);
	}
	buf_release(&r.complaints);
	return result;
}
