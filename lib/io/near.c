/* lib/io/near.c - how far a word is from what may have been meant.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/near.h"

#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

size_t near_distance(const char *a, const char *b)
{
	size_t row[64], n = strnlen(b, 62);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, corner + (*a != b[j - 1]));
			corner = above;
		}
	}
	return row[n];
}
