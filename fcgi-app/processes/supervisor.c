/* fcgi-app/processes/supervisor.c - starts and ends the processes that are no workers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/supervisor.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/backoff.h"
#include "fcgi-app/processes/roles.h"
#include "fcgi-app/processes/signals.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/http/ident.h"
#include "lib/io/board.h"
#include "lib/io/child.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/sock.h"
#include "lib/svc/live.h"
#include "lib/svc/summon.h"

enum {
	TASKS_MAX = 480,  /* a little less than the board has room for */
	LOOK_MS = 200,	  /* how often the clock is looked at when nothing happens */
	DUE_MS = 10000,	  /* how often it is looked whether something is due */
	IDLE_MS = 60000,  /* how long one that was started on demand stays for nobody */
	MESSAGE_MAX = 200 /* bytes */
};

enum { FD_LOCK, FD_SOCKET }; /* what we hand over */

/* --- the table -------------------------------------------------------------------------------- */

struct task {
	const struct role *role;
	char id[IDENT_MAX];
	struct child child; /* pid 0: to be started */
	struct backoff backoff;
	int64_t asked_ms; /* real */
};

struct supervisor {
	const struct conf *conf;
	struct board *board;
	const struct program *self;
	int lock_fd, socket_fd, signal_fd;
	char lock_path[PATH_MAX], socket_path[PATH_MAX];
	struct task task[TASKS_MAX];
	size_t count;
	int64_t due_looked_ms, needed_ms; /* monotonic */
	bool on_demand, stop, renew;
};

static struct task *find_task(struct supervisor *s, const struct role *role, const char *id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->task[i].role == role && strcmp(s->task[i].id, id) == 0)
			return &s->task[i];
	}
	return NULL;
}

static struct task *add_task(struct supervisor *s, const struct role *role, const char *id)
{
	struct task *t = &s->task[s->count];

	if (s->count == TASKS_MAX)
		return NULL;
	*t = (struct task){.role = role, .child = {0, -1}, .asked_ms = clock_real_ms()};
	if (!span_copy(span_of(id), t->id, sizeof(t->id)))
		return NULL;
	s->count++;
	return t;
}

static void drop_task(struct supervisor *s, struct task *t)
{
	*t = s->task[--s->count];
}

static int64_t count_running(const struct supervisor *s, const struct role *role)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->task[i].role == role && s->task[i].child.pid != 0;
	return n;
}

static bool is_full(const struct supervisor *s, const struct role *role)
{
	return count_running(s, role) >= role->most;
}

/* Viewers' playlist requests touch a file; the message comes only when nothing runs. */
static bool is_still_asked(const struct supervisor *s, const struct task *t)
{
	char path[LIVE_PATH_BYTES];
	int64_t asked_ms;

	live_path(s->conf, t->id, "asked", path);
	asked_ms = file_mtime_ms(path);
	if (asked_ms < t->asked_ms)
		asked_ms = t->asked_ms;
	return clock_real_ms() - asked_ms < s->conf->live_idle_s * 1000;
}

/* --- starting --------------------------------------------------------------------------------- */

struct start {
	struct supervisor *supervisor;
	const struct task *task;
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int child_main(void *ctx)
{
	const struct start *start = ctx;
	const struct supervisor *s = start->supervisor;
	const struct task *t = start->task;
	int result;

	close_fd(s->lock_fd);
	close_fd(s->socket_fd);
	close_fd(s->signal_fd);
	for (size_t i = 0; i < s->count; i++)
		close_fd(s->task[i].child.pidfd);
	board_enter(s->board, t->role->name, t->id);
	board_ready(s->board);
	result = t->role->run(s->conf, s->board, t->id);
	board_leave(s->board);
	return result != 0;
}

static void start_task(struct supervisor *s, struct task *t)
{
	struct start start = {s, t};
	int64_t now_ms = clock_mono_ms();
	struct fail f = {0};

	backoff_start(&t->backoff, now_ms);
	if (child_fork(child_main, &start, t->role->name, &t->child, &f) < 0) {
		backoff_end(&t->backoff, now_ms, false);
		log_error("not_started", LOG_STR("role", t->role->name), LOG_STR("why", f.text));
		return;
	}
	if (t->role->again == AGAIN_WHILE_ASKED)
		board_add(s->board, BOARD_LIVE_STARTED, 1);
	log_debug("started", LOG_STR("role", t->role->name), LOG_STR("id", t->id),
		LOG_INT("pid", t->child.pid));
}

/* Adds the tasks that nobody asks for but the time. */
static void look_due(struct supervisor *s)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - s->due_looked_ms < DUE_MS)
		return;
	s->due_looked_ms = now_ms;
	for (int i = 0; i < role_count; i++) {
		if (roles[i].due && !find_task(s, &roles[i], "") && roles[i].due(s->conf))
			add_task(s, &roles[i], "");
	}
}

