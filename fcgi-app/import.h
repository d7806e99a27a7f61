/* fcgi-app/import.h - reads the sources' lists into the catalogue.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IMPORT_H
#define SLUICE_IMPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/fail.h"

struct board;
struct conf;

struct import_how {
	bool force;  /* a list that cannot be believed goes in too */
	FILE *out;   /* gets a line for each source; may be NULL */
	int wait_ms; /* for another import on this host to end; FAIL_CONFLICT after that */
};

/* Imports the source of that name, or all for NULL. Fails after all have been tried, and tells how
 * many could not be read; why stands in the log and in `out`. FAIL_MISSING for an unknown name. */
int import_run(
	const struct conf *conf, const char *source, const struct import_how *how, struct fail *f);

/* Body of the supervisor's child: all sources whose list is older than import_every. Each counts as
 * one request of its source on `board`. */
int import_due_run(const struct conf *conf, struct board *board);

/* Whether a source's list is older than import_every and none was tried in the last 5 min. */
bool import_is_due(const struct conf *conf);

#endif
