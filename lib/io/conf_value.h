/* lib/io/conf_value.h - one setting's value: read, checked, printed.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_CONF_VALUE_H
#define SLUICE_IO_CONF_VALUE_H

#include "lib/base/arena.h"
#include "lib/io/conf.h"
#include "lib/io/settings.h"

/* Reads `text` into the setting's member of *c; texts are kept in `arena`.
 * Fails: FAIL_INPUT, in a sentence without file and line, for what is out of range or no value. */
int conf_value_set(struct conf *c, const struct setting *s, const char *text, struct arena *arena,
	struct fail *f);

/* What a value alone does not show. Fails: FAIL_INPUT, with the name of the setting in *setting. */
int conf_check(const struct conf *c, const char **setting, struct fail *f);

/* Fails: FAIL_INPUT, with file and line. */
int conf_source_check(const char *path, const struct conf_source *s, struct fail *f);

/* Sets how a program is asked where nothing else is said: yt-dlp, for one title. */
void conf_usual_command(struct conf_source *s);

/* Where a setting came from: a line of the file, 0 for the default, -1 for the environment. */
int conf_origin(const struct conf *c, size_t setting);

#endif
