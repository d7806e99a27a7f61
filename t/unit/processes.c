/* t/unit/processes.c - locks, sockets, what is handed to a newer image, and when one starts again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgi-app/processes/backoff.h"
#include "fcgi-app/processes/handover.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/sock.h"
#include "t/unit/tap.h"

static void locks(const char *dir)
{
	char path[200];
	int fd = -1, other = -1, status;
	struct fail f;
	pid_t pid;

	file_path(path, sizeof(path), "%s/pid", dir);
	is_int(lock_holder(path), 0, "nobody has a lock that is not there");
	is_int(lock_take(path, &fd, &f), 0, "it is taken");
	is_int(lock_holder(path), getpid(), "by us");
	is_int(lock_take(path, &other, &f), -1, "and not again");
	ok(f.kind == FAIL_CONFLICT && strstr(f.text, "runs already, as process "), "%s", f.text);
	lock_drop(path, &fd);
	ok(fd == -1 && access(path, F_OK) < 0, "given back it is gone");
	pid = fork();
	if (pid == 0)
		_exit(lock_take(path, &fd, &f) == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	ok(WEXITSTATUS(status) == 0 && access(path, F_OK) == 0, "one that died leaves its file");
	is_int(lock_holder(path), 0, "but no lock");
	is_int(lock_take(path, &fd, &f), 0, "the next takes it");
	unlink(path);
	is_int(lock_take(path, &other, &f), 0, "a file that was removed locks nobody out");
	lock_drop(path, &fd);
	is_int(lock_holder(path), getpid(), "and its owner does not take the new one away");
	lock_drop(path, &other);
	file_path(path, sizeof(path), "%s/missing/pid", dir);
	is_int(lock_take(path, &fd, &f), -1, "a directory that is missing is said: %s", f.text);
}

/* Somebody looks who has a lock at the moment when another one takes it. */
static void looked_at(const char *dir)
{
	const struct timespec while_looked = {0, 20000000};
	char path[200];
	int fd = -1, told[2];
	struct fail f;
	pid_t pid;
	char c;

	file_path(path, sizeof(path), "%s/looked", dir);
	ok(pipe(told) == 0, "a pipe is made");
	pid = fork();
	if (pid == 0) {
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (flock(fd, LOCK_SH) < 0 || write(told[1], "x", 1) != 1)
			_exit(1);
		nanosleep(&while_looked, NULL);
		_exit(0);
	}
	ok(read(told[0], &c, 1) == 1, "somebody looks at the lock");
	is_int(lock_take(path, &fd, &f), 0, "it is taken all the same");
	lock_drop(path, &fd);
	waitpid(pid, NULL, 0);
	close(told[0]);
	close(told[1]);
}

