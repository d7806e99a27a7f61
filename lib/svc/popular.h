/* lib/svc/popular.h - which titles viewers ask for most, by the sums of the front server's log.
 * SPDX-License-Identifier: BSD-2-Clause
 * A title is popular while what was kept of it was sent at least as often as that of the average
 * title that was asked for at all, in the last POPULAR_DAYS days. Where no log is connected none
 * is. */
#ifndef SLUICE_SVC_POPULAR_H
#define SLUICE_SVC_POPULAR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/http/ident.h"

struct conf;

enum { POPULAR_DAYS = 7, POPULAR_MAX = 1000 };

struct popular { /* all zeros: nothing is */
	size_t count;
	char titles[POPULAR_MAX][IDENT_MAX]; /* in the order of strcmp() */
};

/* Reads what is popular now, at most POPULAR_MAX titles, the most popular ones. Fails: FAIL_BUSY,
 * with *p as it was. */
int popular_read(struct popular *p, const struct conf *conf, struct fail *f);

/* Whether a published file, by its name, is of a popular title. */
bool popular_has(const struct popular *p, struct span name);

#endif
