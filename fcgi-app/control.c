/* fcgi-app/control.c - `sluice stop`, `reload`, `status`, `memstat`: a service, from outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "fcgi-app/processes/standin.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/mc.h"
#include "lib/io/proc.h"
#include "lib/svc/memstat.h"

enum {
	PATIENCE_MS = 40000,
	LOOK_MS = 20,
	SUCCESSOR_MS = 2000, /* one that is started on demand only may not come */
	RECENT_MIN = 5,
	TEXT_MAX = 1024 * 1024
};

/* The pid of the process that has this lock, or 0. */
static pid_t find(const struct conf *conf, const char *lock)
{
	char path[PATH_MAX];

	file_path(path, sizeof(path), "%s/%s", conf->run_dir, lock);
	return lock_holder(path);
}

/* Whether there is such a lock, or may be, that we cannot read. */
static bool is_hidden(const struct conf *conf, const char *lock)
{
	char path[PATH_MAX];

	return file_path(path, sizeof(path), "%s/%s", conf->run_dir, lock) &&
	       access(path, R_OK) < 0 && errno == EACCES;
}

/* *pid is 0 when there is none. Fails: FAIL_FORBIDDEN when we are not told. */
static int find_master(const struct conf *conf, pid_t *pid, struct fail *f)
{
	*pid = find(conf, "sluice.pid");
	if (*pid == 0 && (is_hidden(conf, "sluice.pid") || is_hidden(conf, "supervisor.lock")))
		return fail_set(f, FAIL_FORBIDDEN,
			"What runs in %s is another user's business: be that user, or root",
			conf->run_dir);
	return 0;
}

static int nothing_runs(const struct conf *conf, struct fail *f)
{
	return fail_set(f, FAIL_MISSING, "Nothing runs in %s", conf->run_dir);
}

/* Those that a front server started and keeps running. */
static bool is_worker(const struct board_slot *s)
{
	return strcmp(s->role, "api") == 0 || strcmp(s->role, "relay") == 0 ||
	       strcmp(s->role, "all") == 0;
}

/* Without those that are dead and still wait for their parent to see it. */
static size_t count_slots(const struct board *b, bool workers)
{
	const struct board_slot *s;
	size_t at = 0, count = 0;

	while ((s = board_each(b, &at))) {
		struct proc_memory memory;

		proc_memory(atomic_load(&s->pid), false, &memory);
		count += memory.resident > 0 && (!workers || is_worker(s));
	}
	return count;
}

/* Where there is none and no master, nothing has run yet; none is made for that. */
static int open_board(const struct conf *conf, struct board **out, struct fail *f)
{
	char path[PATH_MAX];

	file_path(path, sizeof(path), "%s/board", conf->run_dir);
	if (access(path, F_OK) < 0 && errno == ENOENT && find(conf, "sluice.pid") == 0)
		return nothing_runs(conf, f);
	return board_open(out, path, f);
}

static int tell_reload(pid_t pid, struct fail *f)
{
	if (kill(pid, SIGHUP) == 0)
		return 0;
	if (errno == ESRCH)
		return fail_set(f, FAIL_MISSING, "Process %d has just ended", (int)pid);
	return fail_set(f, FAIL_FORBIDDEN, "Process %d cannot be told: it belongs to another user",
		(int)pid);
}

/* Without a master: what nobody else would end. */
static int stop_alone(const struct conf *conf, FILE *to, struct fail *f)
{
	struct board *b = NULL;
	size_t workers;
	pid_t pid;

	if (open_board(conf, &b, f) < 0)
		return -1;
	workers = count_slots(b, true);
	board_close(&b);
	pid = standin_end(conf, f);
	if (pid < 0)
		return -1;
	if (pid == 0 && workers == 0)
		return nothing_runs(conf, f);
	if (pid > 0)
		fprintf(to, "Stopped: the supervisor, process %d, and all its children are gone.\n",
			(int)pid);
	if (workers)
		fprintf(to, "%zu workers belong to the front server that started them: stop it.\n",
			workers);
	return 0;
}

int control_stop(const struct conf *conf, FILE *to, struct fail *f)
{
	pid_t pid;

	if (find_master(conf, &pid, f) < 0)
		return -1;
	if (pid == 0)
		return stop_alone(conf, to, f);
	if (proc_end(pid, PATIENCE_MS, f) < 0)
		return -1;
	fprintf(to, "Stopped: process %d and all its children are gone.\n", (int)pid);
	return 0;
}

