/* lib/svc/episodes.h - a series' episodes, asked for when somebody wants to see them.
 * SPDX-License-Identifier: BSD-2-Clause
 * A gateway lists its series, tens of thousands of them, but tells of episodes one series at a
 * time. The first who opens one has the supervisor start a process that asks; what it learns stays
 * in the catalogue and is renewed now and then, while those who ask have what is known. */
#ifndef SLUICE_SVC_EPISODES_H
#define SLUICE_SVC_EPISODES_H

#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/catalog_series.h"

struct board;
struct catalog;
struct conf;

/* What the supervisor is asked with; the id is the series'. */
#define EPISODES_VERB "episodes"

enum {
	EPISODES_LIFE_MS = 24 * 3600 * 1000, /* then they are asked for again, */
	EPISODES_AGAIN_MS = 10000	     /* or so long after a failure */
};

/* Waits until the catalogue knows the episodes of `series`, at most `wait_ms` of real time; those
 * that it knows already are good at once, and renewed meanwhile when they are old. Fails:
 * FAIL_BUSY when they are not there yet, or why the source does not tell them. */
int episodes_await(const struct conf *conf, struct catalog *catalog, const struct series *series,
	int64_t wait_ms, struct fail *f);

/* Body of the process that asks, for the series of that id; gives its exit status. */
int episodes_run(const struct conf *conf, struct board *board, const char *id);

#endif
