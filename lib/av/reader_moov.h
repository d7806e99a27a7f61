/* lib/av/reader_moov.h - the reader's way with plain MP4: the tables of a part in place of all.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_READER_MOOV_H
#define SLUICE_AV_READER_MOOV_H

#include <stdbool.h>

#include "lib/av/reader.h"

/* Reads the tables, and sets r->head to those of the part, r->moov, r->thin and r->joined. False,
 * with none of them set, where the file is not plain or (r->error) cannot be read. */
bool reader_moov(struct reader *r, const struct reader_part *part);

/* Whether the demuxer's streams are the tracks of the tables, in their order. Then each is told
 * what only all its samples say: how long it is, and its rate. */
bool reader_moov_fits(struct reader *r);

void reader_moov_release(struct reader *r);

#endif
