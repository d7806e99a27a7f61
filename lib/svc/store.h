/* lib/svc/store.h - a tree of published files, entered without following a symbolic link.
 * SPDX-License-Identifier: BSD-2-Clause
 * A store is the directory that the descriptor `root` is open on. Names are relative to it and
 * have passed store_name_ok(). All may be called by several threads and processes at once. */
#ifndef SLUICE_SVC_STORE_H
#define SLUICE_SVC_STORE_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/span.h"

enum { STORE_NAME_MAX = 1000, STORE_PART_MAX = 255, STORE_DEPTH = 16 }; /* bytes, bytes, parts */

/* At most STORE_NAME_MAX bytes of [A-Za-z0-9._/-]: 1 to STORE_DEPTH parts of 1 to STORE_PART_MAX
 * bytes, none of which begins with a dot. */
bool store_name_ok(struct span name);

/* Opens the directory that `name` is in; `make`: with those that are missing, readable by all.
 * *last is the last part of `name`. The caller closes it. -1 with errno: ENOENT also when another
 * process removed a directory just then, ELOOP or ENOTDIR for a symbolic link on the way. */
int store_dir(int root, const char *name, bool make, const char **last);

/* What is there under that name, links not followed. -1 with errno. */
int store_stat(int root, const char *name, struct stat *st);

/* Opens the regular file of that name for reading and looks at it; links are not followed. -1 with
 * errno, ENOENT also when it is something else. */
int store_open(int root, const char *name, struct stat *st);

/* Removes the directories above `name` that are empty, from the inside out. */
void store_prune(int root, const char *name);

/* Walks over all files of a store, in no order, going on while others are made and removed.
 * Hidden names, symbolic links and what lies deeper than STORE_DEPTH are passed over. */
struct store_walk {
	DIR *dirs[STORE_DEPTH];
	int depth; /* open ones */
	char name[STORE_NAME_MAX + 1];
	size_t ends[STORE_DEPTH]; /* length of the directory's own name, with its slash */
};

/* Begins at `below`, or at the root for "". False with errno. */
bool store_walk_open(struct store_walk *w, int root, const char *below);
void store_walk_close(struct store_walk *w); /* accepts a zeroed one */

/* Looks at one more entry. STORE_FILE: w->name and *st are a file. */
enum store_step { STORE_FILE, STORE_OTHER, STORE_END };
enum store_step store_walk_next(struct store_walk *w, struct stat *st);

#endif
