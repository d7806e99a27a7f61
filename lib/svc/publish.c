/* lib/svc/publish.c - published files: made whole aside, linked under their name, never changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/lives.h"
#include "lib/svc/publish_inside.h"
#include "lib/svc/store.h"
#include "lib/svc/temporary.h"

enum {
	LINK_TRIES = 1000, /* each lost to a janitor that removed the directory just made */
	FROM_BYTES = 4096,
	PROBE_BYTES = 65536,
	/* The nanoseconds of an access time that is the end of a life: no other file has them. */
	END_MARK = 515151500,
	RENEWED_MARK /* of one that was given later than the file was published */
};

/* What is about to be published. */
struct item {
	enum publish_store store;
	const char *name;
	int64_t bytes, now_s, life_s, mtime_s;
	int fd;
	int from_dir;
	char from[FROM_BYTES];
};

static const char *const store_names[] = {[PUBLISH_WWW] = "www", [PUBLISH_LIVE] = "live"};

bool publish_store_parse(struct span word, enum publish_store *out)
{
	for (int i = 0; i < PUBLISH_STORES; i++) {
		if (span_is(word, store_names[i])) {
			*out = (enum publish_store)i;
			return true;
		}
	}
	return false;
}

bool publish_name_ok(struct span name)
{
	return store_name_ok(name);
}

const char *publish_prefix(enum publish_store store)
{
	return store == PUBLISH_LIVE ? "tv/" : "";
}

bool publish_line(
	struct span word, struct span name, enum publish_store *store, char to[PUBLISH_NAME_BYTES])
{
	_Static_assert((int)PUBLISH_NAME_BYTES > (int)STORE_NAME_MAX, "a name fits");
	return publish_store_parse(word, store) && store_name_ok(name) &&
	       span_copy(name, to, PUBLISH_NAME_BYTES);
}

int64_t publish_end_s(const struct stat *st)
{
	return st->st_atim.tv_nsec == END_MARK || publish_is_renewed(st) ? st->st_atim.tv_sec : 0;
}

bool publish_is_renewed(const struct stat *st)
{
	return st->st_atim.tv_nsec == RENEWED_MARK;
}

int publish_root(const struct publisher *p, enum publish_store store)
{
	return p->root[store];
}

int publish_lives(const struct publisher *p)
{
	return p->lives;
}

