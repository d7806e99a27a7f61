/* lib/io/spool.h - the last seconds of a live stream, for any number of readers in other processes.
 * SPDX-License-Identifier: BSD-2-Clause
 * One process writes MPEG-TS packets into a mapped file that goes round; readers copy them out,
 * wait for more by a futex in it, and see by themselves what was overwritten meanwhile. Nobody
 * waits for a reader, and nothing a reader does can hurt the writer: it opens the file for reading
 * only. */
#ifndef SLUICE_IO_SPOOL_H
#define SLUICE_IO_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"
#include "lib/hls/ts.h"

struct spool;
struct spool_map;

/* Makes the file, of its full size at once, under a temporary name and then `path`: who reads one
 * that was there before finds out. Fails: FAIL_BUSY (no room for it), FAIL_INTERNAL. */
int spool_create(struct spool **out, const char *path, struct fail *f);

/* Adds a packet. `entry`: a picture begins here with which a decoder can begin, or a sound where
 * there is no picture; a reader begins at the tables (pid 0) before it. Nobody sees it before
 * spool_tell(). */
void spool_put(struct spool *s, const uint8_t packet[TS_PACKET], bool entry);

/* Tells readers of what was put; not more often than every 100 ms, so that many are not woken for
 * little: to be called again then. */
void spool_tell(struct spool *s);

/* Says that nothing more comes, and removes the file. Accepts NULL in it. */
void spool_close(struct spool **s);

struct spool_reader {
	const struct spool_map *map; /* NULL: not joined */
	int fd;
	ino_t inode;
	uint64_t at; /* the packet that comes next, counted from the first ever */
	bool anew;   /* what comes next does not follow on what came before */
};

/* Joins the stream at `path` where a decoder can begin, `ahead_ms` before now or as near to that as
 * there is. False: there is none yet, or nothing has come for some seconds. A reader that was
 * joined to another one leaves that. */
bool spool_join(struct spool_reader *r, const char *path, int64_t ahead_ms);

enum spool_result {
	SPOOL_DATA,
	SPOOL_NOTHING, /* in `wait_ms` */
	SPOOL_ENDED    /* the writer has said so */
};

/* Copies the next whole packets into `to`, of `size` bytes, and waits for them at most `wait_ms`. A
 * reader that has fallen so far behind that they are gone, or soon will be, goes on at the newest
 * place where a decoder can begin: its first packets say so (discontinuity_indicator). */
enum spool_result spool_read(
	struct spool_reader *r, uint8_t *to, size_t size, int wait_ms, size_t *len);

/* Whether the file at `path` is another one now: its writer died, and there is a new one. */
bool spool_is_other(const struct spool_reader *r, const char *path);

void spool_leave(struct spool_reader *r); /* accepts a zeroed one */

#endif
