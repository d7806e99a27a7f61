/* lib/svc/catalog_page.h - pages of titles (films, series), whose order is the source's own.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_CATALOG_PAGE_H
#define SLUICE_SVC_CATALOG_PAGE_H

#include <stdbool.h>

#include "lib/svc/catalog.h"

struct db_stmt;

enum { PAGE_WORDS = 4 }; /* that are looked for; more are not looked at */

/* What is looked for, as the catalogue keeps names for it: folded. */
struct page_words {
	char category[CHANNEL_CATEGORY_MAX]; /* "" for any */
	char word[PAGE_WORDS][CHANNEL_NAME_MAX];
};
void page_words_read(const struct page_query *q, struct page_words *out);

struct catalog_page {
	/* Of one source, by position: ?1 the source's name, ?2 the position
	 * after which to begin, ?3 the category's folded name ("" for any), ?4 the category as it
	 * was asked for, ?5 to ?8 words that the folded name holds, ?9 how many rows to give. */
	const char *sql;
	int position; /* the column of a title's position, from 0 */
	const struct page_query *query;
	/* Gives a row on; false for one that cannot be given. */
	bool (*give)(void *ctx, const struct catalog *c, const char *source, struct db_stmt *row);
	void *ctx;
};

/* Reads a page, and into `next` (CATALOG_CURSOR_MAX bytes) the cursor of the one after it, "" after
 * the last. A cursor stays good when the list changes. Fails: FAIL_INPUT for a cursor that is none
 * of ours or a limit out of range, FAIL_BUSY. */
int catalog_page_read(
	struct catalog *c, const struct catalog_page *page, char *next, struct fail *f);

#endif
