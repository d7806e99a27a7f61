/* lib/io/conf_check.h - what a setting's value alone does not show, and what a source needs.
 * SPDX-License-Identifier: BSD-2-Clause
 * All fail with FAIL_INPUT, in a sentence without file and line. */
#ifndef SLUICE_IO_CONF_CHECK_H
#define SLUICE_IO_CONF_CHECK_H

#include <stddef.h>

#include "lib/io/conf.h"

/* Checks one setting after the other: the name of the next one that makes no sense, with *f set;
 * NULL at the end. *at starts at 0. */
const char *conf_check_next(const struct conf *c, size_t *at, struct fail *f);

int conf_check_source(const struct conf_source *s, struct fail *f);

/* A section `channel` or `category`. */
int conf_check_own(const struct conf_own *own, bool is_channel, struct fail *f);

#endif
