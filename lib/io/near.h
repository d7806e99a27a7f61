/* lib/io/near.h - how far a word is from what may have been meant.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_NEAR_H
#define SLUICE_IO_NEAR_H

#include <stddef.h>

/* How many letters must change to make one word the other; of `b` the first 62 count. */
size_t near_distance(const char *a, const char *b);

#endif
