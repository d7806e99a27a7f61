/* fcgi-app/processes/crew.c - the master's children: workers of both pools, and the supervisor.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/crew.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "fcgi-app/processes/supervisor.h"
#include "fcgi-app/processes/worker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"

static const char *const role_names[] = {"api", "relay", "supervisor"};

void crew_init(struct crew *c)
{
	*c = (struct crew){.listen_fd = {-1, -1}, .ours = {-1, -1}};
}

void crew_adopt(struct crew *c, const char *role, pid_t pid)
{
	struct crew_member *m = &c->member[c->count];

	if (c->count == CREW_MAX)
		return;
	*m = (struct crew_member){.child = {pid, pidfd_open(pid, 0)}};
	while (m->role < CREW_SUPERVISOR && strcmp(role_names[m->role], role) != 0)
		m->role++;
	backoff_start(&m->backoff, clock_mono_ms());
	if (m->role == CREW_SUPERVISOR)
		kill(pid, SIGHUP);
	else
		m->old = true;
	c->count++;
}

void crew_list(const struct crew *c, struct handover *h)
{
	for (size_t i = 0; i < c->count; i++)
		handover_add(h, c->member[i].child.pid, role_names[c->member[i].role], NULL);
}

/* --- in the child ----------------------------------------------------------------------------- */

struct start {
	const struct crew *crew;
	enum crew_role role;
};

static void close_unless(int fd, int keep)
{
	if (fd >= 0 && fd != keep)
		close(fd);
}

/* What the master needs and we do not: above all its lock, which must end with it. */
static int keep_own_fds(const struct start *s)
{
	const struct crew *c = s->crew;
	int keep = s->role == CREW_SUPERVISOR ? -1 : c->listen_fd[s->role];

	for (int i = 0; i < 2; i++) {
		close_unless(c->listen_fd[i], keep);
		close_unless(c->ours[i], -1);
	}
	for (size_t i = 0; i < c->count; i++)
		close_unless(c->member[i].child.pidfd, -1);
	return keep;
}

static int child_main(void *ctx)
{
	const struct start *s = ctx;
	const struct crew *c = s->crew;
	int listen_fd = keep_own_fds(s), result;
	struct fail f = {0};

	board_enter(c->board, role_names[s->role], NULL);
	if (s->role != CREW_SUPERVISOR) {
		result = worker_run(c->conf, role_names[s->role], listen_fd, c->board);
	} else {
		result = supervisor_run(c->conf, c->board, c->self, false, NULL, &f);
		if (result < 0)
			log_error("not_started", LOG_STR("why", f.text));
	}
	board_leave(c->board);
	return result != 0;
}

/* --- in the master ---------------------------------------------------------------------------- */

static int64_t wanted(const struct crew *c, enum crew_role role)
{
	if (role == CREW_SUPERVISOR)
		return 1;
	return role == CREW_API ? c->conf->api_processes : c->conf->relay_processes;
}

static void add_missing(struct crew *c, enum crew_role role)
{
	int64_t have = 0;

	for (size_t i = 0; i < c->count; i++)
		have += c->member[i].role == role && !c->member[i].old;
	for (; have < wanted(c, role) && c->count < CREW_MAX; have++)
		c->member[c->count++] = (struct crew_member){.role = role, .child = {0, -1}};
}

static int start_member(struct crew *c, struct crew_member *m, int64_t now_ms, struct fail *f)
{
	struct start s = {c, m->role};

	backoff_start(&m->backoff, now_ms);
	if (child_fork(child_main, &s, role_names[m->role], &m->child, f) < 0) {
		backoff_end(&m->backoff, now_ms, false);
		return -1;
	}
	m->watched = true;
	log_debug("started", LOG_STR("role", role_names[m->role]), LOG_INT("pid", m->child.pid));
	return 0;
}

int crew_fill(struct crew *c, struct fail *f)
{
	int64_t now_ms = clock_mono_ms();
	int result = 0;

	for (enum crew_role role = CREW_API; role <= CREW_SUPERVISOR; role++)
		add_missing(c, role);
	for (size_t i = 0; i < c->count; i++) {
		struct crew_member *m = &c->member[i];
		if (m->child.pid == 0 && !m->old && now_ms >= m->backoff.due_ms &&
			start_member(c, m, now_ms, f) < 0)
			result = -1;
	}
	return result;
}

