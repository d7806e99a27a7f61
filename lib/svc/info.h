/* lib/svc/info.h - what a program says of a title: asked once an hour.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_INFO_H
#define SLUICE_SVC_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/svc/resolve.h"
#include "lib/svc/resolved.h"

/* What is known of it, asked for and waited for at most `wait_ms` when nothing is; with 0 it is
 * only looked for. RESOLVED_FOUND: texts live in `arena`; its addresses may have ended.
 * RESOLVED_WAIT and RESOLVED_FAILED: as resolved_find(). */
enum resolved_result info_await(const struct resolved_at *at, const struct resolve *what,
	int64_t wait_ms, struct arena *arena, struct offer *out, int64_t *retry_s, struct fail *f);

#endif
