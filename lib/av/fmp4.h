/* lib/av/fmp4.h - fragmented MP4: init segments and media segments of one track.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 14496-12 (8.8: fragments), 14496-14 and -15; ISO/IEC 23000-19 (CMAF). Time begins
 * at 0 for both kinds of track and needs no edit list. */
#ifndef SLUICE_AV_FMP4_H
#define SLUICE_AV_FMP4_H

#include <stdint.h>

#include "lib/av/track.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"

/* Appends the init segment; the track's samples are not looked at. Whether it fitted is asked of
 * the buffer. */
void fmp4_init(const struct track *t, struct buf *to);

/* Appends what stands before the samples of segment `n`: all of it but the bytes of the samples,
 * which follow in order. */
void fmp4_head(const struct track *t, uint32_t n, struct buf *to);

/* Writes a whole segment. Fails (FAIL_INTERNAL, or FAIL_BUSY where the disk is full). */
int fmp4_write(const struct track *t, uint32_t n, int fd, struct fail *f);

/* Writes `count` pieces one after the other; as fmp4_write(). */
struct iovec;
int fmp4_write_all(int fd, struct iovec *pieces, size_t count, struct fail *f);

#endif
