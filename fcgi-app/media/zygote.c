/* fcgi-app/media/zygote.c - forks one child for each job.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/media/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/child.h"
#include "lib/io/file.h"
#include "lib/io/pass.h"
#include "lib/io/sandbox.h"

enum {
	FIRST_FD = 3, /* of a child: source, output, record, and its end of the pair to us */
	SAY_FD = FIRST_FD + MEDIA_FDS,
	FDS_MOST = SAY_FD + 1,
	FDS_ABOVE = 64,
	LOOK_MS = 250,
	SETTLE_MS = 5, /* without any news; forking meanwhile would delay what somebody waits for */
	WARM_BYTES = 2 << 20,
	PAGE = 4096,
	NAME_BYTES = 16, /* prctl(2) */
	NOT_READY = 3	 /* a child's exit status when it could not even begin */
};

/* What a child says when its work is done; one that says nothing has died. */
struct said {
	uint32_t failed; /* 1, or 2 for good */
	uint32_t kind;
	char text[MEDIA_TEXT_BYTES];
};

struct job {
	struct child child; /* pid 0: free */
	struct media_job job;
	int socket;	/* to the child: takes the job, gives what it says */
	int64_t due_us; /* by the machine's own clock */
	bool late, told;
	bool deaf; /* nothing more will be heard of it */
};

struct zygote {
	int socket;
	zygote_work *work;
	struct job spares[ZYGOTE_SPARES]; /* forked ahead: nobody waits for the fork then */
	bool no_spare;			  /* one could not be forked; the next job tries anew */
	struct job jobs[ZYGOTE_CHILDREN_MAX];
};

static const struct job no_job = {.child = {0, -1}, .socket = -1};

/* --- in the child ----------------------------------------------------------------------------- */

struct start {
	zygote_work *work;
	int socket;
	bool ahead; /* of its job */
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

/* A child that waits for its job has its end of the pair and nothing else of ours. */
static bool keep_alone(int socket)
{
	int lifted = fcntl(socket, F_DUPFD, FDS_ABOVE);

	return lifted >= 0 && dup2(lifted, SAY_FD) == SAY_FD &&
	       close_range(FIRST_FD, SAY_FD - 1, 0) == 0 && close_range(FDS_MOST, ~0U, 0) == 0;
}

/* The job's descriptors get the numbers that it knows them by. First all are lifted, because one's
 * number may be where another goes. */
static bool place_fds(int fds[PASS_FDS_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD, FDS_ABOVE);
		if (fds[i] < 0)
			return false;
	}
	for (size_t i = 0; i < MEDIA_FDS; i++) {
		if (i >= count)
			close(FIRST_FD + (int)i);
		else if (dup2(fds[i], FIRST_FD + (int)i) < 0)
			return false;
		else
			fds[i] = FIRST_FD + (int)i;
	}
	return close_range(FDS_MOST, ~0U, 0) == 0;
}

/* The memory that most jobs need is had while nobody waits; it stays with malloc() (media.c). */
static void warm_up(void)
{
	volatile char *bytes = malloc(WARM_BYTES);

	for (size_t at = 0; bytes && at < WARM_BYTES; at += PAGE)
		bytes[at] = 0;
	free((void *)bytes);
}

/* Waits for the job, under a name of its own meanwhile; false: none will come. */
static bool await_job(struct media_job *job, int fds[PASS_FDS_MAX], size_t *count)
{
	char name[NAME_BYTES] = "";
	ssize_t n;

	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, ZYGOTE_SPARE);
	n = pass_take(SAY_FD, job, sizeof(*job), fds, count);
	prctl(PR_SET_NAME, name);
	return n == (ssize_t)sizeof(*job) && *count <= MEDIA_FDS;
}

static int work(void *ctx)
{
	const struct start *s = ctx;
	struct media_job job;
	int fds[PASS_FDS_MAX] = {-1, -1, -1};
	struct said said = {.failed = 1};
	struct fail f = {0};
	size_t count;

	_Static_assert(
		(int)PASS_FDS_MAX >= (int)MEDIA_FDS, "a message takes all descriptors of a job");
	if (!keep_alone(s->socket))
		return NOT_READY;
	if (s->ahead)
		warm_up();
	if (!await_job(&job, fds, &count))
		return 0;
	if (!place_fds(fds, count))
		return NOT_READY;
	set_limits(&job);
	signal(SIGPIPE, SIG_IGN); /* a feeder may go first */
	if (!sandbox_enter_bare())
		return NOT_READY;
	if (s->work(&job, fds, &f) < 0) {
		said.failed = 2;
		said.kind = (uint32_t)f.kind;
		file_path(said.text, sizeof(said.text), "%.*s", MEDIA_TEXT_BYTES - 1, f.text);
	}
	return write(SAY_FD, &said, sizeof(said)) == (ssize_t)sizeof(said) ? 0 : NOT_READY;
}

/* --- answers ---------------------------------------------------------------------------------- */

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

/* What the child says is passed on at once, since its end may take a while. It has nothing left to
 * do then: least of all to write to what is published now. */
