/* fcgi-app/processes/packager/hoard.c - the blocks of a film that its feeder has at hand.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/hoard.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"
#include "lib/svc/publish.h"

enum { FILE_VERSION = 1 };

/* --- in memory -------------------------------------------------------------------------------- */

void hoard_init(struct hoard *h)
{
	*h = (struct hoard){.fd = -1};
	for (size_t i = 0; i < HOARD_BLOCKS; i++)
		h->list[i].n = -1;
}

void hoard_release(struct hoard *h)
{
	for (size_t i = 0; i < HOARD_BLOCKS; i++)
		free(h->list[i].bytes);
	if (h->fd >= 0)
		close(h->fd);
	hoard_init(h);
}

struct hoard_block *hoard_find(struct hoard *h, int64_t n)
{
	for (size_t i = 0; i < HOARD_BLOCKS; i++) {
		if (h->list[i].n == n)
			return &h->list[i];
	}
	return NULL;
}

void hoard_use(struct hoard *h, struct hoard_block *block)
{
	block->used = ++h->turn;
}

struct hoard_block *hoard_new(struct hoard *h, int64_t n)
{
	struct hoard_block *oldest = &h->list[0];

	for (size_t i = 1; i < HOARD_BLOCKS; i++) {
		if (h->list[i].used < oldest->used)
			oldest = &h->list[i];
	}
	if (!oldest->bytes)
		oldest->bytes = malloc(HOARD_BLOCK_BYTES);
	if (!oldest->bytes)
		return NULL;
	oldest->n = n;
	oldest->len = 0;
	hoard_use(h, oldest);
	return oldest;
}

/* --- in the file ------------------------------------------------------------------------------ */

static bool path_of(const struct conf *conf, const char *id, char to[PATH_MAX])
{
	return file_path(to, PATH_MAX, "%s/feed/%s", conf->state_dir, id);
}

void hoard_note(struct hoard *h, int64_t n)
{
	for (size_t i = 0; i < h->noted_count; i++) {
		if (h->noted[i] == n)
			return;
	}
	if (h->noted_count < HOARD_KEPT)
		h->noted[h->noted_count++] = n;
	else
		h->noted_too_many = true;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	return write(fd, bytes, len) == (ssize_t)len;
}

static uint64_t sum_of(const char *bytes, size_t len)
{
	unsigned char digest[SIGN_SIZE];
	uint64_t sum;

	sign_sha256(span_make(bytes, len), digest);
	memcpy(&sum, digest, sizeof(sum));
	return sum;
}

/* The file's beginning, and which blocks follow it: those noted that are in memory yet. */
static void describe(struct hoard *h, const struct hoard_film *film,
	const struct hoard_block *blocks[HOARD_KEPT])
{
	struct hoard_file *file = &h->file;

	memset(file, 0, sizeof(*file));
	file->version = FILE_VERSION;
	file->size = film->size;
	snprintf(file->validator, sizeof(file->validator), "%s", film->validator);
	for (size_t i = 0; i < h->noted_count; i++) {
		const struct hoard_block *block = hoard_find(h, h->noted[i]);

		if (!block || block->len == 0)
			continue;
		file->list[file->count].n = block->n;
		file->list[file->count].len = block->len;
		file->list[file->count].sum = sum_of(block->bytes, block->len);
		blocks[file->count++] = block;
	}
}

/* It is only there to spare the source, and must not fill the disk. */
static bool has_room(const struct hoard *h, const struct conf *conf, struct board *board)
{
	struct publish_room room;

	publish_room(conf, board, PUBLISH_WWW, &room);
	return room.free - (int64_t)h->noted_count * HOARD_BLOCK_BYTES > room.floor &&
	       !room.inodes_low;
}

void hoard_keep(struct hoard *h, const struct hoard_film *film, struct board *board)
{
	const struct hoard_block *blocks[HOARD_KEPT];
	char path[PATH_MAX], temporary[PATH_MAX];
	bool good;
	int fd;

	if (h->noted_too_many || !has_room(h, film->conf, board) ||
		!file_path(path, sizeof(path), "%s/feed", film->conf->state_dir) ||
		file_mkdirs(path, 0750, NULL) < 0 || !path_of(film->conf, film->id, path) ||
		!file_path(temporary, sizeof(temporary), "%s.new", path))
		return;
	fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return;
	if (h->fd >= 0)
		close(h->fd);
	h->fd = fd;
	describe(h, film, blocks);
	good = write_all(fd, &h->file, sizeof(h->file));
	for (uint32_t i = 0; good && i < h->file.count; i++)
		good = write_all(fd, blocks[i]->bytes, HOARD_BLOCK_BYTES);
	if (good && rename(temporary, path) == 0)
		return;
	unlink(temporary);
	close(fd);
	h->fd = -1;
}

void hoard_open(struct hoard *h, const struct hoard_film *film)
{
	struct hoard_file *file = &h->file;
	char path[PATH_MAX];

	if (!path_of(film->conf, film->id, path))
		return;
	h->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (h->fd < 0)
		return;
	if (read(h->fd, file, sizeof(*file)) == (ssize_t)sizeof(*file) &&
		file->version == FILE_VERSION && file->count <= HOARD_KEPT &&
		file->size == film->size &&
		strncmp(file->validator, film->validator, sizeof(file->validator)) == 0) {
		file_touch(path);
		return;
	}
	close(h->fd);
	h->fd = -1;
}

struct hoard_block *hoard_recall(struct hoard *h, int64_t n)
{
	uint32_t i = 0;
	struct hoard_block *block;
	size_t len;

	while (h->fd >= 0 && i < h->file.count && h->file.list[i].n != n)
		i++;
	if (h->fd < 0 || i == h->file.count || h->file.list[i].len > HOARD_BLOCK_BYTES)
		return NULL;
	block = hoard_new(h, n);
	if (!block)
		return NULL;
	len = (size_t)h->file.list[i].len;
	if (pread(h->fd, block->bytes, len,
		    (off_t)(sizeof(h->file) + (uint64_t)i * HOARD_BLOCK_BYTES)) == (ssize_t)len &&
		sum_of(block->bytes, len) == h->file.list[i].sum) {
		block->len = len;
		return block;
	}
	block->n = -1;
	return NULL;
}

bool hoard_is_kept(const struct conf *conf, const char *id)
{
	char path[PATH_MAX];

	return path_of(conf, id, path) && access(path, F_OK) == 0;
}

void hoard_sweep(const struct conf *conf)
{
	int64_t soonest_ms = clock_real_ms() - HOARD_KEPT_S * 1000LL;
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	if (!file_path(path, sizeof(path), "%s/feed", conf->state_dir) || !(d = opendir(path)))
		return;
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.' && path_of(conf, e->d_name, path) &&
			file_mtime_ms(path) < soonest_ms)
			unlink(path);
	}
	closedir(d);
}
