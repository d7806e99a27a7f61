/* fcgi-app/processes/master.c - `sluice serve`: keeps the workers and the supervisor running.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-app/processes/crew.h"
#include "fcgi-app/processes/places.h"
#include "fcgi-app/processes/signals.h"
#include "fcgi-app/processes/standin.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/sock.h"

enum {
	LOOK_MS = 200,	     /* how often the clock is looked at when nothing happens */
	READY_LOOK_MS = 10,  /* the same while workers start */
	CHECK_MS = 20000,    /* for `sluice check` before a reload */
	BACKLOG_MS = 2000,   /* for those who connected before a stop to be accepted */
	DRAIN_MS = 13000,    /* for workers to finish what they accepted: their own 10 s and some */
	SUPERVISOR_MS = 8000 /* for it to end its children */
};

enum { FD_LOCK, FD_API, FD_RELAY }; /* what we hand over */

struct master {
	struct conf *conf;
	const struct program *self;
	const struct master_waiter *waiter; /* until told, then NULL */
	struct board *board;
	struct crew crew;
	int lock_fd, signal_fd;
	char lock_path[PATH_MAX];
	struct child checker; /* of the next configuration */
	int checker_out;
	int64_t checker_ends_ms;
	bool stop, reload;
	bool replaces; /* old workers are to leave when the new ones are ready */
};

static void tell(struct master *m, const struct fail *why)
{
	if (m->waiter)
		m->waiter->tell(m->waiter->ctx, why);
	m->waiter = NULL;
}

/* --- start ------------------------------------------------------------------------------------ */

static void socket_path(const struct master *m, const char *pool, char to[PATH_MAX])
{
	file_path(to, PATH_MAX, "%s/%s.sock", m->conf->run_dir, pool);
}

static int open_socket(struct master *m, const char *pool, const struct places_owner *owner,
	int *fd, struct fail *f)
{
	char path[PATH_MAX];

	socket_path(m, pool, path);
	return sock_listen(path, owner->group, fd, f);
}

/* What was opened as root and is opened again at a reload, as the user. */
static int give(const char *path, const struct places_owner *owner, struct fail *f)
{
	if (owner->user != (uid_t)-1 && lchown(path, owner->user, owner->group) < 0)
		return fail_errno(
			f, FAIL_INTERNAL, errno, "%s cannot be given to the service's user", path);
	return 0;
}

/* Everything that only the first image of a master does. What a killed one left is replaced: the
 * lock says that nobody uses it. */
static int start_anew(struct master *m, struct fail *f)
{
	struct places_owner owner;

	if (places_owner(m->conf, &owner, f) < 0 || places_make(m->conf, &owner, f) < 0 ||
		lock_take(m->lock_path, &m->lock_fd, f) < 0 || standin_dismiss(m->conf, f) < 0)
		return -1;
	if (give(m->lock_path, &owner, f) < 0 ||
		(*m->conf->log_file && give(m->conf->log_file, &owner, f) < 0))
		return -1;
	if (open_socket(m, "api", &owner, &m->crew.listen_fd[CREW_API], f) < 0 ||
		open_socket(m, "relay", &owner, &m->crew.listen_fd[CREW_RELAY], f) < 0)
		return -1;
	return places_become(m->conf, &owner, f);
}

static void start_from(struct master *m, const struct handover *given)
{
	m->lock_fd = given->fd[FD_LOCK];
	m->crew.listen_fd[CREW_API] = given->fd[FD_API];
	m->crew.listen_fd[CREW_RELAY] = given->fd[FD_RELAY];
	for (size_t i = 0; i < given->count; i++)
		crew_adopt(&m->crew, given->child[i].role, given->child[i].pid);
	m->replaces = true;
}

static int open_board(struct master *m, bool anew, struct fail *f)
{
	char path[PATH_MAX];

	file_path(path, sizeof(path), "%s/board", m->conf->run_dir);
	if (board_open(&m->board, path, f) < 0)
		return -1;
	if (anew)
		board_forget(m->board, 0);
	board_enter(m->board, "master", NULL);
	return 0;
}

static int start(struct master *m, const struct handover *given, struct fail *f)
{
	umask(PLACES_UMASK);
	if (signals_open(&m->signal_fd, f) < 0)
		return -1;
	if (given)
		start_from(m, given);
	else if (start_anew(m, f) < 0)
		return -1;
	if (open_board(m, !given, f) < 0)
		return -1;
	m->crew.conf = m->conf;
	m->crew.board = m->board;
	m->crew.self = m->self;
	m->crew.ours[0] = m->lock_fd;
	m->crew.ours[1] = m->signal_fd;
	if (crew_fill(&m->crew, f) < 0 && !given)
		return -1;
	return 0;
}

/* --- reload ----------------------------------------------------------------------------------- */

static void refuse_reload(struct master *m, const char *why)
{
	log_error("reload_refused", LOG_STR("why", why));
	board_add(m->board, BOARD_RELOADS_REFUSED, 1);
}

/* The program that will run checks the file that it will read: a broken one of either is no
 * reload. */
static void begin_check(struct master *m)
{
	const char *const argv[] = {m->self->path, "-c", m->self->conf_path, "check", "--quiet",
		"--running", m->conf->run_dir, NULL};
	struct child_spec spec = {.argv = argv, .env = (const char *const *)environ};
	int out[2];
	struct fail f = {0};

	m->reload = false;
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0) {
		refuse_reload(m, "there is no descriptor for the check");
		return;
	}
	spec.stdin_fd = spec.stdout_fd = -1;
	spec.stderr_fd = out[1];
	if (child_start(&spec, &m->checker, &f) < 0) {
		refuse_reload(m, f.text);
		close(out[0]);
	} else {
		m->checker_out = out[0];
		m->checker_ends_ms = clock_mono_ms() + CHECK_MS;
	}
	close(out[1]);
}

