/* lib/svc/objects.c - the store of the byte cache: lives, room, and what was left over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/object.h"

enum {
	YOUNG_S = 60,	  /* what is younger may be in the making */
	KEEP_PERCENT = 95 /* of the quota, after an eviction */
};

/* A name that leads to a map. */
struct entry {
	char name[NAME_MAX + 1]; /* of the map */
	char file[OBJECT_NAME_BYTES], suffix[8];
	int64_t bytes, used_ms, life_ms;
	bool owned;
	bool kept;  /* it has bytes here */
	bool again; /* another name of the same */
};

struct list {
	struct entry *entry;
	size_t count, room;
};

static int64_t file_bytes(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_blocks * 512 : 0;
}

static bool is_map(const char *name)
{
	return span_ends(span_of(name), ".map");
}

/* How long ago it was made or linked, in the machine's own time; 0 when it is gone. */
static int64_t age_s(int dir, const char *name)
{
	struct stat st;
	struct timespec now;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec - st.st_ctim.tv_sec;
}

static DIR *open_half(const struct conf *conf, const char *half)
{
	char path[PATH_MAX];

	return file_path(path, sizeof(path), "%s/%s", conf->stream_dir, half) ? opendir(path)
									      : NULL;
}

/* --- looking ---------------------------------------------------------------------------------- */

static struct entry *add(struct list *l)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct entry *more = realloc(l->entry, room * sizeof(*more));

		if (!more)
			return NULL;
		l->entry = more;
		l->room = room;
	}
	return &l->entry[l->count++];
}

/* One that is filled now will take all that it promises. */
static void read_entry(struct list *l, int dir, const char *name, const char *boot)
{
	struct block_map *map;
	struct entry *e;
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (block_map_open_fd(&map, fd, boot, NULL) < 0) {
		if (age_s(dir, name) > YOUNG_S)
			unlinkat(dir, name, 0);
		return;
	}
	e = add(l);
	if (e) {
		const struct block_map_info *info = block_map_info(map);

		span_copy(span_of(name), e->name, sizeof(e->name));
		span_copy(span_of(info->file), e->file, sizeof(e->file));
		span_copy(span_of(info->suffix), e->suffix, sizeof(e->suffix));
		e->again = false;
		e->kept = !info->passed;
		e->used_ms = block_map_used_ms(map);
		e->life_ms = block_map_is_gone(map) ? 0 : info->life_s * 1000;
		e->owned = !info->passed && !block_map_is_gone(map) &&
			   !block_map_is_published(map) && block_map_is_owned(map);
		e->bytes = info->passed ? 0 : e->owned ? info->size : file_bytes(dir, info->file);
		e->bytes += file_bytes(dir, name);
	}
	block_map_close(&map);
}

static int by_file(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->file, ((const struct entry *)b)->file);
}

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct entry *)a)->used_ms, y = ((const struct entry *)b)->used_ms;

	return x < y ? -1 : x > y;
}

/* Several names of one map count once. */
static int64_t sum_up(struct list *l)
{
	int64_t sum = 0;

	qsort(l->entry, l->count, sizeof(*l->entry), by_file);
	for (size_t i = 0; i < l->count; i++) {
		l->entry[i].again = i && strcmp(l->entry[i].file, l->entry[i - 1].file) == 0;
		if (l->entry[i].again)
			l->entry[i].bytes = 0;
		sum += l->entry[i].bytes;
	}
	return sum;
}

/* --- removing --------------------------------------------------------------------------------- */

void objects_end(const struct conf *conf, struct block_map *map)
{
	const struct block_map_info *info = block_map_info(map);
	char path[PATH_MAX];

	block_map_end(map);
	if (object_pub_path(conf, info, path, sizeof(path)))
		unlink(path);
	if (object_work_path(conf, info->file, path, sizeof(path)))
		unlink(path);
}

static void end_entry(const struct conf *conf, const char *boot, int dir, const struct entry *e)
{
	struct block_map *map;
	int fd = openat(dir, e->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && block_map_open_fd(&map, fd, boot, NULL) == 0) {
		objects_end(conf, map);
		block_map_close(&map);
	}
	unlinkat(dir, e->name, 0);
}

static bool leads_to(const struct list *l, const char *name)
{
	struct entry key = {0};
	size_t dot = strcspn(name, ".");

	if (dot >= sizeof(key.file) || !l->count)
		return false;
	memcpy(key.file, name, dot);
	return bsearch(&key, l->entry, l->count, sizeof(key), by_file) != NULL;
}