static void start_waiting(struct supervisor *s)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < s->count; i++) {
		struct task *t = &s->task[i];
		if (t->child.pid == 0 && now_ms >= t->backoff.due_ms && !is_full(s, t->role))
			start_task(s, t);
	}
}

/* --- ending ----------------------------------------------------------------------------------- */

static bool is_needed(const struct supervisor *s, const struct task *t, int status)
{
	switch (t->role->again) {
	case AGAIN_ALWAYS:
		return !t->role->due || t->role->due(s->conf);
	case AGAIN_WHILE_ASKED:
		return status != 0 && is_still_asked(s, t);
	case AGAIN_NEVER:
		break;
	}
	return false;
}

static void reap(struct supervisor *s)
{
	for (size_t i = 0; i < s->count;) {
		struct task *t = &s->task[i];
		pid_t pid = t->child.pid;
		int status = 0;

		if (!child_reap(&t->child, &status)) {
			i++;
			continue;
		}
		board_forget(s->board, pid);
		backoff_end(&t->backoff, clock_mono_ms(), false);
		if (status != 0) {
			board_add(s->board, BOARD_RESPAWNS, is_needed(s, t, status));
			log_warn("died", LOG_STR("role", t->role->name), LOG_STR("id", t->id),
				LOG_INT("status", status));
		}
		if (is_needed(s, t, status))
			i++;
		else
			drop_task(s, t);
	}
}

static void signal_all(const struct supervisor *s, int signal)
{
	for (size_t i = 0; i < s->count; i++)
		child_kill(&s->task[i].child, signal);
}

static void end_all(struct supervisor *s)
{
	const int step_ms = 10, polite_ms = 5000, most_ms = 7000;

	signal_all(s, SIGTERM);
	for (int waited_ms = 0; waited_ms < most_ms; waited_ms += step_ms) {
		for (size_t i = 0; i < s->count;) {
			if (s->task[i].child.pid == 0 || child_reap(&s->task[i].child, NULL))
				drop_task(s, &s->task[i]);
			else
				i++;
		}
		if (s->count == 0)
			return;
		if (waited_ms >= polite_ms)
			signal_all(s, SIGKILL);
		poll(NULL, 0, step_ms);
	}
}

/* --- messages --------------------------------------------------------------------------------- */

static const struct role *find_verb(struct span verb)
{
	for (int i = 0; i < role_count; i++) {
		if (roles[i].verb && span_is(verb, roles[i].verb))
			return &roles[i];
	}
	return NULL;
}

static void ask(struct supervisor *s, const struct role *role, const char *id)
{
	struct task *t = find_task(s, role, id);

	if (t) {
		t->asked_ms = clock_real_ms();
		return;
	}
	if ((is_full(s, role) && role->refused) || !add_task(s, role, id)) {
		if (role->again == AGAIN_WHILE_ASKED)
			board_add(s->board, BOARD_LIVE_REFUSED, 1);
		log_warn("refused", LOG_STR("role", role->name), LOG_STR("id", id),
			LOG_INT("running", count_running(s, role)));
	}
}

/* Ended politely, a channel's process is not started again by itself. */
static void leave(struct supervisor *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++) {
		struct task *t = &s->task[i];

		if (t->role->again == AGAIN_WHILE_ASKED && strcmp(t->id, id) == 0)
			child_kill(&t->child, SIGTERM);
	}
}

static void take_message(struct supervisor *s, struct span text)
{
	const struct role *role = NULL;
	char id[IDENT_MAX];
	struct ident ident;
	struct span verb;

	while (text.len && text.ptr[text.len - 1] == '\n')
		text.len--;
	if (!span_next(&text, ' ', &verb) ||
		!((role = find_verb(verb)) || span_is(verb, "leave")) ||
		!ident_parse(text, IDENT_NONE, &ident)) {
		log_debug("ignored", LOG_INT("bytes", verb.len + text.len));
		return;
	}
	ident_print(&ident, id, sizeof(id));
	s->needed_ms = clock_mono_ms();
	if (role)
		ask(s, role, id);
	else
		leave(s, id);
}

static void take_messages(struct supervisor *s)
{
	char text[MESSAGE_MAX + 1];
	ssize_t n;

	while ((n = recv(s->socket_fd, text, sizeof(text), 0)) >= 0) {
		if (n > 0 && n <= MESSAGE_MAX)
			take_message(s, span_make(text, (size_t)n));
	}
}

/* --- life ------------------------------------------------------------------------------------- */

/* Becomes the new image; comes back only when that fails. */
static void become_new(struct supervisor *s)
{
	struct handover *h = calloc(1, sizeof(*h));
	struct fail f = {0};

	s->renew = false;
	if (!h)
		return;
	h->fd[FD_LOCK] = s->lock_fd;
	h->fd[FD_SOCKET] = s->socket_fd;
	h->fd[HANDOVER_FDS - 1] = -1;
	for (size_t i = 0; i < s->count; i++)
		handover_add(h, s->task[i].child.pid, s->task[i].role->name, s->task[i].id);
	handover_exec(h, s->self, "supervise", s->on_demand ? "--idle" : NULL, &f);
	log_error("not_renewed", LOG_STR("why", f.text));
	free(h);
}

