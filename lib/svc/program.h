/* lib/svc/program.h - the words that a source's program is started with.
 * SPDX-License-Identifier: BSD-2-Clause
 * The configuration's `command`, with {quality}, {egress}, {fragments}, {chunk} and {retries} put
 * in; a word whose placeholder stands for nothing is left out. Then "--", and what is asked for. */
#ifndef SLUICE_SVC_PROGRAM_H
#define SLUICE_SVC_PROGRAM_H

#include "lib/base/arena.h"
#include "lib/svc/resolve.h"

/* What the program is asked for: the page's address, or the id, put into the source's `url` where
 * it has one. Fails: FAIL_MISSING for a page that nobody knows (any more), FAIL_INPUT. */
int program_subject(const struct conf *conf, struct mc *mc, const struct resolve *what,
	struct buf *to, struct fail *f);

/* All words, ending in NULL, in `arena`. NULL: FAIL_INPUT or FAIL_BUSY. */
const char *const *program_words(const struct conf *conf, const struct resolve *what,
	const char *subject, struct arena *arena, struct fail *f);

#endif
