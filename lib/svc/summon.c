/* lib/svc/summon.c - asks the supervisor for work, and starts one where no master does.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/summon.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/sock.h"

enum {
	UPKEEP_MS = 15 * 60 * 1000,
	AGAIN_MS = 1000, /* after one that died */
	ENV_MAX = 1000,	 /* variables */
	FDS_ABOVE = 16,	 /* where descriptors are put aside */
	FDS_MOST = 1024	 /* closed one by one where the kernel has no close_range() */
};

static bool in_run_dir(const struct conf *conf, const char *name, char to[PATH_MAX])
{
	return file_path(to, PATH_MAX, "%s/%s", conf->run_dir, name);
}

/* --- a message ------------------------------------------------------------------------------ */

static bool send_message(const struct conf *conf, const char *verb, const char *id)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char text[160];
	ssize_t sent;
	int fd, n;

	n = snprintf(text, sizeof(text), "%s %s", verb, id);
	if (!file_path(to.sun_path, sizeof(to.sun_path), "%s/supervisor.sock", conf->run_dir))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	return sent == n;
}

/* --- a supervisor --------------------------------------------------------------------------- */

struct launch {
	const char *const *argv;
	const char **env;
	int lock_fd, socket_fd;
};

/* What a front server says of a request is none of a supervisor's business. */
static const char **copy_environment(void)
{
	const char **env = calloc(ENV_MAX + 1, sizeof(*env));
	size_t count = 0;

	for (char **v = environ; env && *v && count < ENV_MAX; v++) {
		if (strncmp(*v, "HTTP_", 5) != 0)
			env[count++] = *v;
	}
	return env;
}

/* From here on in a copy of a process with threads: nothing but system calls (fork(2)). */
static void arrange_descriptors(const struct launch *l)
{
	int lock = fcntl(l->lock_fd, F_DUPFD, FDS_ABOVE);
	int sock = fcntl(l->socket_fd, F_DUPFD, FDS_ABOVE);
	int null = open("/dev/null", O_RDWR);

	/* The front server waits until all that had a request's descriptors have closed them. */
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(null, i);
	dup2(lock, SUMMON_LOCK_FD);
	dup2(sock, SUMMON_SOCKET_FD);
	if (close_range(SUMMON_SOCKET_FD + 1, ~0U, 0) == 0)
		return;
	for (int i = SUMMON_SOCKET_FD + 1; i < FDS_MOST; i++)
		close(i);
}

static void become_supervisor(const struct launch *l)
{
	sigset_t none;

	setsid();
	/* A front server may ignore some, and ignored signals reach no signalfd. */
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	arrange_descriptors(l);
	if (chdir("/") == 0)
		execve(l->argv[0], (char *const *)l->argv, (char *const *)l->env);
	_exit(127);
}

/* Forks twice, so that nobody has to wait for its end. */
static void launch(const struct conf *conf, int lock_fd, int socket_fd)
{
	const char *const argv[] = {conf->program, "-c", conf->path, "supervise", "--idle", NULL};
	struct launch l = {argv, copy_environment(), lock_fd, socket_fd};
	pid_t pid = l.env ? fork() : -1;

	if (pid == 0) {
		if (fork() == 0)
			become_supervisor(&l);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	else
		log_error("not_started", LOG_STR("role", "supervisor"));
	free(l.env);
}

/* Whether one took the lock less than a second ago and is dead, so that what dies as it starts is
 * not started as fast as anybody asks. */
static bool died_just_now(const char *lock_path)
{
	int64_t age_ms = clock_real_ms() - file_mtime_ms(lock_path);

	return age_ms >= 0 && age_ms < AGAIN_MS && lock_holder(lock_path) == 0;
}

static bool start_supervisor(const struct conf *conf)
{
	char lock_path[PATH_MAX], socket_path[PATH_MAX];
	int lock_fd = -1, socket_fd = -1;
	struct fail f = {0};

	if (!in_run_dir(conf, "supervisor.lock", lock_path) ||
		!in_run_dir(conf, "supervisor.sock", socket_path) || died_just_now(lock_path) ||
		lock_take(lock_path, &lock_fd, &f) < 0)
		return false;
	if (sock_datagram(socket_path, (gid_t)SOCK_NO_GROUP, &socket_fd, &f) == 0) {
		launch(conf, lock_fd, socket_fd);
		close(socket_fd);
	} else {
		log_error("not_started", LOG_STR("role", "supervisor"), LOG_STR("why", f.text));
	}
	close(lock_fd); /* not given back: the supervisor has it too */
	return socket_fd >= 0;
}

bool summon_ask(const struct conf *conf, const char *verb, const char *id)
{
	if (send_message(conf, verb, id))
		return true;
	return conf->program && start_supervisor(conf) && send_message(conf, verb, id);
}

/* --- upkeep --------------------------------------------------------------------------------- */

void summon_for_upkeep(const struct conf *conf)
{
	char path[PATH_MAX];

	if (conf->program && in_run_dir(conf, "upkeep", path) &&
		clock_real_ms() - file_mtime_ms(path) >= UPKEEP_MS)
		summon_ask(conf, "upkeep", "");
}

void summon_note_upkeep(const struct conf *conf)
{
	char path[PATH_MAX];

	if (in_run_dir(conf, "upkeep", path))
		file_touch(path);
}
