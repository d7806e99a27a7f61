/* lib/io/child.c - child processes that cannot outlive us.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/io/file.h"
#include "lib/io/sandbox.h"

enum { FDS_MAX = 8, FDS_ABOVE = 64, BROKEN = 127 };

/* What a child tells its parent when it cannot become the program. */
struct trouble {
	int err;
	char step[28];
};

/* The child dies with us from here on, even when we died before it came this far. */
static void bind_to_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(BROKEN);
	setpgid(0, 0);
}

/* By the kernel's own call, because the C library leaves out the two signals that it keeps for
 * itself, and whoever started us may have ignored them (SIG_DFL is 0, the mask 8 bytes). */
static void reset_signals(void)
{
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} usual = {0};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		syscall(SYS_rt_sigaction, s, &usual, NULL, sizeof(usual.mask));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void forget_child(struct child *c)
{
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = (struct child){0, -1};
}

/* Forks with all signals blocked, so that no handler of ours runs in the child: 0 there, and the
 * pid with *out filled here. */
static pid_t fork_child(struct child *out)
{
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		bind_to_parent(parent);
		reset_signals();
		return 0;
	}
	if (pid > 0) {
		setpgid(pid, pid); /* also here: child_kill() may come before the child runs */
		*out = (struct child){pid, pidfd_open(pid, 0)};
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void set_limit(__rlimit_resource_t which, int64_t value)
{
	struct rlimit limit = {(rlim_t)value, (rlim_t)value};

	if (value > 0)
		setrlimit(which, &limit); /* refused only above our own hard limit */
}

static void set_limits(const struct child_spec *spec)
{
	struct rlimit no_core = {0, 0};

#ifndef SANITIZED
	set_limit(RLIMIT_AS, spec->limits.as_bytes);
	set_limit(RLIMIT_DATA, spec->limits.data_bytes);
#endif
	set_limit(RLIMIT_CPU, spec->limits.cpu_s);
	set_limit(RLIMIT_FSIZE, spec->limits.fsize_bytes);
	set_limit(RLIMIT_NOFILE, spec->limits.nofile);
	setrlimit(RLIMIT_CORE, &no_core);
	if (spec->nice)
		setpriority(PRIO_PROCESS, 0, spec->nice);
}

/* A copy of `fd` (-1: /dev/null) above all the numbers that the child gets; -1 on failure. */
static int lift(int fd)
{
	int null, lifted;

	if (fd >= 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, FDS_ABOVE);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	lifted = fcntl(null, F_DUPFD_CLOEXEC, FDS_ABOVE);
	close(null);
	return lifted;
}

/* First all are lifted, because one's number may be where another one goes. */
static bool place_fds(const struct child_spec *spec)
{
	struct child_fd map[FDS_MAX + 3] = {
		{spec->stdin_fd, 0}, {spec->stdout_fd, 1}, {spec->stderr_fd, 2}};
	size_t count = 3 + spec->fd_count;

	for (size_t i = 3; i < count; i++)
		map[i] = spec->fds[i - 3];
	for (size_t i = 0; i < count; i++) {
		map[i].from = lift(map[i].from);
		if (map[i].from < 0)
			return false;
	}
	/* Where the kernel or a container refuses it: all of ours are O_CLOEXEC anyway. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < count; i++) {
		if (dup2(map[i].from, map[i].to) < 0)
			return false;
	}
	return true;
}

/* In the child: becomes the program or says why not. */
static void become(const struct child_spec *spec, int trouble_fd)
{
	struct trouble trouble = {.step = "executed"};
	char path[4096] = "PATH=/usr/local/bin:/usr/bin:/bin";
	const char *const path_alone[] = {path, NULL};
	const char *const *env = spec->env ? spec->env : path_alone;
	int fd = fcntl(trouble_fd, F_DUPFD_CLOEXEC, FDS_ABOVE);
	bool placed;
	ssize_t n;

	if (getenv("PATH"))
		file_path(path, sizeof(path), "PATH=%s", getenv("PATH"));
	placed = place_fds(spec);
	set_limits(spec);
	if (!placed)
		snprintf(trouble.step, sizeof(trouble.step), "given its descriptors");
	else if (spec->no_network && !sandbox_enter())
		snprintf(trouble.step, sizeof(trouble.step), "put into its sandbox");
	else
		execvpe(spec->argv[0], (char *const *)spec->argv, (char *const *)env);
	trouble.err = errno;
	n = write(fd, &trouble, sizeof(trouble));
	(void)n; /* the parent sees the exit status then */
	_exit(BROKEN);
}

int child_start(const struct child_spec *spec, struct child *out, struct fail *f)
{
	struct trouble trouble;
	struct child started = {0, -1};
	int tell[2], err;
	ssize_t n;
	pid_t pid;

	must(spec->fd_count <= FDS_MAX);
	for (size_t i = 0; i < spec->fd_count; i++)
		must(spec->fds[i].to >= 3 && spec->fds[i].to < FDS_ABOVE);
	if (pipe2(tell, O_CLOEXEC) < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be started", spec->argv[0]);
	pid = fork_child(&started);
	err = errno;
	if (pid == 0)
		become(spec, tell[1]);
	close(tell[1]);
	if (pid < 0) {
		close(tell[0]);
		return fail_errno(f, FAIL_INTERNAL, err, "%s cannot be started", spec->argv[0]);
	}
	do {
		n = read(tell[0], &trouble, sizeof(trouble));
	} while (n < 0 && errno == EINTR);
	close(tell[0]);
	if (n != (ssize_t)sizeof(trouble)) {
		*out = started;
		return 0;
	}
	waitpid(pid, NULL, 0);
	forget_child(&started);
	return fail_errno(f, trouble.err == ENOENT ? FAIL_MISSING : FAIL_INTERNAL, trouble.err,
		"%s cannot be %s", spec->argv[0], trouble.step);
}

int child_fork(
	int (*run)(void *ctx), void *ctx, const char *role, struct child *out, struct fail *f)
{
	struct child started = {0, -1};
	pid_t pid;

	fflush(NULL); /* or both would write what stands in the buffers */
	pid = fork_child(&started);
	if (pid == 0) {
		int status;

		log_role(role);
		status = run(ctx);
		must(status >= 0 && status < 126);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0)
		return fail_errno(
			f, FAIL_INTERNAL, errno, "The %s process cannot be started", role);
	*out = started;
	return 0;
}

void child_kill(const struct child *c, int signal)
{
	if (c->pid > 1)
		kill(-c->pid, signal);
}

bool child_reap(struct child *c, int *status)
{
	siginfo_t ended = {0};
	int how = 0;

	if (c->pid <= 1)
		return false;
	if (waitid(P_PID, (id_t)c->pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		ended.si_pid == 0)
		return false;
	/* What it left behind in its group goes too, while nobody else can have that number. */
	kill(-c->pid, SIGKILL);
	waitpid(c->pid, &how, 0);
	if (status)
		*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	forget_child(c);
	return true;
}

bool child_wait(struct child *c, int64_t wait_ms, int *status)
{
	struct pollfd ended = {c->pidfd, POLLIN, 0};

	poll(&ended, 1, (int)wait_ms);
	return child_reap(c, status);
}

bool child_can_filter(void)
{
	return sandbox_works();
}
