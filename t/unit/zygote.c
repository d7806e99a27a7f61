/* t/unit/zygote.c - one child for each job: what it may do, and what becomes of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/media/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/num.h"
#include "lib/io/child.h"
#include "lib/io/pass.h"
#include "lib/io/sandbox.h"
#include "t/unit/tap.h"

/* Kinds of jobs that the product does not know. */
enum { COPY = 1000, FAIL, CRASH, LOOP, SPIN, EAT, FLOOD, PROBE, NONSENSE, LISTING };

static int refused(long result)
{
	return result == -1 ? errno : 0;
}

/* One figure of each thing that is tried: the errno, or 0 where it worked. */
static int probe(int output)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	char *const argv[] = {(char *)"true", NULL};
	pid_t child = 0;
	int opened, made, forked;

	opened = refused(open("/etc/passwd", O_RDONLY));
	made = refused(socket(AF_INET, SOCK_STREAM, 0));
	child = fork();
	if (child == 0)
		_exit(0);
	forked = refused(child);
	dprintf(output, "%d %d %d %d %d %d %d", opened, made,
		refused(connect(0, (struct sockaddr *)&to, sizeof(to))),
		refused(execve("/bin/true", argv, NULL)), forked, refused(kill(getppid(), SIGKILL)),
		refused(unlink("/nonexistent")));
	return 0;
}

static int list_fds(int output)
{
	for (int fd = 0; fd < 256; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
			dprintf(output, "%d ", fd);
	}
	return 0;
}

static int eat(struct fail *f)
{
	for (size_t i = 0; i < 4096; i++) {
		char *p = malloc(1 << 20);

		if (!p)
			return fail_set(f, FAIL_INPUT, "There is no memory for this film");
		memset(p, 1, 1 << 20);
	}
	return 0;
}

static int work(const struct media_job *job, const int fds[MEDIA_FDS], struct fail *f)
{
	char bytes[4096];
	ssize_t n;

	switch ((int)job->kind) {
	case COPY:
		n = pread(fds[MEDIA_SOURCE], bytes, sizeof(bytes), 0);
		return n >= 0 && write(fds[MEDIA_OUTPUT], bytes, (size_t)n) == n ? 0 : -1;
	case FAIL:
		return fail_set(f, FAIL_INPUT, "This is no \x1b[31mfilm\n");
	case CRASH:
		abort();
	case LOOP:
		for (;;)
			poll(NULL, 0, 1000);
	case SPIN:
		for (volatile int i = 0;; i++)
			;
	case EAT:
		return eat(f);
	case FLOOD:
		memset(bytes, 1, sizeof(bytes));
		while (write(fds[MEDIA_OUTPUT], bytes, sizeof(bytes)) > 0)
			;
		return 0;
	case PROBE:
		return probe(fds[MEDIA_OUTPUT]);
	case NONSENSE:
		return write(fds[MEDIA_OUTPUT] + 2, "done", 4) == 4 ? 0 : -1;
	default:
		return list_fds(fds[MEDIA_OUTPUT]);
	}
}

/* --- a zygote, from the packager's side --- */

struct bench {
	struct child zygote;
	int socket, source;
	uint64_t ids;
};

static int be_zygote(void *ctx)
{
	struct bench *b = ctx;

	close(b->socket);
	return zygote_run(b->source, work);
}

static void open_bench(struct bench *b)
{
	int pair[2];
	struct fail f;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		exit(1);
	*b = (struct bench){.socket = pair[0], .source = pair[1]};
	if (child_fork(be_zygote, b, "zygote", &b->zygote, &f) < 0)
		exit(1);
	close(pair[1]);
	b->source = memfd_create("source", MFD_CLOEXEC);
	if (write(b->source, "twelve bytes", 12) != 12)
		exit(1);
}

static int file_for(void)
{
	return memfd_create("output", MFD_CLOEXEC);
}

static uint64_t ask(struct bench *b, int kind, int output, int64_t wall_ms)
{
	struct media_job job = {.version = MEDIA_VERSION,
		.kind = (uint32_t)kind,
		.id = ++b->ids,
		.wall_ms = wall_ms,
		.as_bytes = 512 << 20,
		.cpu_s = 1,
		.fsize_bytes = 1 << 20};
	const int fds[] = {b->source, output};

	ok(pass_send(b->socket, &job, sizeof(job), fds, 2), "a job goes out");
	return job.id;
}

static bool answered(struct bench *b, struct media_answer *a)
{
	struct pollfd in = {b->socket, POLLIN, 0};
	int fds[PASS_FDS_MAX];
	size_t count = 0;

	return poll(&in, 1, 10000) > 0 &&
	       pass_take(b->socket, a, sizeof(*a), fds, &count) == (ssize_t)sizeof(*a);
}

