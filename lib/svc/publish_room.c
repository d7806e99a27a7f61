/* lib/svc/publish_room.c - what there is room for in a store.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sys/statvfs.h>

#include "lib/http/access_line.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"

enum { INODES_LOW = 64, SMALL = 8 }; /* a floor is at most this part of a file system */

static void look_at_disk(const struct conf *conf, const char *path, struct publish_room *out)
{
	int64_t block, part;
	struct statvfs s;

	if (statvfs(path, &s) < 0) {
		out->free = -1;
		return;
	}
	block = (int64_t)s.f_frsize;
	part = (int64_t)s.f_blocks * block / SMALL;
	out->free = (int64_t)s.f_bavail * block;
	out->floor = conf->free_floor < part ? conf->free_floor : part;
	out->inodes_low = s.f_files > 0 && s.f_favail < INODES_LOW;
}

void publish_room(const struct conf *conf, const struct board *board, enum publish_store store,
	struct publish_room *out)
{
	char live[4096];

	*out = (struct publish_room){.free = -1};
	if (store == PUBLISH_WWW) {
		look_at_disk(conf, conf->www_dir, out);
		out->quota = conf->bytes_quota;
		out->used = board ? board_get(board, BOARD_PUBLISHED_BYTES) : 0;
	} else if (file_path(live, sizeof(live), "%s/pub", conf->live_dir)) {
		look_at_disk(conf, live, out);
	}
	if (out->used < 0) /* removed from a counter that was lost: a count is on its way */
		out->used = 0;
	if (board)
		out->full_since_ms = board_get(board, publish_full_total(store));
}

void publish_count_add(struct publish_count *c, const char *name, int64_t files, int64_t bytes)
{
	struct access_subject subject;

	access_subject_of(span_of(name), &subject);
	c->bytes += bytes;
	c->files += files;
	if (subject.family == ACCESS_SEGMENTS || subject.family == ACCESS_OBJECTS)
		c->streams += files;
	if (subject.family == ACCESS_ART)
		c->pictures += files;
}

void publish_count_get(const struct board *board, struct publish_count *out)
{
	*out = (struct publish_count){board_get(board, BOARD_PUBLISHED_BYTES),
		board_get(board, BOARD_PUBLISHED_FILES), board_get(board, BOARD_STREAM_FILES),
		board_get(board, BOARD_PICTURE_FILES)};
}

void publish_count_put(struct board *board, const struct publish_count *more)
{
	board_add(board, BOARD_PUBLISHED_BYTES, more->bytes);
	board_add(board, BOARD_PUBLISHED_FILES, more->files);
	board_add(board, BOARD_STREAM_FILES, more->streams);
	board_add(board, BOARD_PICTURE_FILES, more->pictures);
}
