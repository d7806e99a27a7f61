/* lib/svc/traffic.h - what was sent to viewers: sums of the access log, kept for good.
 * SPDX-License-Identifier: BSD-2-Clause
 * {state_dir}/db/traffic.db holds the sums by day, family, title and rendition, and the place in
 * the log that they reach to: both change in one transaction, so that a process may be killed at
 * any instant, and a line is counted once. Titles and renditions of a day are known for
 * TRAFFIC_TITLE_DAYS, days for TRAFFIC_DAYS. One process writes (the meter), any may read. */
#ifndef SLUICE_SVC_TRAFFIC_H
#define SLUICE_SVC_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/http/access_line.h"
#include "lib/io/tail.h"

struct board;
struct conf;
struct traffic;

enum { TRAFFIC_DAYS = 400, TRAFFIC_TITLE_DAYS = 62 };

/* What was asked, and how it was answered. Bytes include headers. */
struct traffic_sum {
	int64_t hits, misses; /* answers of 200, 206 and 304, as far as the log says which */
	int64_t others;	      /* and all other ones */
	int64_t bytes;
};

/* --- for the meter ---------------------------------------------------------------------------- */

/* Opens the sums to go on with them, and makes them when there are none. Fails: FAIL_BUSY when they
 * cannot be read or written now. */
int traffic_open(struct traffic **out, const struct conf *conf, struct fail *f);
void traffic_close(struct traffic **t); /* what was not committed is forgotten */

/* The place that the sums reach to. */
const struct tail_place *traffic_place(const struct traffic *t);

/* Adds a line to what the next commit writes. */
void traffic_add(struct traffic *t, const struct access_line *line);

/* Whether there may not be room for TRAFFIC_LINES more: commit first. */
enum { TRAFFIC_LINES = 2048 };
bool traffic_is_full(const struct traffic *t);

/* Writes what was added, and that it reaches to `place`. Fails: FAIL_BUSY; nothing is lost then,
 * and it can be tried again. */
int traffic_commit(struct traffic *t, const struct tail_place *place, struct fail *f);

/* Notes by day what the sources on the board have sent since the last time. Fails: FAIL_BUSY. */
int traffic_note_upstream(struct traffic *t, const struct board *board, struct fail *f);

/* Drops what is too old. Fails: FAIL_BUSY. */
int traffic_tidy(struct traffic *t, struct fail *f);

/* Shows the sums of all time by family on the board (ROW_TRAFFIC). */
void traffic_show(const struct traffic *t, struct board *board);

#endif
