/* lib/svc/publish.h - published files: made whole aside, linked under their name, never changed.
 * SPDX-License-Identifier: BSD-2-Clause
 * A name is relative to its store: at most 16 parts of [A-Za-z0-9._-], apart by '/', none of them
 * empty, above 255 bytes or beginning with a dot. Nothing is followed out of the store: no part of
 * a name may be a symbolic link. A published file has the mode 0644 and a modification time of a
 * whole second that is not in the future; it is never replaced, truncated or appended to.
 *
 * Each file has a life. Its end stands in the file's access time, which the kernel leaves alone
 * while it lies in the future, and as a line in state_dir/lives/{minute} written before the link;
 * the janitor looks only there. What was made when in www stands in state_dir/made/{minute}.
 *
 * All may be called by several threads and processes at once. */
#ifndef SLUICE_SVC_PUBLISH_H
#define SLUICE_SVC_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/io/board.h"

struct conf;
struct publisher;

enum { PUBLISH_LIFE_MAX_S = 10 * 366 * 86400 };

enum publish_store {
	PUBLISH_WWW, /* www_dir; counted against bytes_quota */
	PUBLISH_LIVE /* live_dir/pub, seen as www/tv */
};
enum { PUBLISH_STORES = 2 };

enum publish_result {
	PUBLISH_OK,   /* it is there, made now or before */
	PUBLISH_FULL, /* quota, free_floor, or the disk said no: serve without keeping */
	PUBLISH_FAILED
};

/* Borrows both; `board` may be NULL (nothing is counted then). Makes the stores' directories.
 * Fails: FAIL_INTERNAL. */
int publish_open(
	struct publisher **out, const struct conf *conf, struct board *board, struct fail *f);
void publish_close(struct publisher **p);

/* Publishes `bytes` for at least `life_s`, 1 to PUBLISH_LIFE_MAX_S. Last-Modified is `mtime_s`, or
 * now for 0; never in the future. What is there already stays as it is; it only gets a longer life
 * where `life_s` would add a sixteenth to it.
 * *f is set unless PUBLISH_OK: FAIL_BUSY for PUBLISH_FULL. Nothing is left over then. */
enum publish_result publish_bytes(struct publisher *p, enum publish_store store, const char *name,
	struct span bytes, int64_t life_s, int64_t mtime_s, struct fail *f);

/* Publishes the finished regular file `path`, which lies on the store's file system, by a hard
 * link. The caller may remove `path` afterwards and must not write to it. Its modification time is
 * kept in whole seconds. */
enum publish_result publish_link(struct publisher *p, enum publish_store store, const char *path,
	const char *name, int64_t life_s, struct fail *f);

/* The same for the finished file that `fd` is open on, which may have no name (O_TMPFILE). */
enum publish_result publish_fd(struct publisher *p, enum publish_store store, int fd,
	const char *name, int64_t life_s, struct fail *f);

/* Removes what is published under `name`, and the directories that it leaves empty. With `due_s`
 * above 0 only when its life ends then or before. True when it is gone. */
bool publish_remove(struct publisher *p, enum publish_store store, const char *name, int64_t due_s);

/* The same for the janitor's books: the bytes that were freed, 0 when nothing was there or it has
 * to stay; -1 when it cannot be removed. */
int64_t publish_drop(
	struct publisher *p, enum publish_store store, const char *name, int64_t due_s);

/* The directory of a store, for looking around in it with lib/svc/store.h; and those of the lists,
 * for lib/svc/lives.h. */
int publish_root(const struct publisher *p, enum publish_store store);
int publish_lives(const struct publisher *p);
int publish_made(const struct publisher *p);

/* When the life of a published file ends, in seconds since the epoch; 0 when it does not say: it is
 * none of ours, or its access time was changed. */
int64_t publish_end_s(const struct stat *st);

/* Whether its life was made longer since: its change time is then no longer that of publishing. */
bool publish_is_renewed(const struct stat *st);

bool publish_name_ok(struct span name);

/* Where a store lies below www_dir: "" or "tv/". */
const char *publish_prefix(enum publish_store store);

/* "www" and "live", as the lines of lives/ and made/ say it; false for another word. */
bool publish_store_parse(struct span word, enum publish_store *out);

/* The store and the name (with a NUL) that a line of lives/ or made/ stands for. False when it may
 * not be used: whoever wrote it, nothing outside the stores is ever named. */
enum { PUBLISH_NAME_BYTES = 1001 };
bool publish_line(
	struct span word, struct span name, enum publish_store *store, char to[PUBLISH_NAME_BYTES]);

/* What there is room for. Bytes. */
struct publish_room {
	int64_t free, floor; /* of the file system, and what must stay free: free_floor, or an
			      * eighth of a small one; `free` is -1 when it does not answer */
	bool inodes_low;
	int64_t used, quota;   /* of PUBLISH_WWW; quota 0 for the other */
	int64_t full_since_ms; /* something could not be published there since then; 0: all can */
};

void publish_room(const struct conf *conf, const struct board *board, enum publish_store store,
	struct publish_room *out);

/* What is kept in PUBLISH_WWW: all, and of its files those that streams are made of and
 * pictures. */
struct publish_count {
	int64_t bytes, files, streams, pictures;
};

/* Adds a file of that name to what is counted; it went where `files` is -1 and `bytes` below 0. */
void publish_count_add(struct publish_count *c, const char *name, int64_t files, int64_t bytes);

/* The counts on the board, and what is to be added to them. */
void publish_count_get(const struct board *board, struct publish_count *out);
void publish_count_put(struct board *board, const struct publish_count *more);

/* The total of the board that says since when a store is full. */
enum board_total publish_full_total(enum publish_store store);

/* Writes a little aside, as publishing would. PUBLISH_FULL or PUBLISH_FAILED with *f set. */
enum publish_result publish_probe(struct publisher *p, enum publish_store store, struct fail *f);

#endif
