/* t/unit/child.c - child processes that cannot outlive us.
 * SPDX-License-Identifier: BSD-2-Clause
 * Run by itself with a word it is the child: it tries what the word says and exits with the errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io/child.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

/* A program's whole output and its exit status. */
struct outcome {
	char text[4096];
	int status;
};

static void run(struct child_spec spec, struct outcome *out)
{
	struct child c = {0, -1};
	size_t len = 0;
	int pipe_fds[2];
	struct fail f;
	ssize_t n;

	*out = (struct outcome){.status = -1};
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return;
	spec.stdin_fd = -1;
	spec.stdout_fd = pipe_fds[1];
	spec.stderr_fd = spec.stderr_fd ? spec.stderr_fd : STDERR_FILENO;
	if (child_start(&spec, &c, &f) < 0)
		file_path(out->text, sizeof(out->text), "%s", f.text);
	close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], out->text + len, sizeof(out->text) - 1 - len)) > 0)
		len += (size_t)n;
	close(pipe_fds[0]);
	if (c.pid)
		child_wait(&c, 10000, &out->status);
}

static void programs(void)
{
	const char *const hello[] = {"sh", "-c", "echo $0 $X; exit 3", NULL};
	const char *const env[] = {"X=1", NULL};
	const char *const fds[] = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '", NULL};
	const char *const missing[] = {"/nonexistent/program", NULL};
	const char *const directory[] = {"/tmp", NULL};
	const struct child_fd more[] = {{0, 5}};
	struct outcome o;

	setenv("SECRET", "x", 1);
	run((struct child_spec){.argv = hello, .env = env}, &o);
	is_str(o.text, "sh 1\n", "a program runs with the environment it is given");
	is_int(o.status, 3, "and its exit status is known");
	const char *const all[] = {"env", NULL};
	run((struct child_spec){.argv = all}, &o);
	ok(strstr(o.text, "PATH=") == o.text && !strstr(o.text, "SECRET"),
		"without one it sees PATH alone");
	/* 3 is what ls reads the directory by. */
	int leak = dup(STDERR_FILENO);
	run((struct child_spec){.argv = fds, .fds = more, .fd_count = 1}, &o);
	is_str(o.text, "0 1 2 3 5 ", "it has the descriptors it is given and no other");
	close(leak);
	run((struct child_spec){.argv = missing}, &o);
	ok(strstr(o.text, "cannot be executed: No such file") != NULL,
		"a program that is missing is said: %s", o.text);
	run((struct child_spec){.argv = directory}, &o);
	ok(strstr(o.text, "Permission denied") != NULL, "one that is none too: %s", o.text);
	ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "nothing is left to wait for");
}

static void surroundings(void)
{
	const char *const limits[] = {"sh", "-c", "ulimit -t; ulimit -n; ulimit -c; nice", NULL};
	const char *const signals[] = {
		"sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status", NULL};
	static const char none[] = "SigBlk:\t0000000000000000\n";
	const char *const groups[] = {"sh", "-c", "ps -o pgid= -p $$ | tr -d ' '; echo $$", NULL};
	struct outcome o;
	sigset_t set;
	char *second;

	run((struct child_spec){.argv = limits, .limits = {.cpu_s = 7, .nofile = 33}, .nice = 5},
		&o);
	is_str(o.text, "7\n33\n0\n5\n", "limits and niceness are set");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	run((struct child_spec){.argv = signals}, &o);
	/* Two that the C library keeps to itself may be ignored from whoever started us. */
	ok(strncmp(o.text, none, sizeof(none) - 1) == 0 &&
			(strstr(o.text, "SigIgn:\t0000000000000000\n") ||
				strstr(o.text, "SigIgn:\t0000000180000000\n")),
		"no signal is blocked or ignored");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);
	run((struct child_spec){.argv = groups}, &o);
	second = strchr(o.text, '\n');
	ok(second && strncmp(o.text, second + 1, (size_t)(second - o.text)) == 0,
		"it leads a process group of its own");
}

/* What a sandboxed child tries; the exit status is the errno. */
static void *nothing(void *unused)
{
	return unused;
}

