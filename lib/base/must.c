/* lib/base/must.c - stops the process on a mistake of our own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_failed(const char *file, int line, const char *cond)
{
	fprintf(stderr, "%s:%d: must hold: %s\n", file, line, cond);
	abort();
}
