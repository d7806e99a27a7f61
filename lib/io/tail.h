/* lib/io/tail.h - follows a file that another program adds lines to, and that is rotated.
 * SPDX-License-Identifier: BSD-2-Clause
 * Each line is given once, in the order in which it stands there, whatever happens to the file: it
 * is renamed and made anew, copied and emptied (what is rotated lies beside it, under a name that
 * begins with the file's own), or both happen while nobody follows it. A place is known by
 * the bytes before it, so that neither a new file with an old number nor an emptied one that has
 * grown again is taken for what it was. The file must only ever be added to.
 *
 * Lost is what is rotated and compressed or removed before it was read, and what is written to the
 * old file more than a few seconds after the new one is in use. */
#ifndef SLUICE_IO_TAIL_H
#define SLUICE_IO_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum { TAIL_MARK_BYTES = 65, TAIL_BLOCK_BYTES = 64 * 1024 };

/* Where to go on: behind a line. All zeros is the beginning. */
struct tail_place {
	int64_t device, inode, offset;
	/* of the bytes before it, in hexadecimal; "" at the beginning */
	char mark[TAIL_MARK_BYTES];
};

struct tail;

/* Follows `path`, which need not be there yet, from `from` on (NULL: from its beginning).
 * Fails: FAIL_INTERNAL. */
int tail_open(struct tail **out, const char *path, const struct tail_place *from, struct fail *f);
void tail_close(struct tail **t);

enum tail_result {
	TAIL_LINES, /* *lines are whole lines with their ends, good until the next call */
	TAIL_WAIT,  /* there are none now */
	TAIL_FAILED /* *f says why: the file is missing or cannot be read. Ask again later */
};

/* The next lines, at most TAIL_BLOCK_BYTES. A longer line is left out. */
enum tail_result tail_next(struct tail *t, struct span *lines, struct fail *f);

/* The place behind the lines that tail_next() gave last. */
void tail_here(const struct tail *t, struct tail_place *out);

/* How often what was to follow could not be found any more, so that lines may be missing. */
int64_t tail_losses(const struct tail *t);

#endif