/* What the checker said, in its first line. */
static void refuse_as_checked(struct master *m)
{
	char text[1000];
	ssize_t n = read(m->checker_out, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	refuse_reload(m, *text ? text : "the check did not end well");
}

/* Becomes the new image; comes back only when that fails, and then all goes on as it was. */
static void become_new(struct master *m)
{
	struct handover *h = calloc(1, sizeof(*h));
	struct fail f = {0};

	if (!h) {
		refuse_reload(m, "there is no memory");
		return;
	}
	h->fd[FD_LOCK] = m->lock_fd;
	h->fd[FD_API] = m->crew.listen_fd[CREW_API];
	h->fd[FD_RELAY] = m->crew.listen_fd[CREW_RELAY];
	crew_list(&m->crew, h);
	log_info("reloading", LOG_STR("program", m->self->path));
	handover_exec(h, m->self, "serve", NULL, &f);
	refuse_reload(m, f.text);
	free(h);
}

static void go_on_checking(struct master *m)
{
	int status = 0;

	if (!child_reap(&m->checker, &status)) {
		if (clock_mono_ms() > m->checker_ends_ms)
			child_kill(&m->checker, SIGKILL);
		return;
	}
	if (status == 0)
		become_new(m);
	else
		refuse_as_checked(m);
	close(m->checker_out);
	m->checker_out = -1;
}

/* --- running ---------------------------------------------------------------------------------- */

/* Once, when all that belongs to this image takes requests. */
static void note_ready(struct master *m)
{
	board_ready(m->board);
	log_info("ready", LOG_STR("run_dir", m->conf->run_dir),
		LOG_INT("api", m->conf->api_processes), LOG_INT("relay", m->conf->relay_processes));
	if (m->replaces) {
		crew_dismiss_old(&m->crew);
		board_add(m->board, BOARD_RELOADS, 1);
	}
	m->replaces = false;
	tell(m, NULL);
}

/* -1 when the service cannot come up at all. Later it keeps trying, for there are those it
 * serves. */
static int tend_crew(struct master *m, bool was_ready, struct fail *f)
{
	struct fail why = {0};
	int died = crew_reap(&m->crew, &why);

	if (died && !was_ready && !m->replaces && !m->stop) {
		*f = why;
		return -1;
	}
	if (crew_fill(&m->crew, &why) < 0)
		log_error("not_started", LOG_STR("why", why.text));
	return 0;
}

static int run(struct master *m, struct fail *f)
{
	bool ready = false;

	while (!m->stop) {
		struct pollfd wake = {m->signal_fd, POLLIN, 0};

		poll(&wake, 1, ready ? crew_wait_ms(&m->crew, LOOK_MS) : READY_LOOK_MS);
		signals_take(m->signal_fd, &m->stop, &m->reload);
		if (tend_crew(m, ready, f) < 0)
			return -1;
		if (!ready && crew_is_ready(&m->crew)) {
			ready = true;
			note_ready(m);
		}
		if (m->checker.pid)
			go_on_checking(m);
		else if (m->reload && !m->stop)
			begin_check(m);
	}
	return 0;
}

/* --- stop ------------------------------------------------------------------------------------- */

/* New clients find no socket; those who came before are still accepted. */
static void close_doors(struct master *m)
{
	static const char *const pools[] = {"api", "relay"};
	char path[PATH_MAX];

	for (int i = 0; i < 2; i++) {
		if (m->crew.listen_fd[i] < 0)
			continue;
		socket_path(m, pools[i], path);
		unlink(path);
		for (int waited = 0;
			waited < BACKLOG_MS && crew_has_pool(&m->crew, (enum crew_role)i) &&
			sock_is_awaited(m->crew.listen_fd[i]);
			waited += READY_LOOK_MS)
			poll(NULL, 0, READY_LOOK_MS);
	}
}

static void stop_all(struct master *m)
{
	if (m->lock_fd < 0)
		return; /* nothing of this is ours */
	close_doors(m);
	crew_end(&m->crew, false, DRAIN_MS);
	crew_end(&m->crew, true, SUPERVISOR_MS);
	if (m->checker.pid) {
		child_kill(&m->checker, SIGKILL);
		child_wait(&m->checker, DRAIN_MS, NULL);
	}
	if (m->board)
		board_leave(m->board);
	log_info("stopped", LOG_STR("run_dir", m->conf->run_dir));
	lock_drop(m->lock_path, &m->lock_fd);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int master_run(struct conf *conf, const struct program *self, const struct handover *given,
	const struct master_waiter *waiter, struct fail *f)
{
	struct master *m = calloc(1, sizeof(*m));
	int result;

	if (!m)
		return fail_set(f, FAIL_INTERNAL, "There is no memory");
	m->conf = conf;
	m->self = self;
	m->waiter = waiter;
	m->lock_fd = m->signal_fd = m->checker_out = -1;
	crew_init(&m->crew);
	file_path(m->lock_path, sizeof(m->lock_path), "%s/sluice.pid", conf->run_dir);
	result = start(m, given, f);
	if (result == 0)
		result = run(m, f);
	stop_all(m);
	if (result < 0)
		tell(m, f);
	close_fd(m->signal_fd);
	close_fd(m->checker_out);
	close_fd(m->crew.listen_fd[CREW_API]);
	close_fd(m->crew.listen_fd[CREW_RELAY]);
	board_close(&m->board);
	conf_close(&m->conf);
	free(m);
	return result;
}