static int attempt(const char *word)
{
	pthread_t thread;
	long r = 0;

	if (strcmp(word, "socket") == 0)
		r = socket(AF_INET, SOCK_STREAM, 0);
	else if (strcmp(word, "unix") == 0)
		r = socket(AF_UNIX, SOCK_STREAM, 0);
	else if (strcmp(word, "io_uring") == 0)
		r = syscall(SYS_io_uring_setup, 1, NULL);
	else if (strcmp(word, "ptrace") == 0)
		r = ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	else if (strcmp(word, "mount") == 0)
		r = mount("none", "/mnt", "tmpfs", 0, NULL);
	else if (strcmp(word, "fork") == 0)
		r = fork();
	else if (strcmp(word, "kill") == 0)
		r = kill(getppid(), 0);
	else if (strcmp(word, "tgkill") == 0)
		r = syscall(SYS_tgkill, getppid(), getppid(), 0);
	else if (strcmp(word, "own tgkill") == 0)
		r = syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0);
	else if (strcmp(word, "thread") == 0)
		r = pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
	else if (strcmp(word, "file") == 0)
		r = open("/dev/null", O_RDWR);
	return r < 0 ? errno : 0;
}

static void sandbox(const char *self)
{
	static const struct {
		const char *word;
		int want;
	} cases[] = {
		{"socket", EPERM},
		{"unix", EPERM},
		{"io_uring", EPERM},
		{"ptrace", EPERM},
		{"mount", EPERM},
		{"fork", EPERM},
		{"kill", EPERM},
		{"tgkill", EPERM},
		{"own tgkill", 0},
		{"thread", 0},
		{"file", 0},
	};
	struct outcome o;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const argv[] = {self, cases[i].word, NULL};
		if (!child_can_filter()) {
			ok(true, "%s # SKIP no filter on this machine or in this build", argv[1]);
			continue;
		}
		run((struct child_spec){.argv = argv, .no_network = true}, &o);
		is_int(o.status, cases[i].want, "a sandboxed child %s: %s",
			cases[i].want ? "may not" : "may", argv[1]);
	}
}

static int sleep_long(void *ctx)
{
	const char *const argv[] = {"sleep", "100", NULL};
	struct child_spec spec = {argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	struct child c;
	struct fail f;
	int *tell = ctx;

	if (child_start(&spec, &c, &f) < 0 || write(*tell, &c.pid, sizeof(c.pid)) < 0)
		return 1;
	pause();
	return 0;
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 500; i++) {
		char path[40], line[200] = "";
		struct buf b;

		buf_init(&b, sizeof(line));
		file_path(path, sizeof(path), "/proc/%d/stat", (int)pid);
		if (file_read(path, &b, NULL) < 0 || strstr(buf_str(&b), ") Z ")) {
			buf_release(&b);
			return true;
		}
		buf_release(&b);
		poll(NULL, 0, 10);
	}
	return false;
}

static void generations(int signal, const char *what)
{
	struct child c = {0, -1};
	pid_t grandchild = 0;
	int tell[2], status = 0;
	struct fail f;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return;
	is_int(child_fork(sleep_long, &tell[1], "unit", &c, &f), 0, "a process of ours starts");
	ok(read(tell[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild) && grandchild > 1,
		"and starts a program");
	ok(!child_reap(&c, &status), "as long as it runs there is nothing to reap");
	kill(c.pid, signal);
	ok(child_wait(&c, 10000, &status), "when it is killed %s it is reaped", what);
	is_int(status, 128 + signal, "with the signal as its status");
	ok(is_gone(grandchild), "and its program is gone too");
	ok(c.pid == 0 && c.pidfd == -1, "nothing is left of it");
	child_kill(&c, SIGTERM);
	close(tell[0]);
	close(tell[1]);
}

static int give_status(void *ctx)
{
	return *(int *)ctx;
}

static void forks(void)
{
	struct child c = {0, -1};
	int status = 42;
	struct fail f;

	is_int(child_fork(give_status, &status, "unit", &c, &f), 0, "a process of ours starts");
	status = 0;
	ok(child_wait(&c, 10000, &status) && status == 42,
		"and ends with what its function returns");
	ok(!child_wait(&c, 0, &status), "it is reaped once");
	generations(SIGKILL, "hard");
	generations(SIGTERM, "softly");
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return attempt(argv[1]);
	programs();
	surroundings();
	sandbox(argv[0]);
	forks();
	return tap_done();
}
