/* fcgi-app/processes/leftovers.c - what the dead left, and what a crash of the machine spoilt.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/lives.h"
#include "lib/svc/store.h"
#include "lib/svc/temporary.h"

enum {
	PATH_BYTES = 4200,
	LEFTOVER_S = 60, /* beyond live_idle */
	WORK_DEPTH = 3,	 /* directories below live/work/{id} */
	UNSYNCED_S = 120
};

/* --- after a crash ---------------------------------------------------------------------------- */

/* When a list was last written to; 0 when it is gone. */
static int64_t list_mtime_s(int dir, int64_t minute)
{
	char file[32];
	struct stat st;

	file_path(file, sizeof(file), "%lld", (long long)minute);
	return fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mtim.tv_sec : 0;
}

static size_t drop_list(struct publisher *p, int64_t minute)
{
	char text[PUBLISH_NAME_BYTES];
	enum publish_store store;
	struct span word, name;
	struct lives_reader r;
	size_t dropped = 0;

	if (lives_open(&r, publish_made(p), minute) != LIVES_OPEN)
		return 0;
	while (lives_next(&r, &word, &name)) {
		if (publish_line(word, name, &store, text))
			dropped += publish_drop(p, store, text, 0) > 0;
	}
	lives_close(&r, false);
	return dropped;
}

/* By when the lists were written, since their minutes are by a clock that may have been wrong. */
static void drop_last_made(struct publisher *p)
{
	size_t count, dropped = 0;
	int64_t *minutes, last_s = 0;

	count = lives_list(publish_made(p), &minutes);
	for (size_t i = 0; i < count; i++) {
		int64_t mtime_s = list_mtime_s(publish_made(p), minutes[i]);
		last_s = mtime_s > last_s ? mtime_s : last_s;
	}
	for (size_t i = 0; i < count; i++) {
		if (list_mtime_s(publish_made(p), minutes[i]) >= last_s - UNSYNCED_S)
			dropped += drop_list(p, minutes[i]);
	}
	free(minutes);
	log_info("unsynced_dropped", LOG_INT("files", dropped));
}

/* Live segments are of no use after the machine went down, and were not synced either. */
static void drop_old_live(struct publisher *p)
{
	struct timespec now, up;
	struct store_walk w;
	enum store_step step;
	struct stat st;
	int64_t booted_s;

	/* Change times are the kernel's, so its clock it is. */
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	booted_s = now.tv_sec - up.tv_sec;
	if (!store_walk_open(&w, publish_root(p, PUBLISH_LIVE), ""))
		return;
	while ((step = store_walk_next(&w, &st)) != STORE_END) {
		if (step == STORE_FILE && st.st_ctim.tv_sec < booted_s)
			publish_drop(p, PUBLISH_LIVE, w.name, 0);
	}
	store_walk_close(&w);
}

void leftovers_unsynced(const struct conf *conf, struct publisher *p)
{
	struct buf boot, known;
	char path[PATH_BYTES];
	struct fail f = {0};

	buf_init(&boot, 128);
	buf_init(&known, 128);
	file_path(path, sizeof(path), "%s/boot", conf->state_dir);
	file_read("/proc/sys/kernel/random/boot_id", &boot, NULL);
	file_read(path, &known, NULL);
	if (boot.len && !span_eq(buf_span(&boot), buf_span(&known))) {
		if (known.len) {
			drop_last_made(p);
			drop_old_live(p);
		}
		if (file_replace(path, buf_span(&boot), 0640, &f) < 0)
			log_warn("boot_not_noted", LOG_STR("why", f.text));
	}
	buf_release(&boot);
	buf_release(&known);
}

/* --- temporaries ------------------------------------------------------------------------------ */

/* A new open file: a copy would share its position in the directory with others. */
static DIR *list_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

void leftovers_temporaries(const struct conf *conf, struct publisher *p)
{
	int64_t now_s = clock_real_ms() / 1000;
	struct dirent *e;
	struct stat st;

	for (int i = 0; i < PUBLISH_STORES; i++) {
		DIR *d = list_dir(publish_root(p, (enum publish_store)i), ".");
		while (d && (e = readdir(d))) {
			if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISREG(st.st_mode) &&
				temporary_is_orphan(
					e->d_name, conf->host_name, now_s - st.st_mtim.tv_sec))
				unlinkat(dirfd(d), e->d_name, 0);
		}
		if (d)
			closedir(d);
	}
}

/* --- channels --------------------------------------------------------------------------------- */

enum { LOCKS = 2 };
static const char *const locks[LOCKS] = {"lock", "token.lock"}; /* a live process, a resolver */

static bool is_lock(const char *name)
{
	return strcmp(name, locks[0]) == 0 || strcmp(name, locks[1]) == 0;
}

/* Removes all in the directory `name` but locks, following no link. */
static void empty_dir(int parent, const char *name, int depth)
{
	DIR *d = list_dir(parent, name);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			is_lock(e->d_name))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || depth == 0)
			continue;
		empty_dir(dirfd(d), e->d_name, depth - 1);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

/* Whether a viewer asked, or an entry of the directory was made or renamed, not long ago. */
static bool is_in_use(const struct conf *conf, int dir)
{
	int64_t idle_s = conf->live_idle_s + LEFTOVER_S, now_s = clock_real_ms() / 1000;
	struct stat st;

	if (fstat(dir, &st) < 0 || st.st_mtim.tv_sec > now_s - idle_s)
		return true;
	return fstatat(dir, "asked", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtim.tv_sec > now_s - idle_s;
}

/* False when a process holds this lock; *fd is ours otherwise, or -1 when there is no such file. */
static bool take_lock(int dir, const char *name, int *fd)
{
	*fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0;
}

/* The locks are held meanwhile and go last: who opened one before sees that it has no name. */
static void sweep_channel(const struct conf *conf, int work, const char *id)
{
	int dir = openat(work, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int live = -1, token = -1;

	if (dir < 0)
		return;
	if (!is_in_use(conf, dir) && take_lock(dir, locks[0], &live) &&
		take_lock(dir, locks[1], &token) && !is_in_use(conf, dir)) {
		empty_dir(work, id, WORK_DEPTH);
		for (int i = 0; i < LOCKS; i++)
			unlinkat(dir, locks[i], 0);
		unlinkat(work, id, AT_REMOVEDIR);
		log_info("channel_swept", LOG_STR("channel", id));
	}
	if (live >= 0)
		close(live);
	if (token >= 0)
		close(token);
	close(dir);
}

void leftovers_channels(const struct conf *conf)
{
	char path[PATH_BYTES];
	struct dirent *e;
	DIR *d;

	if (!file_path(path, sizeof(path), "%s/work", conf->live_dir))
		return;
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			sweep_channel(conf, dirfd(d), e->d_name);
	}
	if (d)
		closedir(d);
}
