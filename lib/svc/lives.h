/* lib/svc/lives.h - lists of names by minute: what dies then (lives/), what was made then (made/).
 * SPDX-License-Identifier: BSD-2-Clause
 * A list is a file named by a minute since the epoch. A line is "store TAB name"; empty lines mean
 * nothing, and each line is begun by one, so that a line that was cut by a full disk or a crash
 * never spoils the next. Writers hold a shared lock on the list until what they announce is there,
 * so whoever has the list alone knows that nobody is between the line and the deed. */
#ifndef SLUICE_SVC_LIVES_H
#define SLUICE_SVC_LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

enum { LIVES_LINE_MAX = 1100, LIVES_READ_BYTES = 16384 };

/* Appends a line to the list of `minute` in the directory, or to that of one of the next minutes
 * when somebody has it alone. Returns a descriptor that holds the list: close it when the file is
 * linked, or will not be. -1 with errno. */
int lives_append(int dir, int64_t minute, const char *store, const char *name);

/* The minutes that have a list, the oldest first. The caller frees *out. At most LIVES_LIST_MAX
 * are given; the rest is found once those are gone. */
enum { LIVES_LIST_MAX = 1000000 };
size_t lives_list(int dir, int64_t **out);

struct lives_reader {
	int dir, fd;
	int64_t minute;
	size_t have, used; /* bytes read, bytes done with */
	bool skip;	   /* inside a line that is too long */
	char bytes[LIVES_READ_BYTES];
};

enum lives_result { LIVES_OPEN, LIVES_NONE, LIVES_HELD };

/* Takes a list alone. LIVES_NONE: it is gone or cannot be read. LIVES_HELD: somebody writes now. */
enum lives_result lives_open(struct lives_reader *r, int dir, int64_t minute);

/* The next line that lives_parse() accepts; both spans are good until the next call. False at the
 * end. */
bool lives_next(struct lives_reader *r, struct span *store, struct span *name);

/* Gives the list back; `done`: there is no use for it any more. */
void lives_close(struct lives_reader *r, bool done);

/* The two parts of a line without its newline. False unless there is one TAB, and nothing but
 * printable ASCII around it. Whether store and name may be used is for the caller to check. */
bool lives_parse(struct span line, struct span *store, struct span *name);

#endif
