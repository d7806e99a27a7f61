/* lib/io/board.h - what all our processes tell each other: who runs, and totals.
 * SPDX-License-Identifier: BSD-2-Clause
 * A file (run_dir "/board") mapped by every process. It is allocated whole before it is mapped and
 * never truncated. All members are written with single atomic stores; nothing here is a lock. */
#ifndef SLUICE_IO_BOARD_H
#define SLUICE_IO_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"
#include "lib/io/rows.h"

enum { BOARD_SLOTS = 512 };

enum board_state { BOARD_STARTING, BOARD_READY, BOARD_STOPPING };

/* One process. It belongs to the process `pid`; others read it and may find it half new. */
struct board_slot {
	_Atomic int32_t pid;   /* 0: free */
	_Atomic int32_t state; /* enum board_state */
	_Atomic int64_t started_ms;
	_Atomic int64_t requests; /* done since it started */
	_Atomic int32_t busy;	  /* at work now */
	_Atomic int32_t limit;	  /* how many it takes at once, 0 when it takes none */
	char role[16];		  /* "api", "live", … */
	char name[72];		  /* what it works on, such as "live-8", or "" */
};

/* Sums over all processes since the board was made (it outlives every process and a restart of the
 * service), or the value now. A new one is added at the end, with its line in the table of board.c,
 * from which /metrics and `sluice status` take it. */
enum board_total {
	BOARD_PUBLISHED_BYTES, /* in use now */
	BOARD_PUBLISHED_FILES, /* in use now */
	BOARD_EVICTED_BYTES,
	BOARD_REQUESTS,
	BOARD_ERRORS, /* answers of 500 and above, but for those that said "busy" */
	BOARD_RESPAWNS,
	BOARD_LIVE_STARTED,
	BOARD_LIVE_REFUSED, /* live_max was reached */
	BOARD_RELOADS,
	BOARD_RELOADS_REFUSED,	  /* the new configuration was no good */
	BOARD_COUNTED_MS,	  /* when the published files were last counted; 0: never */
	BOARD_FULL_SINCE_MS,	  /* publishing in www is refused since then; 0: it is not */
	BOARD_PUBLISH_REFUSED,	  /* how often it was, in any store */
	BOARD_LIVE_FULL_SINCE_MS, /* the same for segments of live television */
	BOARD_BUSY,		  /* requests refused because too many were at work */
	BOARD_PUBLISHES,	  /* files linked, ever */
	BOARD_PUBLISHES_BYTES,
	BOARD_EVICTED_FILES,
	BOARD_TOKENS_ASKED,  /* a gateway was asked for one */
	BOARD_TOKENS_JOINED, /* requests that waited for such an answer */
	BOARD_TOKENS_CACHED, /* requests that found one */
	BOARD_LIVE_IDLE,     /* channels that stopped because nobody watched */
	BOARD_ENCODER_STARTS,
	BOARD_ENCODER_ENDS, /* that nobody wanted */
	BOARD_LEASES_TAKEN,
	BOARD_LEASES_LOST,
	BOARD_LIVE_UNLISTED,  /* live segments without a line in lives/: the disk was full */
	BOARD_ACCESS_LINES,   /* of the front server's log, read by the meter */
	BOARD_ACCESS_BAD,     /* of them, those that it could not make sense of */
	BOARD_ACCESS_LOSSES,  /* how often the log was gone before it had been read to its end */
	BOARD_ACCESS_READ_MS, /* when it was read to its end last; 0: never */
	BOARD_STREAM_FILES,   /* published now, of those that streams are made of, but for live
				 segments */
	BOARD_PICTURE_FILES,  /* published now, of artwork and thumbnails */
	BOARD_WARM_STREAMS,   /* whose first bytes are kept because of a prefetch */
	BOARD_LIMITED,	      /* requests refused because their client asked too often */
	BOARD_STREAM_BYTES,   /* of the byte cache, in use or promised now */
	BOARD_STREAM_ENDED,   /* objects removed from it */
	BOARD_STREAM_EVICTED_BYTES, /* of them, of those removed before their time */
	BOARD_STREAM_OBJECTS,	    /* of the byte cache, now */
	BOARD_TOTALS
};

struct board;

/* Opens the board, making it when it is missing. One of another layout (after an upgrade) is
 * replaced; processes that have the old one keep it. Fails: FAIL_INTERNAL. */
int board_open(struct board **out, const char *path, struct fail *f);
void board_close(struct board **b); /* leaves the slot too */

/* Takes a free slot for this process, or one whose process is dead, as BOARD_STARTING; a process
 * that has one in this role, even from before an exec, keeps it. After a fork the child enters
 * anew. The
 * slot is good until board_leave(); when all are taken it is one that nobody else sees. `name` may
 * be NULL. Not from two threads at once. */
struct board_slot *board_enter(struct board *b, const char *role, const char *name);
void board_leave(struct board *b);

/* Says that this process takes requests, or does its work, from now on; and how many at once. */
void board_ready(struct board *b);
void board_limit(struct board *b, int limit);

/* Counts a request of this process while it is at work, and then as done; from any thread. */
void board_request_begin(struct board *b);
void board_request_end(struct board *b);

/* The slot of a process, which may have died meanwhile, or NULL. */
const struct board_slot *board_find(const struct board *b, pid_t pid);

/* Frees the slots of a process that was reaped; of all processes for 0. */
void board_forget(struct board *b, pid_t pid);

/* Walks over the slots of processes that are alive: *at starts at 0; NULL at the end. */
const struct board_slot *board_each(const struct board *b, size_t *at);

/* When the oldest process that is alive began, in ms since the epoch; now when there is none. */
int64_t board_started_ms(const struct board *b);

/* Adds to a total and returns what it is then. */
int64_t board_add(struct board *b, enum board_total total, int64_t n);
int64_t board_get(const struct board *b, enum board_total total);
void board_set(struct board *b, enum board_total total, int64_t value);

struct board_total_info {
	const char *name;   /* in `sluice status`, such as "respawns" */
	const char *metric; /* in /metrics: "respawns", without what says the type */
	const char *help;   /* one sentence */
	bool gauge;	    /* a value now; else it only grows */
	int64_t divisor;    /* to base units (seconds, bytes): 1000 for milliseconds */
};

const struct board_total_info *board_total_info(enum board_total total);

/* The row that counts `name`, see lib/io/rows.h. NULL when `b` is. It stays good as long as the
 * board is open. */
struct row *board_row(struct board *b, enum row_kind kind, const char *name);
const struct rows *board_rows(const struct board *b);

/* Counts one answer in this minute, and sums up those of the last `minutes`, 1 to BOARD_MINUTES - 1
 * and the one that has begun. */
enum { BOARD_MINUTES = 8 };
void board_minute_add(struct board *b, bool error);
void board_minutes(const struct board *b, int minutes, int64_t *requests, int64_t *errors);

#endif
