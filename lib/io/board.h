/* lib/io/board.h - what all our processes tell each other: who runs, and totals.
 * SPDX-License-Identifier: BSD-2-Clause
 * A file (run_dir "/board") mapped by every process. It is allocated whole before it is mapped and
 * never truncated. All members are written with single atomic stores; nothing here is a lock. */
#ifndef SLUICE_IO_BOARD_H
#define SLUICE_IO_BOARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"

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

/* Sums over all processes since the service was installed here, or the value now. A new one is
 * added at the end, with its name in board.c. */
enum board_total {
	BOARD_PUBLISHED_BYTES, /* in use now */
	BOARD_PUBLISHED_FILES, /* in use now */
	BOARD_EVICTED_BYTES,
	BOARD_REQUESTS,
	BOARD_ERRORS, /* answers of 500 and above */
	BOARD_RESPAWNS,
	BOARD_LIVE_STARTED,
	BOARD_LIVE_REFUSED, /* live_max was reached */
	BOARD_RELOADS,
	BOARD_RELOADS_REFUSED, /* the new configuration was no good */
	BOARD_COUNTED_MS,      /* when the published files were last counted; 0: never */
	BOARD_FULL_SINCE_MS,   /* publishing is refused since then; 0: it is not */
	BOARD_PUBLISH_REFUSED, /* how often it was */
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

/* Says that this process takes requests, or does its work, from now on. */
void board_ready(struct board *b);

/* Counts a request of this process while it is at work, and then as done; from any thread. */
void board_request_begin(struct board *b);
void board_request_end(struct board *b);

/* The slot of a process, or NULL. */
const struct board_slot *board_find(const struct board *b, pid_t pid);

/* Frees the slots of a process that was reaped; of all processes for 0. */
void board_forget(struct board *b, pid_t pid);

/* Walks over the slots of processes that are alive: *at starts at 0; NULL at the end. */
const struct board_slot *board_each(const struct board *b, size_t *at);

/* Adds to a total and returns what it is then. */
int64_t board_add(struct board *b, enum board_total total, int64_t n);
int64_t board_get(const struct board *b, enum board_total total);
void board_set(struct board *b, enum board_total total, int64_t value);

/* Its name in /metrics and `sluice status`, such as "published_bytes". */
const char *board_total_name(enum board_total total);

#endif
