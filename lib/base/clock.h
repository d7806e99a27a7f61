/* lib/base/clock.h - what time it is, movable for tests.
 * SPDX-License-Identifier: BSD-2-Clause
 * Where the environment names a file in SLUICE_CLOCK when a process starts, the signed 64-bit
 * number of milliseconds in its first 8 bytes (the machine's byte order) is added to both clocks,
 * and a change of it is seen at once by every process. No other effect; never set in service. */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <stdint.h>

/* Maps the file that SLUICE_CLOCK names, if it is set. Called first thing in main(); without it
 * the clocks are the machine's. Children inherit it. */
void clock_init(void);

int64_t clock_real_ms(void); /* since the epoch, UTC */
int64_t clock_mono_ms(void); /* never goes back; for intervals */
int64_t clock_mono_us(void); /* the machine's own, never moved: how long something took */

#endif