/* A lock that a child goes on with when the one who took it is gone, as a supervisor does. */
static void adopted_locks(const char *dir)
{
	char path[200], other[200];
	int fd = -1, strange = -1, told[2];
	struct fail f;
	pid_t pid;
	char c;

	file_path(path, sizeof(path), "%s/adopted", dir);
	file_path(other, sizeof(other), "%s/other", dir);
	is_int(pipe(told), 0, "a pipe");
	is_int(lock_take(path, &fd, &f), 0, "a lock is taken for a child");
	is_int(lock_take(other, &strange, &f), 0, "and another");
	pid = fork();
	if (pid == 0) {
		close(told[0]);
		c = !lock_adopt(path, strange) && lock_adopt(path, fd) ? 'y' : 'n';
		if (write(told[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	close(told[1]);
	close(fd);
	ok(read(told[0], &c, 1) == 1 && c == 'y', "it goes on with the one and no other");
	is_int(lock_holder(path), pid, "and is the one who has it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_int(lock_holder(path), 0, "as long as it lives");
	close(told[0]);
	lock_drop(other, &strange);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	file_path(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void sockets(const char *dir)
{
	char path[200], beside[220], longest[200];
	int old = -1, new = -1, client;
	struct stat st;
	struct fail f;

	file_path(path, sizeof(path), "%s/s.sock", dir);
	file_path(beside, sizeof(beside), "%s.new", path);
	is_int(sock_listen(path, (gid_t)SOCK_NO_GROUP, &old, &f), 0, "a socket is made");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0660, "for user and group");
	ok(!sock_is_awaited(old), "nobody waits");
	client = connect_to(path);
	ok(client >= 0 && sock_is_awaited(old), "who connects waits");
	is_int(sock_listen(path, (gid_t)SOCK_NO_GROUP, &new, &f), 0, "another takes its place");
	close(client);
	client = connect_to(path);
	ok(sock_is_awaited(new), "and its clients");
	ok(access(beside, F_OK) < 0, "nothing is left beside it");
	close(client);
	close(old);
	close(new);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ok(!sock_path_fits(longest) && sock_path_fits(path), "long names do not fit");
	is_int(sock_listen(longest, (gid_t)SOCK_NO_GROUP, &new, &f), -1, "and are refused");
	is_int(f.kind, FAIL_INPUT, "as the user's mistake: %s", f.text);
	file_path(path, sizeof(path), "%s/missing/s", dir);
	is_int(sock_datagram(path, (gid_t)SOCK_NO_GROUP, &new, &f), -1,
		"a directory that is missing is said: %s", f.text);
}

static void handovers(void)
{
	static struct handover h;
	char text[200];
	int fd = open("/dev/null", O_RDONLY);
	static const char *const bad[] = {"", "1", "x 3 4 5", "%d 3", "%d 999 4 5", "%d a b c",
		"%d -1 -1 -1 5", "%d -1 -1 -1 x/api/", "%d -1 -1 -1 1/init/",
		"%d -1 -1 -1 5/a-role-that-is-too-long/", "%d -2 -1 -1"};

	ok(!handover_waits() && !handover_take(&h), "at first nothing is handed over");
	file_path(text, sizeof(text), "%d %d -1 -1 77/api/ 78/live/live-8", (int)getpid(), fd);
	setenv("SLUICE_HANDOVER", text, 1);
	ok(handover_waits() && handover_take(&h), "what an older image left is taken");
	ok(h.fd[0] == fd && h.fd[1] == -1 && h.fd[2] == -1, "descriptors");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "which no child inherits");
	is_int(h.count, 2, "and children");
	ok(h.child[1].pid == 78 && !strcmp(h.child[1].role, "live") &&
			!strcmp(h.child[1].id, "live-8"),
		"with role and id");
	ok(!handover_take(&h), "once");
	file_path(text, sizeof(text), "%d -1 -1 -1", (int)getppid());
	setenv("SLUICE_HANDOVER", text, 1);
	ok(!handover_take(&h) && !handover_waits(), "what is meant for another is ignored");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool ours = bad[i][0] == '%';
		file_path(text, sizeof(text), "%d%s", (int)getpid(), bad[i] + (ours ? 2 : 0));
		setenv("SLUICE_HANDOVER", ours ? text : bad[i], 1);
		ok(!handover_take(&h), "nonsense is ignored: '%s'", bad[i]);
	}
	close(fd);
}

static void renewal(const char *dir)
{
	static struct handover h = {.fd = {-1, -1, -1}};
	struct program nothing = {"/nonexistent/sluice", "/nonexistent/conf"}, env;
	char path[200];
	struct fail f;
	struct buf seen;
	pid_t pid;

	handover_add(&h, 0, "api", "");
	is_int(h.count, 0, "who does not run is not handed over");
	handover_add(&h, 77, "live", "live-8");
	is_int(handover_exec(&h, &nothing, "serve", NULL, &f), -1,
		"a missing program is no new image");
	ok(!handover_waits(), "and nothing is left of the attempt: %s", f.text);
	/* A program that writes down what it was given. */
	file_path(path, sizeof(path), "%s/program", dir);
	file_replace(
		path, span_of("#!/bin/sh\necho \"$SLUICE_HANDOVER|$*\" > \"$0.out\"\n"), 0700, &f);
	env = (struct program){path, "/etc/x.conf"};
	pid = fork();
	if (pid == 0) {
		handover_exec(&h, &env, "serve", NULL, &f);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	file_path(path, sizeof(path), "%s/program.out", dir);
	buf_init(&seen, 1000);
	file_read(path, &seen, NULL);
	ok(strstr(buf_str(&seen), " -1 -1 -1 77/live/live-8|-c /etc/x.conf serve\n") != NULL,
		"the new image gets all: %s", buf_str(&seen));
	buf_release(&seen);
}

static void backoffs(void)
{
	struct backoff b = {0};
	int64_t now_ms = 1000000, waits_ms[9];

	for (int i = 0; i < 9; i++) {
		backoff_start(&b, now_ms);
		now_ms += 5;
		backoff_end(&b, now_ms, false);
		waits_ms[i] = b.due_ms - now_ms;
		now_ms = b.due_ms;
	}
	is_int(waits_ms[0], 100, "who dies at once starts again after 100 ms");
	is_int(waits_ms[3], 800, "then later and later");
	is_int(waits_ms[8], 10000, "up to 10 s");
	backoff_start(&b, now_ms);
	now_ms += 1500;
	backoff_end(&b, now_ms, false);
	is_int(b.due_ms, now_ms, "who lived a while starts again at once");
	backoff_start(&b, now_ms);
	backoff_end(&b, now_ms, false);
	is_int(b.due_ms - now_ms, 100, "and the count begins anew");
	for (int i = 0; i < 3; i++) {
		backoff_start(&b, now_ms);
		backoff_end(&b, now_ms, true);
		is_int(b.due_ms - now_ms, 20, "who had got to work is never waited for longer");
	}
}

int main(void)
{
	char dir[] = "/tmp/sluice-proc-XXXXXX", command[100];

	if (!mkdtemp(dir))
		return 99;
	locks(dir);
	looked_at(dir);
	adopted_locks(dir);
	sockets(dir);
	handovers();
	renewal(dir);
	backoffs();
	file_path(command, sizeof(command), "rm -rf '%s'", dir);
	is_int(system(command), 0, "tidied up");
	return tap_done();
}
