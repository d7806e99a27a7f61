/* lib/av/avi_table.h - of an AVI's table of chunks so much as its segments need, in a record.
 * SPDX-License-Identifier: BSD-2-Clause
 * Where the table had to be made by a walk over the whole film, no segment is to walk again. A few
 * entries for each place where one begins are enough: those that the demuxer goes by when it is
 * told to seek there, and it goes to the same place as with all of them. */
#ifndef SLUICE_AV_AVI_TABLE_H
#define SLUICE_AV_AVI_TABLE_H

#include <stdbool.h>

#include "lib/av/reader.h"

/* Out of the tables that the reader's streams have: record->table, in `arena`, for the segments of
 * the record. It stays empty where it would be too long. Fails without memory. */
int avi_table_keep(struct reader *r, struct record *record, struct arena *arena, struct fail *f);

/* Gives them to the streams of a reader that has no tables. False when they are not for these. */
bool avi_table_give(struct reader *r, struct span table);

#endif
