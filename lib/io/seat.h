/* lib/io/seat.h - at most so many at once on this host, whichever process they are in.
 * SPDX-License-Identifier: BSD-2-Clause
 * A seat is a locked byte of a file (F_OFD_SETLK). The kernel gives it back when its descriptor is
 * closed, so that nobody who dies holds one: there is no counter to go wrong. */
#ifndef SLUICE_IO_SEAT_H
#define SLUICE_IO_SEAT_H

#include <stdint.h>

#include "lib/base/fail.h"

/* Takes one of the `count` seats of the file `path`, which is made when it is missing. Gives a
 * descriptor, to be closed by whoever leaves. -1: FAIL_BUSY (all are taken) or FAIL_INTERNAL. */
int seat_take(const char *path, int64_t count, struct fail *f);

#endif
