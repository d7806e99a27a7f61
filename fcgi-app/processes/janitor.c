/* fcgi-app/processes/janitor.c - ends lives, keeps quota and free space, clears what the dead left.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/janitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"

enum {
	TICK_MS = 250,
	SWEEP_MS = 5000, /* how often leftovers are looked for */
	MINUTES_MAX = 100000,
	LIST_MAX = 64 * 1024 * 1024,
	KEEP_PERCENT = 95,   /* of the quota, after an eviction */
	LEFTOVER_MS = 60000, /* a channel's directory without a process is kept so long */
};

struct janitor {
	const struct conf *conf;
	struct board *board;
	struct publisher *publisher;
	char lives[4096], made[4096];
	int64_t last_minute, last_sweep_ms;
	bool full;
};

/* --- minutes ------------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The minutes that have a file in `dir`, oldest first. The caller frees *out. */
static size_t list_minutes(const char *dir, int64_t **out)
{
	int64_t *minutes = NULL, minute;
	size_t count = 0, room = 0;
	DIR *d = opendir(dir);
	struct dirent *e;

	*out = NULL;
	while (d && count < MINUTES_MAX && (e = readdir(d))) {
		if (!num_parse(span_of(e->d_name), 0, INT64_MAX / 60, &minute))
			continue;
		if (count == room) {
			int64_t *more =
				reallocarray(minutes, room ? room * 2 : 64, sizeof(*minutes));
			if (!more)
				break;
			minutes = more;
			room = room ? room * 2 : 64;
		}
		minutes[count++] = minute;
	}
	if (d)
		closedir(d);
	if (count)
		qsort(minutes, count, sizeof(*minutes), by_value);
	*out = minutes;
	return count;
}

typedef bool line_fn(struct janitor *j, enum publish_store store, const char *name, int64_t due_s);

/* Calls `each` for every whole line of a minute's list until it says false. Lines that publish()
 * did not write are passed over: a name is checked again before anything is touched. */
static bool each_line(struct janitor *j, const char *path, int64_t due_s, line_fn *each)
{
	struct span rest, line, store_word;
	enum publish_store store;
	bool go_on = true;
	struct buf text;
	char name[600];

	buf_init(&text, LIST_MAX);
	file_read(path, &text, NULL);
	rest = buf_span(&text);
	while (go_on && span_next(&rest, '\n', &line)) {
		span_next(&line, '\t', &store_word);
		if (publish_store_parse(store_word, &store) && publish_name_ok(line) &&
			span_copy(line, name, sizeof(name)))
			go_on = each(j, store, name, due_s);
	}
	buf_release(&text);
	return go_on;
}

static bool end_life(struct janitor *j, enum publish_store store, const char *name, int64_t due_s)
{
	publish_remove(j->publisher, store, name, due_s);
	return true;
}

/* What was to die in minutes that have passed. A file whose life was renewed says so itself. */
static void end_lives(struct janitor *j, int64_t now_s)
{
	int64_t *minutes;
	size_t count = list_minutes(j->lives, &minutes);
	char path[4200];

	for (size_t i = 0; i < count && minutes[i] < now_s / 60; i++) {
		file_path(path, sizeof(path), "%s/%lld", j->lives, (long long)minutes[i]);
		each_line(j, path, now_s, end_life);
		unlink(path);
	}
	free(minutes);
}

/* --- room ---------------------------------------------------------------------------------------
 */

static bool evict(struct janitor *j, enum publish_store store, const char *name, int64_t due_s)
{
	int64_t before = board_get(j->board, BOARD_PUBLISHED_BYTES);
	int64_t wanted = j->conf->bytes_quota / 100 * (100 - KEEP_PERCENT);

	(void)due_s;
	/* The player's own parts are what everything else is watched with. */
	if (store != PUBLISH_WWW || span_starts(span_of(name), "web/"))
		return true;
	publish_remove(j->publisher, store, name, 0);
	board_add(
		j->board, BOARD_EVICTED_BYTES, before - board_get(j->board, BOARD_PUBLISHED_BYTES));
	return publish_room(j->conf, j->board) < wanted;
}

/* Removes what was made first until there is room. The minute being written stays. */
static void make_room(struct janitor *j, int64_t now_s)
{
	bool full = publish_room(j->conf, j->board) < 0;
	int64_t *minutes;
	size_t count;
	char path[4200];

	if (full != j->full)
		log_warn(full ? "store_full" : "store_has_room",
			LOG_INT("published_bytes", board_get(j->board, BOARD_PUBLISHED_BYTES)));
	j->full = full;
	if (!full)
		return;
	count = list_minutes(j->made, &minutes);
	for (size_t i = 0; i < count && minutes[i] < now_s / 60; i++) {
		file_path(path, sizeof(path), "%s/%lld", j->made, (long long)minutes[i]);
		if (!each_line(j, path, 0, evict))
			break;
		unlink(path);
	}
	free(minutes);
}

