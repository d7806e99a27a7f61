/* fcgi-app/media/zygote.c - forks one child for each job.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/media/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/child.h"
#include "lib/io/file.h"
#include "lib/io/pass.h"
#include "lib/io/sandbox.h"

enum {
	FIRST_FD = 3, /* of a child: source, output, record, and where it says what went wrong */
	SAY_FD = FIRST_FD + MEDIA_FDS,
	FDS_MOST = SAY_FD + 1,
	FDS_ABOVE = 64,
	LOOK_MS = 250,
	NOT_READY = 3 /* a child's exit status when it could not even begin */
};

/* What a child says at its end; one that says nothing has died. */
struct said {
	uint32_t failed; /* 1, or 2 for good */
	uint32_t kind;
	char text[MEDIA_TEXT_BYTES];
};

struct job {
	struct child child; /* pid 0: free */
	struct media_job job;
	int said_fd;
	int64_t due_us; /* by the machine's own clock */
	bool late;
};

struct zygote {
	int socket;
	zygote_work *work;
	struct job jobs[ZYGOTE_CHILDREN_MAX];
};

/* --- in the child ------------------------------------------------------------------------------
 */

struct start {
	const struct zygote *zygote;
	const struct media_job *job;
	int fds[MEDIA_FDS], say_fd;
};

static void limit(__rlimit_resource_t which, int64_t value)
{
	struct rlimit most = {(rlim_t)value, (rlim_t)value};

	if (value > 0)
		setrlimit(which, &most);
}

static void set_limits(const struct media_job *job)
{
	struct rlimit none = {0, 0};

#ifndef SANITIZED
	limit(RLIMIT_AS, job->as_bytes);
#endif
	limit(RLIMIT_CPU, job->cpu_s);
	limit(RLIMIT_FSIZE, job->fsize_bytes);
	limit(RLIMIT_NOFILE, FDS_MOST);
	setrlimit(RLIMIT_CORE, &none);
	if (job->nice)
		setpriority(PRIO_PROCESS, 0, job->nice);
}

/* The job's descriptors get the numbers that it knows them by, and all others are closed. First all
 * are lifted, because one's number may be where another goes. */
static bool place_fds(const struct start *s)
{
	int lifted[MEDIA_FDS + 1];

	for (int i = 0; i <= MEDIA_FDS; i++) {
		int fd = i == MEDIA_FDS ? s->say_fd : s->fds[i];

		lifted[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD, FDS_ABOVE);
		if (fd >= 0 && lifted[i] < 0)
			return false;
	}
	for (int i = 0; i <= MEDIA_FDS; i++) {
		if (lifted[i] < 0)
			close(FIRST_FD + i);
		else if (dup2(lifted[i], FIRST_FD + i) < 0)
			return false;
	}
	return close_range(FDS_MOST, ~0U, 0) == 0;
}

static int work(void *ctx)
{
	const struct start *s = ctx;
	struct media_job job = *s->job;
	int fds[MEDIA_FDS];
	struct said said = {.failed = 1};
	struct fail f = {0};

	for (int i = 0; i < MEDIA_FDS; i++)
		fds[i] = s->fds[i] < 0 ? -1 : FIRST_FD + i;
	if (!place_fds(s))
		return NOT_READY;
	set_limits(&job);
	signal(SIGPIPE, SIG_IGN); /* a feeder may go first */
	if (!sandbox_enter_bare())
		return NOT_READY;
	if (s->zygote->work(&job, fds, &f) < 0) {
		said.failed = 2;
		said.kind = (uint32_t)f.kind;
		file_path(said.text, sizeof(said.text), "%.*s", MEDIA_TEXT_BYTES - 1, f.text);
	}
	return write(SAY_FD, &said, sizeof(said)) == (ssize_t)sizeof(said) ? 0 : NOT_READY;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void tell(const struct zygote *z, uint64_t id, enum media_outcome outcome,
	enum fail_kind kind, const char *text)
{
	struct media_answer a = {MEDIA_VERSION, outcome, id, kind, ""};

	file_path(a.text, sizeof(a.text), "%.*s", MEDIA_TEXT_BYTES - 1, text);
	/* Should the packager be gone, the next look at the socket says so. */
	pass_send(z->socket, &a, sizeof(a), NULL, 0);
}

/* Text from a child that parsed hostile bytes: it goes into answers and logs. */
static void clean(char text[MEDIA_TEXT_BYTES])
{
	text[MEDIA_TEXT_BYTES - 1] = '\0';
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

static void tell_death(const struct zygote *z, const struct job *j, int status)
{
	char text[MEDIA_TEXT_BYTES] = "The work on the film ended early";

	if (j->late)
		file_path(text, sizeof(text), "The work on the film took longer than %lld s",
			(long long)(j->job.wall_ms / 1000));
	else if (status == 128 + SIGXCPU || status == 128 + SIGKILL)
		file_path(text, sizeof(text),
			"The work on the film was stopped: it took too much time or memory");
	else if (status == 128 + SIGXFSZ)
		file_path(text, sizeof(text), "The work on the film made more than it may");
	else if (status > 128)
		file_path(text, sizeof(text), "The work on the film crashed (signal %d)",
			status - 128);
	tell(z, j->job.id, MEDIA_DIED, FAIL_INTERNAL, text);
}

static void reap(struct zygote *z, struct job *j)
{
	struct said said = {0};
	int status = 0;
	ssize_t n;

	if (j->child.pid == 0 || !child_reap(&j->child, &status))
		return;
	n = read(j->said_fd, &said, sizeof(said));
	close(j->said_fd);
	clean(said.text);
	if (n != (ssize_t)sizeof(said) || status != 0 || j->late)
		tell_death(z, j, status);
	else if (said.failed == 2)
		tell(z, j->job.id, MEDIA_FAILED,
			said.kind <= FAIL_INTERNAL ? (enum fail_kind)said.kind : FAIL_INTERNAL,
			said.text);
	else
		tell(z, j->job.id, MEDIA_DONE, FAIL_NONE, "");
	*j = (struct job){.child = {0, -1}, .said_fd = -1};
}

/* --- jobs --------------------------------------------------------------------------------------
 */

static struct job *find(struct zygote *z, uint64_t id)
{
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
		if (z->jobs[i].child.pid && z->jobs[i].job.id == id)
			return &z->jobs[i];
	}
	return NULL;
}

static struct job *find_free(struct zygote *z)
{
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
		if (z->jobs[i].child.pid == 0)
			return &z->jobs[i];
	}
	return NULL;
}

