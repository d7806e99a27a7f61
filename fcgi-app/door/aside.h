/* fcgi-app/door/aside.h - a thread for one answer that lasts.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_DOOR_ASIDE_H
#define SLUICE_DOOR_ASIDE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Runs `run(ctx)` in a thread of its own, which counts in *count as long as it is there. False when
 * there can be none. */
bool aside_start(atomic_int *count, void (*run)(void *ctx), void *ctx);

#endif
