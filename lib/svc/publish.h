/* lib/svc/publish.h - published files: made whole aside, linked under their name, never changed.
 * SPDX-License-Identifier: BSD-2-Clause
 * A name is relative to its store: parts of [A-Za-z0-9._-], apart by '/', none of them empty, "."
 * or beginning with a dot. Nothing is followed out of the store: no part of a name may be a
 * symbolic link.
 *
 * Each file has a life. Its end stands in the file's access time, which the kernel leaves alone
 * while it lies in the future, and as a line in state_dir/lives/{minute} written before the link;
 * the janitor looks only there. What was made when stands in state_dir/made/{minute}. */
#ifndef SLUICE_SVC_PUBLISH_H
#define SLUICE_SVC_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

struct board;
struct conf;
struct publisher;

enum publish_store {
	PUBLISH_WWW, /* www_dir; counted against bytes_quota */
	PUBLISH_LIVE /* live_dir/pub, seen as www/tv */
};

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

/* Publishes `bytes`. Last-Modified is `mtime_s`, or now for 0; never in the future.
 * *f is set unless PUBLISH_OK. Nothing is left over then. */
enum publish_result publish_bytes(struct publisher *p, enum publish_store store, const char *name,
	struct span bytes, int64_t life_s, int64_t mtime_s, struct fail *f);

/* Publishes the finished file `path`, which lies on the store's file system, by a hard link. */
enum publish_result publish_link(struct publisher *p, enum publish_store store, const char *path,
	const char *name, int64_t life_s, struct fail *f);

/* Removes what is published under `name`, and the directories that it leaves empty. With `due_s`
 * above 0 only when its life ends then or before. True when it is gone. */
bool publish_remove(struct publisher *p, enum publish_store store, const char *name, int64_t due_s);

bool publish_name_ok(struct span name);

/* "www" and "live", as the lines of lives/ and made/ say it; false for another word. */
bool publish_store_parse(struct span word, enum publish_store *out);

/* Bytes that may still be published into www: below 0 when some must go. -1 with an unreadable
 * disk. */
int64_t publish_room(const struct conf *conf, const struct board *board);

#endif
