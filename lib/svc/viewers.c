/* lib/svc/viewers.c - who has asked for a channel's playlists lately, and whose wish goes first.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/viewers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"

enum { NOTE_MS = 1000, PROGRAM_MAX = 1024 };

uint64_t viewer_who(struct span address, struct span program)
{
	unsigned char digest[SIGN_SIZE];
	struct buf text;
	uint64_t who;

	if (program.len > PROGRAM_MAX)
		program.len = PROGRAM_MAX;
	buf_init(&text, 2 * PROGRAM_MAX);
	buf_printf(&text, "%.*s\n", address.len < 64 ? (int)address.len : 64,
		address.ptr ? address.ptr : "");
	buf_add(&text, program.ptr, program.len);
	sign_sha256(buf_span(&text), digest);
	buf_release(&text);
	memcpy(&who, digest, sizeof(who));
	return who ? who : 1;
}

/* Bytes that are no whole entry, or from another time, read as nobody. */
static void read_table(int fd, struct viewer table[VIEWERS_MAX])
{
	memset(table, 0, VIEWERS_MAX * sizeof(*table));
	if (pread(fd, table, VIEWERS_MAX * sizeof(*table), 0) < 0)
		memset(table, 0, VIEWERS_MAX * sizeof(*table));
}

static bool is_recent(const struct viewer *v, int64_t now_ms)
{
	return v->who && v->last_ms > now_ms - VIEWER_SPELL_MS && v->last_ms <= now_ms + NOTE_MS;
}

/* Where `who` stands, or may: their own entry, else the first of nobody. -1: none is left. */
static int find_entry(const struct viewer table[VIEWERS_MAX], uint64_t who, int64_t now_ms)
{
	int vacant = -1;

	for (int i = 0; i < VIEWERS_MAX; i++) {
		int at = (int)((who + (uint64_t)i) % VIEWERS_MAX);

		if (table[at].who == who)
			return at;
		if (vacant < 0 && !is_recent(&table[at], now_ms))
			vacant = at;
	}
	return vacant;
}

static int open_table(const struct conf *conf, const char *id)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	char path[LIVE_PATH_BYTES], dir[LIVE_PATH_BYTES];
	int fd;

	live_path(conf, id, "viewers", path);
	fd = open(path, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		live_path(conf, id, NULL, dir);
		if (file_mkdirs(dir, 0700, NULL) == 0)
			fd = open(path, flags, 0600);
	}
	return fd;
}

void viewers_note(const struct conf *conf, const char *id, uint64_t who)
{
	int64_t now_ms = clock_real_ms();
	struct viewer table[VIEWERS_MAX];
	int fd = open_table(conf, id), at;

	if (fd < 0)
		return;
	read_table(fd, table);
	at = find_entry(table, who, now_ms);
	if (at >= 0 && (!is_recent(&table[at], now_ms) || table[at].who != who ||
			       table[at].last_ms < now_ms - NOTE_MS)) {
		if (table[at].who != who || !is_recent(&table[at], now_ms))
			table[at] = (struct viewer){who, now_ms, now_ms};
		table[at].last_ms = now_ms;
		(void)!pwrite(fd, &table[at], sizeof(*table), (off_t)at * (off_t)sizeof(*table));
	}
	close(fd);
}

size_t viewers_read(const struct conf *conf, const char *id, struct viewer to[VIEWERS_MAX])
{
	int64_t now_ms = clock_real_ms();
	struct viewer table[VIEWERS_MAX];
	char path[LIVE_PATH_BYTES];
	size_t count = 0;
	int fd;

	live_path(conf, id, "viewers", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	read_table(fd, table);
	close(fd);
	for (int i = 0; i < VIEWERS_MAX; i++) {
		if (is_recent(&table[i], now_ms))
			to[count++] = table[i];
	}
	return count;
}

bool viewers_give_way(const struct viewer *old, size_t old_count, const struct viewer *new,
	size_t new_count, int64_t now_ms)
{
	if (old_count == 0)
		return new_count > 0;
	if (old_count > 1)
		return false;
	for (size_t i = 0; i < new_count; i++) {
		if (new[i].who == old->who)
			return new[i].since_ms > old->since_ms ||
			       old->last_ms < now_ms - VIEWER_GONE_MS;
	}
	return false;
}