/* --- reload ----------------------------------------------------------------------------------- */

static int await_reload(struct board *b, int64_t done, int64_t refused, struct fail *f)
{
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_MS) {
		if (board_get(b, BOARD_RELOADS) > done)
			return 0;
		if (board_get(b, BOARD_RELOADS_REFUSED) > refused)
			return fail_set(f, FAIL_CONFLICT,
				"The service goes on as it was; its log says why");
		poll(NULL, 0, LOOK_MS);
	}
	return fail_set(f, FAIL_TIMEOUT, "The new workers are not ready after %d s; see the log",
		PATIENCE_MS / 1000);
}

/* Has one worker finish and waits until it is gone, and for a while until the front server has
 * started another, so that there is always one to answer. */
static int replace_worker(struct board *b, pid_t pid, struct fail *f)
{
	size_t had = count_slots(b, true);

	if (proc_end(pid, PATIENCE_MS, f) < 0)
		return -1;
	for (int waited_ms = 0; waited_ms < SUCCESSOR_MS; waited_ms += LOOK_MS) {
		if (count_slots(b, true) >= had)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* Without a master: the configuration is good, or this command had not come so far. */
static int reload_alone(const struct conf *conf, FILE *to, struct fail *f)
{
	pid_t supervisor = find(conf, "supervisor.lock"), pids[BOARD_SLOTS];
	const struct board_slot *s;
	struct board *b = NULL;
	size_t at = 0, count = 0;
	int result = 0;

	if (open_board(conf, &b, f) < 0)
		return -1;
	while ((s = board_each(b, &at))) {
		if (is_worker(s))
			pids[count++] = atomic_load(&s->pid);
	}
	if (supervisor)
		result = tell_reload(supervisor, f);
	for (size_t i = 0; i < count && result == 0; i++)
		result = replace_worker(b, pids[i], f);
	board_close(&b);
	if (result == 0 && !supervisor && count == 0)
		return nothing_runs(conf, f);
	if (result == 0)
		fprintf(to,
			"Reloaded: %zu workers have finished, and the front server starts "
			"others.\n",
			count);
	return result;
}

int control_reload(const struct conf *conf, FILE *to, struct fail *f)
{
	struct board *b = NULL;
	int64_t done, refused;
	int result;
	pid_t pid;

	if (find_master(conf, &pid, f) < 0)
		return -1;
	if (pid == 0)
		return reload_alone(conf, to, f);
	if (open_board(conf, &b, f) < 0)
		return -1;
	done = board_get(b, BOARD_RELOADS);
	refused = board_get(b, BOARD_RELOADS_REFUSED);
	result = tell_reload(pid, f) < 0 ? -1 : await_reload(b, done, refused, f);
	board_close(&b);
	if (result == 0)
		fputs("Reloaded: new workers answer, the old ones finish what they began.\n", to);
	return result;
}

/* --- status ----------------------------------------------------------------------------------- */

static void print_age(int64_t ms, char *to, size_t size)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;

	if (s < 60)
		snprintf(to, size, "%d s", (int)s);
	else if (s < 3600)
		snprintf(to, size, "%d min %d s", (int)(s / 60), (int)(s % 60));
	else
		snprintf(to, size, "%lld h %d min", (long long)(s / 3600), (int)(s / 60 % 60));
}

static void print_slot(const struct board_slot *s, FILE *to)
{
	pid_t pid = atomic_load(&s->pid);
	static const char *const states[] = {"starting", "ready", "stopping"};
	int state = atomic_load(&s->state);
	struct proc_memory memory;
	char age[40];

	proc_memory(pid, false, &memory);
	print_age(clock_real_ms() - atomic_load(&s->started_ms), age, sizeof(age));
	fprintf(to, "%-11.15s %7d  %-9s %-12s %9lld %9lld %5d  %.71s\n", s->role, (int)pid,
		state >= 0 && state <= 2 ? states[state] : "?", age,
		(long long)memory.resident / 1024, (long long)atomic_load(&s->requests),
		(int)atomic_load(&s->busy), s->name);
}

static long long total(const struct board *b, enum board_total t)
{
	return (long long)board_get(b, t);
}

/* What the totals below mean, in words, since the board was made. */
static void print_words(const struct board *b, FILE *to)
{
	int64_t recent, recent_errors;

	board_minutes(b, RECENT_MIN, &recent, &recent_errors);
	fprintf(to,
		"Answered %lld requests: %lld failed, %lld were told that the service is busy.\n",
		total(b, BOARD_REQUESTS), total(b, BOARD_ERRORS), total(b, BOARD_BUSY));
	fprintf(to, "In the last %d minutes: %lld requests, of which %lld failed.\n", RECENT_MIN,
		(long long)recent, (long long)recent_errors);
	fprintf(to,
		"Channels: %lld were started, %lld stopped because nobody watched, %lld refused; "
		"%lld of %lld encoders ended early.\n",
		total(b, BOARD_LIVE_STARTED), total(b, BOARD_LIVE_IDLE),
		total(b, BOARD_LIVE_REFUSED), total(b, BOARD_ENCODER_ENDS),
		total(b, BOARD_ENCODER_STARTS));
	fprintf(to,
		"Gateways were asked for %lld tokens; %lld requests waited for them, %lld had one "
		"at "
		"once.\n",
		total(b, BOARD_TOKENS_ASKED), total(b, BOARD_TOKENS_JOINED),
		total(b, BOARD_TOKENS_CACHED));
	fprintf(to,
		"Published %lld files, %lld MB; %lld are kept, %lld MB; %lld found no room%s.\n",
		total(b, BOARD_PUBLISHES), total(b, BOARD_PUBLISHES_BYTES) >> 20,
		total(b, BOARD_PUBLISHED_FILES), total(b, BOARD_PUBLISHED_BYTES) >> 20,
		total(b, BOARD_PUBLISH_REFUSED),
		total(b, BOARD_FULL_SINCE_MS) || total(b, BOARD_LIVE_FULL_SINCE_MS)
			? "; THE DISK IS FULL NOW"
			: "");
}

static void print_head(const struct board *b, pid_t master, FILE *to)
{
	const struct board_slot *s = master ? board_find(b, master) : NULL;
	char age[40] = "?";

	if (s)
		print_age(clock_real_ms() - atomic_load(&s->started_ms), age, sizeof(age));
	if (master)
		fprintf(to, "sluice %s, process %d, up %s\n\n", PACKAGE_VERSION, (int)master, age);
	else
		fprintf(to, "sluice %s, without a master: a front server starts its workers\n\n",
			PACKAGE_VERSION);
}

int control_status(const struct conf *conf, FILE *to, struct fail *f)
{
	const struct board_slot *s;
	struct board *b = NULL;
	size_t at = 0;
	pid_t pid;

	if (find_master(conf, &pid, f) < 0 || open_board(conf, &b, f) < 0)
		return -1;
	if (pid == 0 && count_slots(b, false) == 0) {
		board_close(&b);
		return nothing_runs(conf, f);
	}
	print_head(b, pid, to);
	fprintf(to, "%-11s %7s  %-9s %-12s %9s %9s %5s\n", "role", "pid", "state", "age", "KiB",
		"requests", "busy");
	while ((s = board_each(b, &at)))
		print_slot(s, to);
	putc('\n', to);
	print_words(b, to);
	putc('\n', to);
	for (int t = 0; t < BOARD_TOTALS; t++)
		fprintf(to, "%-18s %lld\n", board_total_info((enum board_total)t)->name,
			(long long)board_get(b, (enum board_total)t));
	board_close(&b);
	return 0;
}

/* --- memstat ---------------------------------------------------------------------------------- */

int control_memstat(const struct conf *conf, bool json, FILE *to, struct fail *f)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct board *b = NULL;
	struct mc *mc = NULL;
	char path[PATH_MAX];
	struct buf text;

	/* What the log says of servers that are away is what is printed. */
	if (log_open(NULL, LOG_ERROR, f) < 0 || mc_open(&mc, &config, f) < 0)
		return -1;
	/* One that is not there is not made: nothing has been counted then. */
	if (file_path(path, sizeof(path), "%s/board", conf->run_dir) &&
		access(path, R_OK | W_OK) == 0)
		board_open(&b, path, NULL);
	if (json) {
		buf_init(&text, TEXT_MAX);
		memstat_json(mc, b, &text);
		fprintf(to, "%s\n", buf_str(&text));
		buf_release(&text);
	} else {
		memstat_print(mc, b, to);
	}
	board_close(&b);
	mc_close(&mc);
	return 0;
}