/* Files that no map names; the list is sorted by file. */
static void drop_orphans(const struct list *l, DIR *d)
{
	struct dirent *e;

	rewinddir(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.' && !is_map(e->d_name) && !leads_to(l, e->d_name) &&
			age_s(dirfd(d), e->d_name) > YOUNG_S)
			unlinkat(dirfd(d), e->d_name, 0);
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

static int64_t end_some(const struct conf *conf, struct board *board, const char *boot, int dir,
	struct list *l, int64_t most)
{
	int64_t now_ms = clock_real_ms(), left = sum_up(l);

	qsort(l->entry, l->count, sizeof(*l->entry), by_use);
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = &l->entry[i];
		bool old = now_ms - e->used_ms >= e->life_ms;

		if (e->owned || (!old && (most <= 0 || left <= most)))
			continue;
		end_entry(conf, boot, dir, e);
		e->kept = false;
		left -= e->bytes;
		board_add(board, BOARD_STREAM_ENDED, 1);
		board_add(board, BOARD_STREAM_EVICTED_BYTES, old ? 0 : e->bytes);
	}
	return left;
}

int64_t objects_sweep(const struct conf *conf, struct board *board, const char *boot, int64_t most)
{
	DIR *work = open_half(conf, "work"), *pub = open_half(conf, "pub");
	struct list l = {0};
	struct dirent *e;
	int64_t left = 0, objects = 0;

	while (work && (e = readdir(work))) {
		if (is_map(e->d_name))
			read_entry(&l, dirfd(work), e->d_name, boot);
	}
	if (l.count)
		left = end_some(conf, board, boot, dirfd(work), &l, most);
	for (size_t i = 0; i < l.count; i++)
		objects += l.entry[i].kept && !l.entry[i].again;
	if (l.count)
		qsort(l.entry, l.count, sizeof(*l.entry), by_file);
	if (work)
		drop_orphans(&l, work);
	if (pub)
		drop_orphans(&l, pub);
	if (work)
		closedir(work);
	if (pub)
		closedir(pub);
	free(l.entry);
	board_set(board, BOARD_STREAM_BYTES, left);
	board_set(board, BOARD_STREAM_OBJECTS, objects);
	return left;
}

static void settle(const struct conf *conf, struct block_map *map)
{
	char path[PATH_MAX];
	int fd = -1;

	if (!block_map_is_published(map) || block_map_is_settled(map) || block_map_is_gone(map))
		return;
	if (object_work_path(conf, block_map_info(map)->file, path, sizeof(path)))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (!block_map_settle(map, fd))
		log_warn("object_not_settled", LOG_INT("errno", errno));
	close(fd);
}

void objects_settle(const struct conf *conf, const char *boot)
{
	DIR *work = open_half(conf, "work");
	struct block_map *map;
	struct dirent *e;

	while (work && (e = readdir(work))) {
		int fd = is_map(e->d_name)
				 ? openat(dirfd(work), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
				 : -1;

		if (fd < 0 || block_map_open_fd(&map, fd, boot, NULL) < 0)
			continue;
		settle(conf, map);
		block_map_close(&map);
	}
	if (work)
		closedir(work);
}

/* What must stay free of the file system: free_floor, or an eighth of a small one. */
static int64_t spare_bytes(const struct conf *conf)
{
	struct statvfs fs;
	int64_t floor;

	if (statvfs(conf->stream_dir, &fs) < 0)
		return 0;
	floor = (int64_t)(fs.f_blocks * fs.f_frsize / 8);
	floor = floor < conf->free_floor ? floor : conf->free_floor;
	return (int64_t)(fs.f_bavail * fs.f_frsize) - floor;
}

bool objects_has_room(const struct conf *conf, struct board *board, const char *boot, int64_t size)
{
	int64_t quota = conf->stream_quota, used, spare;

	if (size > quota / 4)
		return false;
	used = board_get(board, BOARD_STREAM_BYTES);
	spare = spare_bytes(conf);
	if (used + size > quota || spare < size) {
		int64_t most = quota / 100 * KEEP_PERCENT - size;

		if (spare < size && used - (size - spare) < most)
			most = used - (size - spare);
		used = objects_sweep(conf, board, boot, most > 0 ? most : 1);
		if (used + size > quota || spare_bytes(conf) < size)
			return false;
	}
	board_add(board, BOARD_STREAM_BYTES, size);
	board_add(board, BOARD_STREAM_OBJECTS, 1);
	return true;
}
