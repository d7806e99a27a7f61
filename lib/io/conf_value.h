/* lib/io/conf_value.h - one setting's value: read and checked.
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

#endif
