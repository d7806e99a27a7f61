/* lib/svc/generation_inside.h - what the files of generation.h share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_GENERATION_INSIDE_H
#define SLUICE_SVC_GENERATION_INSIDE_H

#include "lib/io/db.h"
#include "lib/svc/generation.h"

struct generation {
	struct db *db;
	int lock;
	int64_t source, number; /* ids in the database */
	struct generation_counts counts;
	int64_t titles[SOURCE_KINDS], before[SOURCE_KINDS];
	struct fail missing[SOURCE_KINDS]; /* why the list of a kind has not come in whole */
	int64_t position;		   /* of the next row of any kind */
	int64_t pending;		   /* rows since the last commit */
	bool writing;			   /* in a transaction, which locks other writers out */
};

/* Begins a transaction where none is open; lends the statement for a new row, in one; and counts a
 * row that went in or was there already. */
int generation_begin_writing(struct generation *g, struct fail *f);
int generation_row(struct generation *g, const char *sql, struct db_stmt **st, struct fail *f);
int generation_count(struct generation *g, int64_t *count, struct fail *f);

/* The rows of films and series: their categories, they themselves, and episodes. */
int generation_put_shelf(struct generation *g, const struct source_category *row, struct fail *f);
int generation_put_title(void *ctx, const struct source_title *row, struct fail *f);
int generation_put_episode(void *ctx, const struct source_episode *row, struct fail *f);

/* Puts an episode of generation `generation` of the source with that number in, or in the place of
 * one of the same key. */
int generation_insert_episode(struct db *db, int64_t source, int64_t generation,
	const struct source_episode *row, struct fail *f);

#endif
