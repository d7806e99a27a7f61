/* fcgi-app/processes/jobs/jobs.c - does what is asked for in the background.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/jobs/jobs.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/jobs/job.h"
#include "fcgi-app/processes/signals.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/span.h"
#include "lib/io/board.h"
#include "lib/io/child.h"
#include "lib/io/conf.h"
#include "lib/io/sock.h"
#include "lib/svc/jobs.h"

enum {
	RUNNING_MAX = 64,
	IDLE_MS = 60000,
	LOOK_MS = 200,
	HEAR_MS = 50, /* a client on this host that says nothing for so long is not heard */
	OVERTIME_MS = 10000,
	END_MS = 2000
};

struct task {
	char line[JOBS_LINE_MAX];
	uint64_t client; /* whose wish it is; 0: nobody's in particular */
	const struct job *job;
	struct child child; /* pid 0: waits for its turn */
	int64_t begun_ms;   /* monotonic */
};

struct jobs {
	const struct conf *conf;
	struct board *board;
	int listen_fd, signal_fd;
	struct task task[JOBS_QUEUE_MAX];
	size_t count;
	int64_t needed_ms;
	bool stop, renew, door_rests;
};

/* --- tasks ------------------------------------------------------------------------------------ */

static size_t count_tasks(const struct jobs *j, const struct job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < j->count; i++)
		n += j->task[i].job == job;
	return n;
}

static size_t count_of_client(const struct jobs *j, const struct job *job, uint64_t client)
{
	size_t n = 0;

	for (size_t i = 0; i < j->count; i++)
		n += j->task[i].job == job && j->task[i].client == client;
	return n;
}

/* Those of its kind and its client that run. */
static int64_t count_beside(const struct jobs *j, const struct task *t)
{
	int64_t n = 0;

	for (size_t i = 0; i < j->count; i++)
		n += j->task[i].child.pid != 0 && j->task[i].job == t->job &&
		     j->task[i].client == t->client;
	return n;
}

/* Of so many places one client may take three quarters: others find one. */
static int64_t share_of(int64_t places)
{
	return places - places / 4;
}

static size_t count_running(const struct jobs *j, const struct job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < j->count; i++)
		n += j->task[i].child.pid != 0 && (!job || j->task[i].job == job);
	return n;
}

static bool has_task(const struct jobs *j, const char *line)
{
	for (size_t i = 0; i < j->count; i++) {
		if (strcmp(j->task[i].line, line) == 0)
			return true;
	}
	return false;
}

struct start {
	struct jobs *jobs;
	struct task *task;
};

static int child_main(void *ctx)
{
	const struct start *start = ctx;
	struct jobs *j = start->jobs;
	int result;

	close(j->listen_fd);
	close(j->signal_fd);
	for (size_t i = 0; i < j->count; i++) {
		if (j->task[i].child.pidfd >= 0)
			close(j->task[i].child.pidfd);
	}
	board_enter(j->board, start->task->job->name, "");
	board_ready(j->board);
	result = start->task->job->run(j->conf, j->board, start->task->client, start->task->line);
	board_leave(j->board);
	return result != 0;
}

static bool start_task(struct jobs *j, struct task *t)
{
	struct start start = {j, t};
	struct fail f = {0};

	if (child_fork(child_main, &start, t->job->name, &t->child, &f) < 0) {
		log_error("not_started", LOG_STR("job", t->job->name), LOG_STR("why", f.text));
		return false;
	}
	t->begun_ms = clock_mono_ms();
	return true;
}

/* Of those for which there is room the one whose client has the fewest of its kind, the oldest
 * first; NULL: none. */
static struct task *next_task(struct jobs *j)
{
	struct task *next = NULL;
	int64_t fewest = 0;

	for (size_t i = 0; i < j->count; i++) {
		struct task *t = &j->task[i];
		int64_t most = t->job->most(j->conf), beside;

		if (t->child.pid || (int64_t)count_running(j, t->job) >= most)
			continue;
		beside = count_beside(j, t);
		if (beside < share_of(most) && (!next || beside < fewest)) {
			next = t;
			fewest = beside;
		}
	}
	return next;
}

static void start_waiting(struct jobs *j)
{
	struct task *t;

	while (count_running(j, NULL) < RUNNING_MAX && (t = next_task(j))) {
		if (!start_task(j, t))
			return;
	}
}

/* Keeps the order of those that wait. */
static void drop_task(struct jobs *j, size_t i)
{
	memmove(&j->task[i], &j->task[i + 1], (j->count - i - 1) * sizeof(j->task[0]));
	j->count--;
}