int crew_wait_ms(const struct crew *c, int most_ms)
{
	int64_t now_ms = clock_mono_ms(), wait_ms = most_ms;

	for (size_t i = 0; i < c->count; i++) {
		const struct crew_member *m = &c->member[i];
		if (m->child.pid == 0 && !m->old && m->backoff.due_ms - now_ms < wait_ms)
			wait_ms = m->backoff.due_ms - now_ms;
	}
	return wait_ms > 0 ? (int)wait_ms : 0;
}

static bool told_ready(const struct crew *c, pid_t pid)
{
	const struct board_slot *slot = board_find(c->board, pid);

	return slot && atomic_load(&slot->state) == BOARD_READY;
}

static bool is_ready(const struct crew *c, const struct crew_member *m)
{
	return m->child.pid != 0 && told_ready(c, m->child.pid);
}

static void note_end(struct crew *c, struct crew_member *m, pid_t pid, int status)
{
	const char *role = role_names[m->role];
	int64_t now_ms = clock_mono_ms();

	backoff_end(&m->backoff, now_ms, told_ready(c, pid));
	board_forget(c->board, pid);
	if (m->old) {
		log_info("finished", LOG_STR("role", role), LOG_INT("status", status));
		return;
	}
	log_error("died", LOG_STR("role", role), LOG_INT("status", status),
		LOG_INT("again_in_ms", m->backoff.due_ms - now_ms));
	board_add(c->board, BOARD_RESPAWNS, 1);
}

bool crew_reap(struct crew *c, struct fail *why)
{
	bool early = false;

	for (size_t i = 0; i < c->count;) {
		struct crew_member *m = &c->member[i];
		pid_t pid = m->child.pid;
		int status = 0;

		if (!child_reap(&m->child, &status)) {
			i++;
			continue;
		}
		note_end(c, m, pid, status);
		if (m->watched) {
			early = true;
			fail_set(why, FAIL_INTERNAL,
				"The %s process ended as it started (status %d); the log says why",
				role_names[m->role], status);
		}
		if (m->old)
			*m = c->member[--c->count];
		else
			i++;
	}
	return early;
}

bool crew_is_ready(struct crew *c)
{
	bool all = c->count > 0;

	for (size_t i = 0; i < c->count; i++) {
		struct crew_member *m = &c->member[i];
		if (m->old)
			continue;
		m->watched = m->watched && !is_ready(c, m);
		all = all && is_ready(c, m);
	}
	return all;
}

bool crew_has_pool(const struct crew *c, enum crew_role role)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->member[i].role == role && is_ready(c, &c->member[i]))
			return true;
	}
	return false;
}

void crew_dismiss_old(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->member[i].old)
			child_kill(&c->member[i].child, SIGTERM);
	}
}

/* How many of them are still there. */
static size_t count_left(struct crew *c, bool supervisor)
{
	size_t left = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct crew_member *m = &c->member[i];
		if ((m->role == CREW_SUPERVISOR) == supervisor && m->child.pid != 0 &&
			!child_reap(&m->child, NULL))
			left++;
	}
	return left;
}

static void signal_all(const struct crew *c, bool supervisor, int signal)
{
	for (size_t i = 0; i < c->count; i++) {
		if ((c->member[i].role == CREW_SUPERVISOR) == supervisor)
			child_kill(&c->member[i].child, signal);
	}
}

void crew_end(struct crew *c, bool supervisor, int64_t wait_ms)
{
	const int step_ms = 10, force_ms = 5000;

	signal_all(c, supervisor, SIGTERM);
	for (int64_t waited_ms = 0; count_left(c, supervisor) > 0; waited_ms += step_ms) {
		if (waited_ms >= wait_ms + force_ms)
			return;
		if (waited_ms >= wait_ms)
			signal_all(c, supervisor, SIGKILL);
		poll(NULL, 0, step_ms);
	}
}
