/* fcgi-app/processes/packager/ahead.c - asks the disk for what a job will read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/ahead.h"

#include <fcntl.h>

#include "lib/hls/record.h"
#include "lib/svc/package.h"

/* An index takes the beginning, and tables at the end. */
enum { HEAD_BYTES = 256 << 10, TAIL_BYTES = 256 << 10 };

static void ask(int source, uint64_t from, uint64_t until)
{
	if (from < until && until <= INT64_MAX)
		posix_fadvise(source, (off_t)from, (off_t)(until - from), POSIX_FADV_WILLNEED);
}

void ahead_ask(int source, uint64_t size, const struct package_request *rq, const struct record *r)
{
	if (!r) {
		ask(source, 0, HEAD_BYTES);
		ask(source, size > TAIL_BYTES ? size - TAIL_BYTES : 0, size);
	} else if (rq->part == PACKAGE_SEGMENT && rq->n < r->segments) {
		ask(source, r->pos[rq->n], r->pos[rq->n + 1]);
	}
}