static void hear(struct zygote *z, struct job *j)
{
	struct said said;
	ssize_t n;

	if (j->deaf)
		return;
	n = recv(j->socket, &said, sizeof(said), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	j->deaf = true;
	if (n != (ssize_t)sizeof(said) || j->late)
		return;
	child_kill(&j->child, SIGKILL);
	clean(said.text);
	j->told = true;
	if (said.failed == 2)
		tell(z, j->job.id, MEDIA_FAILED,
			said.kind <= FAIL_INTERNAL ? (enum fail_kind)said.kind : FAIL_INTERNAL,
			said.text);
	else
		tell(z, j->job.id, MEDIA_DONE, FAIL_NONE, "");
}

static void forget(struct job *j)
{
	close(j->socket);
	*j = no_job;
}

static void reap(struct zygote *z, struct job *j)
{
	int status = 0;

	if (!child_reap(&j->child, &status))
		return;
	hear(z, j); /* what it said last */
	if (!j->told)
		tell_death(z, j, status);
	forget(j);
}

/* --- jobs ------------------------------------------------------------------------------------- */

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
	forget(j);
}

static bool fork_child(const struct zygote *z, struct job *j, bool ahead, struct fail *f)
{
	int pair[2];
	struct start s = {.work = z->work, .ahead = ahead};

	*j = no_job;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(f, FAIL_BUSY, errno, "Too much work is being done at once") == 0;
	s.socket = pair[1];
	if (child_fork(work, &s, "media", &j->child, f) < 0)
		close(pair[0]);
	else
		j->socket = pair[0];
	close(pair[1]);
	return j->socket >= 0;
}

/* A place for another spare; NULL: there are enough. */
static struct job *missing_spare(struct zygote *z)
{
	for (size_t i = 0; i < ZYGOTE_SPARES && !z->no_spare; i++) {
		if (z->spares[i].child.pid == 0)
			return &z->spares[i];
	}
	return NULL;
}

/* The spare that has waited longest, for others were hardly ready yet; false: there is none. */
static bool take_spare(struct zygote *z, struct job *to)
{
	if (z->spares[0].child.pid == 0)
		return false;
	*to = z->spares[0];
	memmove(z->spares, z->spares + 1, sizeof(z->spares) - sizeof(z->spares[0]));
	z->spares[ZYGOTE_SPARES - 1] = no_job;
	return true;
}

static void begin(struct zygote *z, const struct media_job *job, const int *fds, size_t count)
{
	struct job *j = find_free(z);
	struct fail f = {0};

	if (!j || count < MEDIA_OUTPUT + 1 || count > MEDIA_FDS) {
		tell(z, job->id, MEDIA_FAILED, FAIL_BUSY, "Too much work is being done at once");
		return;
	}
	z->no_spare = false;
	if (!take_spare(z, j) && !fork_child(z, j, false, &f)) {
		tell(z, job->id, MEDIA_FAILED, FAIL_BUSY, f.text);
		return;
	}
	j->job = *job;
	j->due_us = clock_mono_us() + job->wall_ms * 1000;
	/* Should it be dead already, that is seen soon, and told. */
	pass_send(j->socket, job, sizeof(*job), fds, count);
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

/* Spares die only when somebody kills them; those behind move up. */
static void reap_spares(struct zygote *z)
{
	struct job dead;

	for (size_t i = ZYGOTE_SPARES; i-- > 0;) {
		if (!child_reap(&z->spares[i].child, NULL))
			continue;
		dead = z->spares[i];
		memmove(z->spares + i, z->spares + i + 1, (ZYGOTE_SPARES - 1 - i) * sizeof(dead));
		z->spares[ZYGOTE_SPARES - 1] = no_job;
		forget(&dead);
	}
}

/* How long to wait for news: without a spare not at all, and until all is settled where there is
 * room for one more. */
static int patience_ms(const struct zygote *z, bool needs_spare, bool works)
{
	if (needs_spare)
		return z->spares[0].child.pid ? SETTLE_MS : 0;
	return works ? LOOK_MS : -1;
}

static void poll_once(struct zygote *z, bool *gone)
{
	struct pollfd wake[2 * ZYGOTE_CHILDREN_MAX + ZYGOTE_SPARES + 1] = {{z->socket, POLLIN, 0}};
	struct job *missing = missing_spare(z);
	nfds_t count = 1;
	bool works = false;
	struct fail f;

	for (size_t i = 0; i < ZYGOTE_SPARES && z->spares[i].child.pid; i++)
		wake[count++] = (struct pollfd){z->spares[i].child.pidfd, POLLIN, 0};
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
		const struct job *j = &z->jobs[i];

		if (j->child.pid)
			wake[count++] = (struct pollfd){j->child.pidfd, POLLIN, 0};
		if (j->child.pid && !j->deaf)
			wake[count++] = (struct pollfd){j->socket, POLLIN, 0};
		works |= j->child.pid != 0;
	}
	if (poll(wake, count, patience_ms(z, missing != NULL, works)) == 0 && missing)
		z->no_spare = !fork_child(z, missing, true, &f);
	reap_spares(z);
	if (wake[0].revents)
		*gone = !take(z);
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++) {
		if (!z->jobs[i].child.pid)
			continue;
		hear(z, &z->jobs[i]);
		reap(z, &z->jobs[i]);
	}
	end_late(z);
}

int zygote_run(int socket, zygote_work *work_fn)
{
	struct zygote *z = calloc(1, sizeof(*z));
	bool gone = false;

	must(z);
	z->socket = socket;
	z->work = work_fn;
	for (size_t i = 0; i < ZYGOTE_SPARES; i++)
		z->spares[i] = no_job;
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
		z->jobs[i] = no_job;
	while (!gone)
		poll_once(z, &gone);
	for (size_t i = 0; i < ZYGOTE_SPARES; i++)
		child_kill(&z->spares[i].child, SIGKILL);
	for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
		child_kill(&z->jobs[i].child, SIGKILL);
	free(z);
	return 0;
}