static void reap(struct jobs *j)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < j->count;) {
		struct task *t = &j->task[i];
		pid_t pid = t->child.pid;
		int status = 0;

		if (pid && now_ms - t->begun_ms > t->job->bound_ms(j->conf) + OVERTIME_MS)
			child_kill(&t->child, SIGKILL);
		if (!child_reap(&t->child, &status)) {
			i++;
			continue;
		}
		board_forget(j->board, pid);
		if (status)
			log_warn("died", LOG_STR("job", t->job->name), LOG_INT("status", status));
		drop_task(j, i);
	}
}

/* --- what is asked ---------------------------------------------------------------------------- */

static const char *take_line(struct jobs *j, uint64_t client, const char *line)
{
	const struct job *job;
	struct task *t;

	if (has_task(j, line))
		return "taken\n";
	job = job_find(j->conf, line);
	if (!job) {
		log_debug("ignored", LOG_INT("bytes", strlen(line)));
		return "no\n";
	}
	if (j->count == JOBS_QUEUE_MAX || count_tasks(j, job) == JOBS_KIND_MAX ||
		(client && (int64_t)count_of_client(j, job, client) >= share_of(JOBS_KIND_MAX))) {
		log_warn("jobs_full", LOG_STR("job", job->name), LOG_INT("tasks", j->count));
		return "full\n";
	}
	t = &j->task[j->count++];
	*t = (struct task){.job = job, .client = client, .child = {0, -1}};
	span_copy(span_of(line), t->line, sizeof(t->line));
	return "taken\n";
}

static void serve(struct jobs *j, int fd)
{
	struct pollfd said = {fd, POLLIN, 0};
	char text[JOBS_TEXT_MAX];
	struct span line, word;
	const char *answer;
	uint64_t client;
	ssize_t n;

	poll(&said, 1, HEAR_MS);
	n = recv(fd, text, sizeof(text), 0);
	if (n <= 1 || text[n - 1] != '\n' || memchr(text, '\0', (size_t)n))
		return;
	text[n - 1] = '\0';
	line = span_of(text);
	if (!span_next(&line, ' ', &word) || !num_parse_hex(word, UINT64_MAX, &client) ||
		!line.ptr || line.len >= JOBS_LINE_MAX)
		return;
	j->needed_ms = clock_mono_ms();
	answer = take_line(j, client, line.ptr);
	send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT); /* many do not wait for it */
}

static void take_requests(struct jobs *j)
{
	for (int i = 0; i < JOBS_QUEUE_MAX; i++) {
		int fd = sock_accept(j->listen_fd, &j->door_rests);

		if (fd < 0)
			return;
		serve(j, fd);
		close(fd);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static void wait_for_something(struct jobs *j)
{
	struct pollfd wake[2 + RUNNING_MAX] = {
		{j->signal_fd, POLLIN, 0}, {j->door_rests ? -1 : j->listen_fd, POLLIN, 0}};
	nfds_t count = 2;

	for (size_t i = 0; i < j->count && count < 2 + RUNNING_MAX; i++) {
		if (j->task[i].child.pid)
			wake[count++] = (struct pollfd){j->task[i].child.pidfd, POLLIN, 0};
	}
	poll(wake, count, LOOK_MS);
}

static bool is_idle(struct jobs *j)
{
	if (j->count)
		j->needed_ms = clock_mono_ms();
	return clock_mono_ms() - j->needed_ms >= IDLE_MS;
}

static void end_all(struct jobs *j)
{
	for (size_t i = 0; i < j->count; i++)
		child_kill(&j->task[i].child, SIGKILL);
	for (size_t i = 0; i < j->count; i++) {
		pid_t pid = j->task[i].child.pid;

		if (pid && child_wait(&j->task[i].child, END_MS, NULL))
			board_forget(j->board, pid);
	}
}

int jobs_run(const struct conf *conf, struct board *board)
{
	struct jobs *j = calloc(1, sizeof(*j));
	char path[PATH_MAX];
	struct fail f = {0};
	int result = 1;

	if (!j)
		return 1;
	j->conf = conf;
	j->board = board;
	j->listen_fd = j->signal_fd = -1;
	j->needed_ms = clock_mono_ms();
	if (jobs_socket(conf, path, sizeof(path)) && signals_open(&j->signal_fd, &f) == 0 &&
		sock_listen(path, (gid_t)SOCK_NO_GROUP, &j->listen_fd, &f) == 0) {
		fcntl(j->listen_fd, F_SETFL, O_NONBLOCK);
		while (!j->stop && !is_idle(j)) {
			signals_take(j->signal_fd, &j->stop, &j->renew);
			take_requests(j);
			reap(j);
			start_waiting(j);
			wait_for_something(j);
		}
		unlink(path);
		end_all(j);
		result = 0;
	} else {
		log_error("jobs_failed", LOG_STR("why", f.text));
	}
	if (j->listen_fd >= 0)
		close(j->listen_fd);
	if (j->signal_fd >= 0)
		close(j->signal_fd);
	free(j);
	return result;
}
