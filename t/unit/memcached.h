/* t/unit/memcached.h - a real memcached for unit tests, in a directory of its own.
 * SPDX-License-Identifier: BSD-2-Clause
 * It dies with the test. Without memcached on this machine, memcached_or_skip() ends the test. */
#ifndef SLUICE_T_MEMCACHED_H
#define SLUICE_T_MEMCACHED_H

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct memcached {
	pid_t pid;
	char dir[64], socket[80]; /* where it listens, as mc is told */
	int port;		  /* 0: at the path `socket`; else that is "127.0.0.1:port" */
	bool sasl;
	int fd; /* our raw connection, -1 when there is none */
};

static inline int64_t real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void memcached_or_skip(void)
{
	if (system("command -v memcached >/dev/null 2>&1") == 0)
		return;
	printf("1..0 # SKIP memcached is not installed\n");
	exit(0);
}

static inline int memcached_connect_raw(const struct memcached *m)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons((uint16_t)m->port)};
	int fd = socket(m->port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	snprintf(path.sun_path, sizeof(path.sun_path), "%s", m->socket);
	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = m->port ? connect(fd, (struct sockaddr *)&port, sizeof(port))
		     : connect(fd, (struct sockaddr *)&path, sizeof(path));
	if (rc == 0)
		return fd;
	close(fd);
	return -1;
}

/* Starts it again, in the same place. */
static inline void memcached_start(struct memcached *m)
{
	int64_t deadline = real_ms() + 10000;
	char port[8];
	const char *argv[] = {"memcached", "-m", "16", "-t", "2", "-u", "root", "-U", "0", "-s",
		m->socket, NULL, NULL, NULL};

	if (m->port) {
		snprintf(port, sizeof(port), "%d", m->port);
		argv[9] = "-p";
		argv[10] = port;
		argv[11] = "-l127.0.0.1";
		argv[12] = m->sasl ? "-S" : NULL;
	}
	m->pid = fork();
	if (m->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("SASL_CONF_PATH", m->dir, 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while ((m->fd = memcached_connect_raw(m)) < 0 && real_ms() < deadline)
		usleep(2000);
	if (m->fd < 0) {
		printf("Bail out! memcached does not start\n");
		exit(1);
	}
}

static inline void make_dir(struct memcached *m)
{
	snprintf(m->dir, sizeof(m->dir), "/tmp/sluice-mc-XXXXXX");
	if (!mkdtemp(m->dir)) {
		printf("Bail out! no temporary directory\n");
		exit(1);
	}
}

static inline void memcached_open(struct memcached *m)
{
	*m = (struct memcached){.fd = -1};
	make_dir(m);
	snprintf(m->socket, sizeof(m->socket), "%s/mc", m->dir);
	memcached_start(m);
}

/* A socket bound to a free port of 127.0.0.1, which *port gets. */
static inline int loopback_socket(int *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		getsockname(fd, (struct sockaddr *)&to, &len) < 0)
		exit(1);
	*port = ntohs(to.sin_port);
	return fd;
}

/* On a TCP port; with SASL it has no accounts, so that it refuses all. */
static inline void memcached_open_tcp(struct memcached *m, bool sasl)
{
	char path[100];
	FILE *conf;

	*m = (struct memcached){.fd = -1, .sasl = sasl};
	make_dir(m);
	snprintf(path, sizeof(path), "%s/memcached.conf", m->dir);
	conf = fopen(path, "we");
	if (!conf)
		exit(1);
	fprintf(conf, "mech_list: plain\npwcheck_method: auxprop\nsasldb_path: %s/none\n", m->dir);
	fclose(conf);
	close(loopback_socket(&m->port));
	snprintf(m->socket, sizeof(m->socket), "127.0.0.1:%d", m->port);
	memcached_start(m);
}

static inline void memcached_kill(struct memcached *m)
{
	close(m->fd);
	m->fd = -1;
	kill(m->pid, SIGKILL);
	waitpid(m->pid, NULL, 0);
	if (!m->port)
		unlink(m->socket);
}

/* SIGSTOP, and back when it has stopped; SIGCONT undoes it. */
static inline void memcached_stop(const struct memcached *m)
{
	kill(m->pid, SIGSTOP);
	waitpid(m->pid, NULL, WUNTRACED);
}

static inline void memcached_close(struct memcached *m)
{
	char path[100];

	memcached_kill(m);
	snprintf(path, sizeof(path), "%s/memcached.conf", m->dir);
	unlink(path);
	rmdir(m->dir);
}

/* Sends a command and gives its answer: up to the line that ends like `end`, at most 5 s. */
static inline const char *memcached_ask(struct memcached *m, const char *command, const char *end)
{
	static char answer[4096];
	int64_t deadline = real_ms() + 5000;
	size_t len = 0;

	if (write(m->fd, command, strlen(command)) != (ssize_t)strlen(command))
		return "";
	answer[0] = '\0';
	while (!strstr(answer, end) && len < sizeof(answer) - 1 && real_ms() < deadline) {
		ssize_t n = recv(m->fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			answer[len += (size_t)n] = '\0';
		else
			usleep(500);
	}
	return answer;
}

/* A file that moves the clock of this process and its children (SLUICE_CLOCK). Before
 * clock_init. */
static inline int moved_clock_open(void)
{
	char path[] = "/tmp/sluice-clock-XXXXXX";
	int fd = mkstemp(path);
	int64_t zero = 0;

	if (fd < 0 || write(fd, &zero, sizeof(zero)) != sizeof(zero))
		exit(1);
	setenv("SLUICE_CLOCK", path, 1);
	return fd;
}

static inline void moved_clock_close(int fd)
{
	unlink(getenv("SLUICE_CLOCK"));
	close(fd);
}

static inline void move_clock(int fd, int64_t by_ms)
{
	int64_t moved = 0;

	if (pread(fd, &moved, sizeof(moved), 0) != sizeof(moved))
		exit(1);
	moved += by_ms;
	if (pwrite(fd, &moved, sizeof(moved), 0) != sizeof(moved))
		exit(1);
}

#endif