/* Asks and waits; the text that came out. */
static const char *run(struct bench *b, int kind, int64_t wall_ms, struct media_answer *a)
{
	static char text[4096];
	int output = file_for();
	uint64_t id = ask(b, kind, output, wall_ms);
	ssize_t n;

	*a = (struct media_answer){.outcome = 99};
	ok(answered(b, a) && a->id == id, "and is answered");
	n = pread(output, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(output);
	return text;
}

static void outcomes(struct bench *b)
{
	struct media_answer a;

	is_str(run(b, COPY, 5000, &a), "twelve bytes",
		"a child reads and writes what it was given");
	is_int(a.outcome, MEDIA_DONE, "and is done");
	run(b, FAIL, 5000, &a);
	is_int(a.outcome, MEDIA_FAILED, "one that cannot do its work says so");
	is_int(a.kind, FAIL_INPUT, "with the kind");
	is_str(a.text, "This is no ?[31mfilm?", "and a sentence without control bytes");
	run(b, CRASH, 5000, &a);
	is_int(a.outcome, MEDIA_DIED, "one that crashes has died");
	ok(strstr(a.text, "crashed (signal 6)") != NULL, "of what is said: %s", a.text);
	run(b, LOOP, 200, &a);
	is_int(a.outcome, MEDIA_DIED, "so has one that does not come to an end");
	ok(strstr(a.text, "took longer") != NULL, "which is said: %s", a.text);
	run(b, SPIN, 20000, &a);
	is_int(a.outcome, MEDIA_DIED, "and one that takes too much of the processor");
	ok(strstr(a.text, "too much time") != NULL, "which is said: %s", a.text);
	run(b, NONSENSE, 5000, &a);
	is_int(a.outcome, MEDIA_DIED, "and one that says what no child says");
	run(b, FLOOD, 5000, &a);
	is_int(a.outcome, MEDIA_DIED, "and one that writes without end");
#ifndef SANITIZED
	run(b, EAT, 5000, &a);
	is_int(a.outcome, MEDIA_FAILED, "one that eats memory gets no more");
	ok(strstr(a.text, "no memory") != NULL, "and says so: %s", a.text);
#endif
	is_str(run(b, COPY, 5000, &a), "twelve bytes", "after all of which others work as before");
}

static void refusals(struct bench *b)
{
	struct media_answer a;
	const char *text;

	if (!sandbox_works())
		return;
	text = run(b, PROBE, 5000, &a);
	is_str(text, "1 1 1 1 1 1 1",
		"open, socket, connect, exec, fork, kill and unlink are refused in a child");
	is_str(run(b, LISTING, 5000, &a), "0 1 2 3 4 6 ",
		"which has its own descriptors and no other");
}

/* Reads a small file of /proc as text; false when it is gone. */
static bool read_proc(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	if (fd >= 0)
		close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

struct children {
	int working;
	int spares; /* that wait for jobs: */
	pid_t spare[ZYGOTE_SPARES + 1];
};

static struct children look_at(pid_t pid)
{
	struct children seen = {0};
	char path[64], text[4096], name[64];
	struct span rest, word;
	int64_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (!read_proc(path, text, sizeof(text)))
		return (struct children){.working = -1};
	rest = span_of(text);
	while (span_next(&rest, ' ', &word) && num_parse(word, 1, INT32_MAX, &child)) {
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)child);
		if (!read_proc(path, name, sizeof(name)))
			continue;
		if (strcmp(name, ZYGOTE_SPARE "\n") == 0)
			seen.spare[seen.spares++ % (ZYGOTE_SPARES + 1)] = (pid_t)child;
		else
			seen.working++;
	}
	return seen;
}

static bool becomes(pid_t pid, int count)
{
	for (int i = 0; i < 500 && look_at(pid).working != count; i++)
		poll(NULL, 0, 10);
	return look_at(pid).working == count;
}

static void cancels(struct bench *b)
{
	struct media_job stop = {.version = MEDIA_VERSION, .kind = MEDIA_CANCEL};
	int output = file_for();
	struct media_answer a;

	stop.id = ask(b, LOOP, output, 60000);
	ok(becomes(b->zygote.pid, 1), "a job runs");
	ok(pass_send(b->socket, &stop, sizeof(stop), NULL, 0), "and is cancelled");
	ok(becomes(b->zygote.pid, 0), "so that it is gone");
	is_str(run(b, COPY, 5000, &a), "twelve bytes", "without an answer of its own");
	close(output);
}

/* Whether as many children as there should be wait for jobs, and `without` is none of them. */
static bool wait_all(struct bench *b, pid_t without, struct children *seen)
{
	bool there = true;

	for (int i = 0; i < 500 && (there || seen->spares != ZYGOTE_SPARES); i++) {
		*seen = look_at(b->zygote.pid);
		there = false;
		for (int k = 0; k < ZYGOTE_SPARES; k++)
			there |= seen->spare[k] == without;
		poll(NULL, 0, 10);
	}
	return !there && seen->spares == ZYGOTE_SPARES;
}

/* Children are forked ahead of their jobs, for nobody to wait for that. */
static void spares(struct bench *b)
{
	struct media_answer a;
	struct children seen = {0};
	pid_t one;

	ok(wait_all(b, -1, &seen), "children wait for their jobs");
	one = seen.spare[1];
	ok(kill(one, SIGKILL) == 0, "one is killed");
	ok(wait_all(b, one, &seen), "and as many wait again");
	one = seen.spare[0];
	is_str(run(b, COPY, 5000, &a), "twelve bytes", "the first of them works");
	ok(wait_all(b, one, &seen), "for one job and no more, and another one comes for it");
	for (int i = 0; i < 2 * ZYGOTE_SPARES; i++)
		is_str(run(b, COPY, 5000, &a), "twelve bytes", "faster than they come: job %d", i);
}

static void ends(struct bench *b)
{
	int output = file_for(), status = -1;
	pid_t zygote = b->zygote.pid;

	ask(b, LOOP, output, 60000);
	ok(becomes(zygote, 1), "a job runs");
	close(b->socket);
	ok(child_wait(&b->zygote, 5000, &status), "when the packager goes the zygote ends");
	is_int(status, 0, "well");
	close(output);
}

int main(void)
{
	struct bench b;

	open_bench(&b);
	outcomes(&b);
	refusals(&b);
	cancels(&b);
	spares(&b);
	ends(&b);
	return tap_done();
}
