/* lib/io/conf_file.h - the configuration's file, read by libconfuse; and what is wrong with it.
 * SPDX-License-Identifier: BSD-2-Clause
 * What the files of the configuration share. */
#ifndef SLUICE_IO_CONF_FILE_H
#define SLUICE_IO_CONF_FILE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/io/conf.h"

enum { CONF_SETTINGS_MAX = 100 };

struct conf_memory {
	struct arena arena;
	int line[CONF_SETTINGS_MAX]; /* of the file; 0: the default; -1: the environment */
};

/* All that is wrong with a configuration, in the order in which it was found. */
struct conf_mistakes {
	struct fail first; /* kind FAIL_NONE: there are none */
	struct buf lines;  /* a sentence each */
};

/* Notes another one. One that was noted already is the same one. */
void conf_mistake(struct conf_mistakes *m, const struct fail *f);

/* The same of what stands in line `line` of the file `path`. */
void conf_mistake_at(struct conf_mistakes *m, const char *path, int line, const char *text);

/* The place of a setting in the table; setting_count for an unknown one. */
size_t conf_setting(const char *name);

/* Where a setting came from: a line of the file, 0 for the default, -1 for the environment. */
int conf_origin(const struct conf *c, size_t setting);

/* Reads c->path into *c. Not for several threads at once. */
void conf_file_read(struct conf *c, struct conf_mistakes *m);

/* A copy that lives as long as the configuration; "" without room, which c->memory knows. */
const char *conf_keep(struct conf *c, const char *text);

#endif
