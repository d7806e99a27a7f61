/* lib/hls/repeat.h - a short MPEG-TS file as an endless one.
 * SPDX-License-Identifier: BSD-2-Clause
 * Of one programme; each of its streams lasts just as long as the others, so that the end joins the
 * beginning (recipe_slate_args() makes such). Spec: ISO/IEC 13818-1 sections 2.4.3.3, 2.4.3.5. */
#ifndef SLUICE_HLS_REPEAT_H
#define SLUICE_HLS_REPEAT_H

#include <stddef.h>
#include <stdint.h>

/* Makes of the file what it is when it is played for the `times`th time after the first (which is
 * 0): `len` bytes of whole packets, changed in place; `length` is how long it lasts, in 1/90000
 * s. */
void repeat_shift(uint8_t *ts, size_t len, int64_t times, int64_t length);

#endif