static void cancel(struct zygote *z, uint64_t id)
{
	struct job *j = find(z, id);

	if (!j)
		return;
	child_kill(&j->child, SIGKILL);
	child_wait(&j->child, 1000, NULL);
	close(j->said_fd);
	*j = (struct job){.child = {0, -1}, .said_fd = -1};
}

static void begin(struct zygote *z, const struct media_job *job, const int *fds, size_t count)
{
	struct job *j = find_free(z);
	struct start s = {z, job, {-1, -1, -1}, -1};
	struct fail f = {0};
	int say[2];

	if (!j || count < MEDIA_OUTPUT + 1 || pipe2(say, O_CLOEXEC) < 0) {
		tell(z, job->id, MEDIA_FAILED, FAIL_BUSY, "Too much work is being done at once");
		return;
	}
	for (size_t i = 0; i < count && i < MEDIA_FDS; i++)
		s.fds[i] = fds[i];
	s.say_fd = say[1];
	if (child_fork(work, &s, "media", &j->child, &f) < 0) {
		close(say[0]);
		tell(z, job->id, MEDIA_FAILED, FAIL_BUSY, f.text);
	} else {
		j->job = *job;
		j->said_fd = say[0];
		j->due_us = clock_mono_us() + job->wall_ms * 1000;
	}
	close(say[1]);
}

/* False when the packager is gone. */
static bool take(struct zygote *z)
{
	int fds[PASS_FDS_MAX];
	struct media_job job;
	size_t count = 0;
	ssize_t n = pass_take(z->socket, &job, sizeof(job), fds, &count);

	if (n <= 0)
		return n < 0 && errno == EMSGSIZE;
	if (n == (ssize_t)sizeof(job) && job.version == MEDIA_VERSION) {
		if (job.kind == MEDIA_CANCEL)
			cancel(z, job.id);
		else
			begin(z, &job, fds, count);
	}
	pass_close(fds, count);
	return true;
}

static void end_late(struct zygote *z)
{
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
		struct job *j = &z->jobs[i];

		if (j->child.pid == 0 || j->job.wall_ms == 0 || j->late || now_us < j->due_us)
			continue;
		j->late = true;
		child_kill(&j->child, SIGKILL);
	}
}

int zygote_run(int socket, zygote_work *work_fn)
{
	struct zygote *z = calloc(1, sizeof(*z));
	bool gone = false;

	must(z);
	z->socket = socket;
	z->work = work_fn;
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
		z->jobs[i] = (struct job){.child = {0, -1}, .said_fd = -1};
	while (!gone) {
		struct pollfd wake[ZYGOTE_CHILDREN_MAX + 1] = {{socket, POLLIN, 0}};
		nfds_t count = 1;

		for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
			if (z->jobs[i].child.pid)
				wake[count++] = (struct pollfd){z->jobs[i].child.pidfd, POLLIN, 0};
		}
		poll(wake, count, count > 1 ? LOOK_MS : -1);
		if (wake[0].revents)
			gone = !take(z);
		for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
			reap(z, &z->jobs[i]);
		end_late(z);
	}
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
		child_kill(&z->jobs[i].child, SIGKILL);
	free(z);
	return 0;
}
