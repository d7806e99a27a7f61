/* fcgi-app/processes/media_link.c - the packager's sluice-media.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/media_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/io/pass.h"

enum { EARLY_US = 2000000, PAUSE_US = 100000, EARLY_MAX = 5 };

void media_link_init(struct media_link *m, const char *program)
{
	*m = (struct media_link){.program = program, .zygote = {0, -1}, .socket = -1};
}

void media_link_close(struct media_link *m)
{
	if (m->socket >= 0)
		close(m->socket);
	m->socket = -1;
	child_kill(&m->zygote, SIGKILL);
	child_wait(&m->zygote, 1000, NULL);
}

bool media_link_pauses(const struct media_link *m, int64_t now_us)
{
	return m->socket < 0 && now_us < m->due_us && m->early < EARLY_MAX;
}

int media_link_start(struct media_link *m, int64_t now_us, struct fail *f)
{
	const char *const argv[] = {m->program, NULL};
	struct child_fd map = {-1, MEDIA_SOCKET};
	struct child_spec spec = {argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = STDERR_FILENO,
		.fds = &map, .fd_count = 1};
	int pair[2];

	if (m->socket >= 0)
		return 0;
	if (now_us < m->due_us)
		return fail_set(f, FAIL_BUSY,
			"What reads films ends again and again; try again in a moment");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(f, FAIL_BUSY, errno, "There is no socket for sluice-media");
	map.from = pair[1];
	if (child_start(&spec, &m->zygote, f) < 0) {
		close(pair[0]);
		close(pair[1]);
		f->kind = FAIL_BUSY;
		m->early = EARLY_MAX;
		m->due_us = now_us + EARLY_US;
		return -1;
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	m->socket = pair[0];
	m->begun_us = now_us;
	return 0;
}

bool media_link_send(struct media_link *m, const struct media_job *job, const int fds[MEDIA_FDS])
{
	size_t count = 0;

	while (job->kind != MEDIA_CANCEL && count < MEDIA_FDS && fds[count] >= 0)
		count++;
	return pass_send(m->socket, job, sizeof(*job), fds, count);
}

bool media_link_take(struct media_link *m, struct media_answer *a, bool *some)
{
	int fds[PASS_FDS_MAX];
	size_t count = 0;
	ssize_t n = pass_take(m->socket, a, sizeof(*a), fds, &count);

	pass_close(fds, count);
	*some = n == (ssize_t)sizeof(*a) && a->version == MEDIA_VERSION;
	a->text[sizeof(a->text) - 1] = '\0';
	return *some || (n < 0 && errno == EAGAIN);
}

void media_link_lost(struct media_link *m, int64_t now_us)
{
	int status = -1;

	close(m->socket);
	m->socket = -1;
	child_kill(&m->zygote, SIGKILL);
	child_wait(&m->zygote, 1000, &status);
	m->early = now_us - m->begun_us < EARLY_US ? m->early + 1 : 0;
	m->due_us = now_us + (m->early >= EARLY_MAX ? EARLY_US : m->early ? PAUSE_US : 0);
	log_warn("media_died", LOG_INT("status", status), LOG_INT("early", m->early));
}