/* After a crash of the machine the last files may be empty: nothing was synced but their names. */
static void forget_unsynced(struct janitor *j)
{
	char path[4200], last[4200];
	struct buf boot, known;
	int64_t *minutes;
	size_t count;

	buf_init(&boot, 128);
	buf_init(&known, 128);
	file_path(path, sizeof(path), "%s/boot", j->conf->state_dir);
	file_read("/proc/sys/kernel/random/boot_id", &boot, NULL);
	file_read(path, &known, NULL);
	if (known.len && !span_eq(buf_span(&boot), buf_span(&known))) {
		count = list_minutes(j->made, &minutes);
		for (size_t i = count > 2 ? count - 2 : 0; i < count; i++) {
			file_path(last, sizeof(last), "%s/%lld", j->made, (long long)minutes[i]);
			each_line(j, last, 0, end_life);
		}
		free(minutes);
	}
	file_replace(path, buf_span(&boot), 0640, NULL);
	buf_release(&boot);
	buf_release(&known);
}

static void sync_made(const struct janitor *j, int64_t now_s)
{
	char path[4200];
	int fd;

	file_path(path, sizeof(path), "%s/%lld", j->made, (long long)(now_s / 60));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	fdatasync(fd);
	close(fd);
}

/* --- what the dead left
 * --------------------------------------------------------------------------- */

/* Removes all below an open directory, following no link. */
static void remove_below(int dir, int depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dir, e->d_name, 0) == 0 || depth == 0)
			continue;
		sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			remove_below(sub, depth - 1);
		unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
	else
		close(dir);
}

/* When a viewer last asked, or an entry of the directory was last made or renamed. */
static int64_t last_use_ms(const struct janitor *j, int dir, const char *id)
{
	char asked[4200];
	int64_t asked_ms, made_ms = 0;
	struct stat s;

	file_path(asked, sizeof(asked), "%s/work/%s/asked", j->conf->live_dir, id);
	asked_ms = file_mtime_ms(asked);
	if (fstat(dir, &s) == 0)
		made_ms = s.st_mtim.tv_sec * 1000 + s.st_mtim.tv_nsec / 1000000;
	return asked_ms > made_ms ? asked_ms : made_ms;
}

/* Whether a process holds this lock. If none does, *fd is ours, or -1 when there is no such file.
 */
static bool is_held(int dir, const char *name, int *fd)
{
	*fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return *fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) < 0;
}

/* A channel's directory goes when no process holds its locks and nobody has used it for a while. */
static void sweep_channel(const struct janitor *j, int work, const char *id)
{
	int64_t idle_ms = j->conf->live_idle_s * 1000 + LEFTOVER_MS;
	int dir = openat(work, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int live = -1, token = -1;

	if (dir < 0)
		return;
	if (last_use_ms(j, dir, id) > clock_real_ms() - idle_ms || is_held(dir, "lock", &live) ||
		is_held(dir, "token.lock", &token)) {
		close(dir);
	} else {
		remove_below(dir, 3); /* closes it */
		unlinkat(work, id, AT_REMOVEDIR);
	}
	if (live >= 0)
		close(live);
	if (token >= 0)
		close(token);
}

static void sweep(const struct janitor *j)
{
	char path[4200];
	struct dirent *e;
	DIR *d;

	file_path(path, sizeof(path), "%s/work", j->conf->live_dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			sweep_channel(j, dirfd(d), e->d_name);
	}
	if (d)
		closedir(d);
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static void tick(struct janitor *j)
{
	int64_t now_ms = clock_real_ms(), now_s = now_ms / 1000;

	if (now_s / 60 != j->last_minute)
		end_lives(j, now_s);
	j->last_minute = now_s / 60;
	/* The clock may have gone back, too. */
	if (llabs(now_ms - j->last_sweep_ms) < SWEEP_MS)
		return;
	j->last_sweep_ms = now_ms;
	make_room(j, now_s);
	sync_made(j, now_s);
	sweep(j);
}

int janitor_run(const struct conf *conf, struct board *board)
{
	struct janitor j = {.conf = conf, .board = board};
	struct timespec wait = {0, TICK_MS * 1000000L};
	struct fail f = {0};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (!file_path(j.lives, sizeof(j.lives), "%s/lives", conf->state_dir) ||
		!file_path(j.made, sizeof(j.made), "%s/made", conf->state_dir) ||
		publish_open(&j.publisher, conf, board, &f) < 0) {
		log_error("janitor_failed", LOG_STR("why", f.text));
		return 1;
	}
	forget_unsynced(&j);
	do {
		tick(&j);
	} while (sigtimedwait(&stop, NULL, &wait) < 0);
	publish_close(&j.publisher);
	return 0;
}