/* A role that this image no longer has ends; one that is always there starts again as what it is
 * now. Channels and resolvers go on as they are. */
static void adopt(struct supervisor *s, const struct handover_child *c)
{
	const struct role *role = NULL;
	struct child orphan = {c->pid, -1};
	struct task *t = NULL;

	for (int i = 0; i < role_count; i++) {
		if (strcmp(roles[i].name, c->role) == 0)
			role = &roles[i];
	}
	if (role)
		t = find_task(s, role, c->id);
	if (role && !t)
		t = add_task(s, role, c->id);
	if (!t) {
		child_kill(&orphan, SIGKILL);
		return;
	}
	t->child = (struct child){c->pid, pidfd_open(c->pid, 0)};
	backoff_start(&t->backoff, clock_mono_ms() - BACKOFF_LIVED_MS);
	if (role->again == AGAIN_ALWAYS || role->renews)
		child_kill(&t->child, SIGTERM);
}

static int open_all(struct supervisor *s, const struct handover *given, struct fail *f)
{
	if (given) {
		s->lock_fd = given->fd[FD_LOCK];
		s->socket_fd = given->fd[FD_SOCKET];
		return 0;
	}
	if (s->on_demand && lock_adopt(s->lock_path, SUMMON_LOCK_FD) &&
		fcntl(SUMMON_SOCKET_FD, F_SETFD, FD_CLOEXEC) == 0) {
		s->lock_fd = SUMMON_LOCK_FD;
		s->socket_fd = SUMMON_SOCKET_FD;
		return 0;
	}
	if (lock_take(s->lock_path, &s->lock_fd, f) < 0)
		return -1;
	return sock_datagram(s->socket_path, (gid_t)SOCK_NO_GROUP, &s->socket_fd, f);
}

/* Whether only the janitor has been here for a while. */
static bool is_idle(struct supervisor *s)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < s->count; i++) {
		if (s->task[i].role->again != AGAIN_ALWAYS)
			s->needed_ms = now_ms;
	}
	return now_ms - s->needed_ms >= IDLE_MS;
}

/* Takes the socket away, so that nobody can ask any more, and hears who did until then. True when
 * somebody did; then it is there again. */
static bool was_asked_late(struct supervisor *s)
{
	int64_t needed_ms = s->needed_ms;
	struct fail f = {0};

	unlink(s->socket_path);
	take_messages(s);
	if (s->needed_ms == needed_ms)
		return false;
	close(s->socket_fd);
	if (sock_datagram(s->socket_path, (gid_t)SOCK_NO_GROUP, &s->socket_fd, &f) < 0)
		log_error("not_heard", LOG_STR("why", f.text));
	return true;
}

static void run(struct supervisor *s)
{
	while (!s->stop && !(s->on_demand && is_idle(s) && !was_asked_late(s))) {
		struct pollfd wake[] = {{s->signal_fd, POLLIN, 0}, {s->socket_fd, POLLIN, 0}};

		signals_take(s->signal_fd, &s->stop, &s->renew);
		take_messages(s);
		reap(s);
		if (s->stop)
			break;
		if (s->renew)
			become_new(s);
		look_due(s);
		start_waiting(s);
		poll(wake, 2, LOOK_MS);
	}
}

int supervisor_run(const struct conf *conf, struct board *board, const struct program *self,
	bool on_demand, const struct handover *given, struct fail *f)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int result;

	if (!s)
		return fail_set(f, FAIL_INTERNAL, "There is no memory");
	s->conf = conf;
	s->board = board;
	s->self = self;
	s->lock_fd = s->socket_fd = s->signal_fd = -1;
	s->on_demand = on_demand;
	s->due_looked_ms = s->needed_ms = clock_mono_ms();
	file_path(s->lock_path, sizeof(s->lock_path), "%s/supervisor.lock", conf->run_dir);
	file_path(s->socket_path, sizeof(s->socket_path), "%s/supervisor.sock", conf->run_dir);
	result = signals_open(&s->signal_fd, f) < 0 ? -1 : open_all(s, given, f);
	if (result == 0) {
		for (int i = 0; i < role_count; i++) {
			if (roles[i].again == AGAIN_ALWAYS && (!roles[i].due || roles[i].due(conf)))
				add_task(s, &roles[i], "");
		}
		for (size_t i = 0; given && i < given->count; i++)
			adopt(s, &given->child[i]);
		board_ready(board);
		summon_note_upkeep(conf);
		run(s);
		if (!s->stop)
			log_info("stopped", LOG_STR("why", "nobody asks for anything"));
		unlink(s->socket_path);
		end_all(s);
		summon_note_upkeep(conf);
		lock_drop(s->lock_path, &s->lock_fd);
	}
	close_fd(s->lock_fd);
	close_fd(s->socket_fd);
	close_fd(s->signal_fd);
	free(s);
	return result;
}
