/* lib/base/num.h - whole numbers out of text, and sums that do not wrap.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_BASE_NUM_H
#define SLUICE_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

/* Reads the whole of `text` as decimal digits with at most one leading '-', and stores it when it
 * lies in [min, max]. False, with *out untouched, for anything else: blanks, '+', an empty text. */
bool num_parse(struct span text, int64_t min, int64_t max, int64_t *out);

/* The same for hexadecimal digits of either case, without prefix or sign. */
bool num_parse_hex(struct span text, uint64_t max, uint64_t *out);

/* Sum and product of values >= 0; false, with *out untouched, when it would pass INT64_MAX. */
bool num_add(int64_t a, int64_t b, int64_t *out);
bool num_mul(int64_t a, int64_t b, int64_t *out);

/* Value of a hexadecimal digit, -1 when it is none. */
int num_hex_digit(char c);

/* Writes `size` bytes as 2 * size lower-case hexadecimal digits and a NUL. */
void num_print_hex(const void *bytes, size_t size, char *to);

#endif