int publish_made(const struct publisher *p)
{
	return p->made;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_dir(const char *top, const char *name, mode_t mode, struct fail *f)
{
	char path[4096];
	int fd;

	if (!file_path(path, sizeof(path), "%s/%s", top, name))
		return fail_set(f, FAIL_INTERNAL, "The path %s is too long", top);
	if (file_mkdirs(path, mode, f) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
	return fd;
}

int publish_open(
	struct publisher **out, const struct conf *conf, struct board *board, struct fail *f)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (!p)
		return fail_set(f, FAIL_INTERNAL, "There is no memory to publish");
	p->conf = conf;
	p->board = board;
	p->root[PUBLISH_WWW] = p->root[PUBLISH_LIVE] = p->lives = p->made = -1;
	p->has_proc = access("/proc/self/fd", X_OK) == 0;
	if ((p->root[PUBLISH_WWW] = open_dir(conf->www_dir, "", 0755, f)) >= 0 &&
		(p->root[PUBLISH_LIVE] = open_dir(conf->live_dir, "pub", 0755, f)) >= 0 &&
		(p->lives = open_dir(conf->state_dir, "lives", 0750, f)) >= 0 &&
		(p->made = open_dir(conf->state_dir, "made", 0750, f)) >= 0) {
		*out = p;
		return 0;
	}
	publish_close(&p);
	return -1;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void publish_close(struct publisher **p)
{
	if (!*p)
		return;
	for (int i = 0; i < PUBLISH_STORES; i++)
		close_if_open((*p)->root[i]);
	close_if_open((*p)->lives);
	close_if_open((*p)->made);
	free(*p);
	*p = NULL;
}

/* --- room ------------------------------------------------------------------------------------- */

enum board_total publish_full_total(enum publish_store store)
{
	return store == PUBLISH_LIVE ? BOARD_LIVE_FULL_SINCE_MS : BOARD_FULL_SINCE_MS;
}

static void say_full(struct publisher *p, enum publish_store store)
{
	enum board_total since = publish_full_total(store);

	if (!p->board)
		return;
	board_add(p->board, BOARD_PUBLISH_REFUSED, 1);
	if (board_get(p->board, since) == 0)
		board_set(p->board, since, clock_real_ms());
}

static bool is_full(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EIO || err == EFBIG || err == EROFS;
}

/* What errno says about publishing the item. */
static enum publish_result refuse(
	struct publisher *p, const char *what, const struct item *it, struct fail *f)
{
	int err = errno;

	if (is_full(err))
		say_full(p, it->store);
	fail_errno(f, is_full(err) ? FAIL_BUSY : FAIL_INTERNAL, err, "%s cannot be %s", it->name,
		what);
	return is_full(err) ? PUBLISH_FULL : PUBLISH_FAILED;
}

/* What somebody watches now may use what must stay free otherwise: it is little, its bytes lie
 * there already, and it dies within two minutes. */
static enum publish_result check_room(struct publisher *p, const struct item *it, struct fail *f)
{
	struct publish_room room;

	publish_room(p->conf, p->board, it->store, &room);
	if (room.quota && it->bytes > room.quota / 4) {
		fail_set(f, FAIL_BUSY, "%s is too large to be kept", it->name);
		return PUBLISH_FULL;
	}
	if ((!room.quota || room.used + it->bytes <= room.quota) &&
		(it->store == PUBLISH_LIVE || room.free - it->bytes >= room.floor) &&
		!room.inodes_low)
		return PUBLISH_OK;
	say_full(p, it->store);
	fail_set(f, FAIL_BUSY, "There is no room to keep %s", it->name);
	return PUBLISH_FULL;
}

/* --- one file --------------------------------------------------------------------------------- */

/* Whether it is there already. A life that was given before may become longer, never shorter. */
static bool is_there(struct publisher *p, const struct item *it)
{
	struct timespec times[2] = {
		{it->now_s + it->life_s, RENEWED_MARK}, {.tv_nsec = UTIME_OMIT}};
	const char *last;
	struct stat st;
	int dir, list;
	bool there;

	dir = store_dir(p->root[it->store], it->name, false, &last);
	if (dir < 0)
		return false;
	there = fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	if (there && publish_end_s(&st) < it->now_s + it->life_s - it->life_s / 16) {
		list = lives_append(
			p->lives, (it->now_s + it->life_s) / 60, store_names[it->store], it->name);
		if (list >= 0) {
			utimensat(dir, last, times, AT_SYMLINK_NOFOLLOW);
			close(list);
		}
	}
	close(dir);
	return there;
}

/* Links the item to its name; true also when that is taken by a file. False with errno. */
static bool link_in(struct publisher *p, const struct item *it, bool *made)
{
	const char *last;
	struct stat st;
	int dir, result, err;

	*made = false;
	for (int i = 0; i < LINK_TRIES; i++) {
		dir = store_dir(p->root[it->store], it->name, true, &last);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0)
			return false;
		result = linkat(it->from_dir, it->from, dir, last,
			it->from_dir == AT_FDCWD && p->has_proc ? AT_SYMLINK_FOLLOW : 0);
		err = errno;
		*made = result == 0;
		if (result < 0 && err == EEXIST &&
			fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			result = 0;
		close(dir);
		if (result == 0)
			return true;
		errno = err;
		if (err != ENOENT)
			return false;
	}
	return false;
}

static void count_made(struct publisher *p, const struct item *it)
{
	struct publish_count more = {0};

	board_add(p->board, BOARD_PUBLISHES, 1);
	board_add(p->board, BOARD_PUBLISHES_BYTES, it->bytes);
	if (it->store != PUBLISH_WWW)
		return;
	publish_count_add(&more, it->name, 1, it->bytes);
	publish_count_put(p->board, &more);
}

/* Whether it may do without a line in lives/, which lies on another disk that is full: live
 * segments say themselves when they end, and while a disk is full the janitor asks them. */
static bool may_be_unlisted(const struct item *it)
{
	return it->store == PUBLISH_LIVE && is_full(errno);
}

/* The item's bytes are complete: its times, its lines, its link, in this order. */
static enum publish_result finish(struct publisher *p, struct item *it, struct fail *f)
{
	int64_t mtime_s = it->mtime_s > 0 && it->mtime_s < it->now_s ? it->mtime_s : it->now_s;
	struct timespec times[2] = {{it->now_s + it->life_s, END_MARK}, {mtime_s, 0}};
	int life = -1, birth = -1;
	bool made = false, linked;

	if (fchmod(it->fd, 0644) < 0 || futimens(it->fd, times) < 0)
		return refuse(p, "published", it, f);
	life = lives_append(
		p->lives, (it->now_s + it->life_s) / 60, store_names[it->store], it->name);
	if (life >= 0 && it->store == PUBLISH_WWW)
		birth = lives_append(p->made, it->now_s / 60, store_names[it->store], it->name);
	linked = (life >= 0 || may_be_unlisted(it)) && (birth >= 0 || it->store != PUBLISH_WWW) &&
		 link_in(p, it, &made);
	if (made && p->board) {
		count_made(p, it);
		board_add(p->board, BOARD_LIVE_UNLISTED, life < 0);
	}
	int err = errno;
	close_if_open(life);
	close_if_open(birth);
	errno = err;
	if (!linked)
		return refuse(p, "published", it, f);
	return PUBLISH_OK;
}

static bool write_all(int fd, struct span bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes = span_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
	return true;
}

static bool begin(struct item *it, enum publish_store store, const char *name, int64_t life_s)
{
	must(life_s > 0 && life_s <= PUBLISH_LIFE_MAX_S);
	must(store == PUBLISH_WWW || store == PUBLISH_LIVE);
	*it = (struct item){.store = store,
		.name = name,
		.now_s = clock_real_ms() / 1000,
		.life_s = life_s,
		.fd = -1,
		.from_dir = AT_FDCWD};
	return store_name_ok(span_of(name));
}

static enum publish_result bad_name(struct fail *f)
{
	fail_set(f, FAIL_INPUT, "A file cannot be published under such a name");
	return PUBLISH_FAILED;
}

/* A file aside for the item, and how to link it. */
static bool open_aside(struct publisher *p, struct item *it, char name[TEMPORARY_NAME_BYTES])
{
	it->fd = temporary_open(p->root[it->store], p->has_proc, p->conf->host_name,
		atomic_fetch_add(&p->n, 1), name);
	if (*name) {
		it->from_dir = p->root[it->store];
		snprintf(it->from, sizeof(it->from), "%s", name);
	} else {
		snprintf(it->from, sizeof(it->from), "/proc/self/fd/%d", it->fd);
	}
	return it->fd >= 0;
}

static void close_aside(struct publisher *p, struct item *it, const char *name)
{
	if (*name)
		unlinkat(p->root[it->store], name, 0);
	close_if_open(it->fd);
}

enum publish_result publish_bytes(struct publisher *p, enum publish_store store, const char *name,
	struct span bytes, int64_t life_s, int64_t mtime_s, struct fail *f)
{
	char aside[TEMPORARY_NAME_BYTES];
	enum publish_result result;
	struct item it;

	if (!begin(&it, store, name, life_s))
		return bad_name(f);
	it.bytes = (int64_t)bytes.len;
	it.mtime_s = mtime_s;
	if (is_there(p, &it))
		return PUBLISH_OK;
	result = check_room(p, &it, f);
	if (result != PUBLISH_OK)
		return result;
	if (!open_aside(p, &it, aside))
		return refuse(p, "written", &it, f);
	result = write_all(it.fd, bytes) ? finish(p, &it, f) : refuse(p, "written", &it, f);
	close_aside(p, &it, aside);
	return result;
}

/* Publishes the finished file that `it` holds open. */
static enum publish_result publish_item(struct publisher *p, struct item *it, struct fail *f)
{
	enum publish_result result;

	if (is_there(p, it))
		return PUBLISH_OK;
	result = check_room(p, it, f);
	return result == PUBLISH_OK ? finish(p, it, f) : result;
}

static bool look_at(struct item *it)
{
	struct stat st;

	if (it->fd < 0 || fstat(it->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	it->bytes = st.st_size;
	it->mtime_s = st.st_mtim.tv_sec;
	snprintf(it->from, sizeof(it->from), "/proc/self/fd/%d", it->fd);
	return true;
}

enum publish_result publish_fd(struct publisher *p, enum publish_store store, int fd,
	const char *name, int64_t life_s, struct fail *f)
{
	struct item it;

	if (!begin(&it, store, name, life_s))
		return bad_name(f);
	it.fd = fd;
	if (p->has_proc && look_at(&it))
		return publish_item(p, &it, f);
	fail_set(f, FAIL_INTERNAL, "%s cannot be published from its descriptor", name);
	return PUBLISH_FAILED;
}

enum publish_result publish_link(struct publisher *p, enum publish_store store, const char *path,
	const char *name, int64_t life_s, struct fail *f)
{
	enum publish_result result;
	struct item it;

	if (!begin(&it, store, name, life_s))
		return bad_name(f);
	it.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (!look_at(&it)) {
		close_if_open(it.fd);
		fail_set(f, FAIL_MISSING, "%s is not there to be published", name);
		return PUBLISH_FAILED;
	}
	if (!p->has_proc)
		snprintf(it.from, sizeof(it.from), "%s", path);
	result = publish_item(p, &it, f);
	close(it.fd);
	return result;
}

enum publish_result publish_probe(struct publisher *p, enum publish_store store, struct fail *f)
{
	char aside[TEMPORARY_NAME_BYTES];
	struct item it = {.store = store, .name = "A probe", .fd = -1};
	enum publish_result result = PUBLISH_OK;
	char *zeros = calloc(1, PROBE_BYTES);

	if (!zeros || !open_aside(p, &it, aside)) {
		result = refuse(p, "written", &it, f);
	} else {
		if (!write_all(it.fd, span_make(zeros, PROBE_BYTES)))
			result = refuse(p, "written", &it, f);
		close_aside(p, &it, aside);
	}
	free(zeros);
	return result;
}
