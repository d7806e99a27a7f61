/* lib/io/mc_value.h - how a value lies in memcached, so that nothing foreign is taken for ours.
 * SPDX-License-Identifier: BSD-2-Clause
 *   "SLU" version(1) family length(1) key length(2) payload length(4) family key payload
 * Numbers are unsigned and big-endian. Bump the version when any payload changes its meaning: what
 * older and newer programs wrote is a miss then. */
#ifndef SLUICE_IO_MC_VALUE_H
#define SLUICE_IO_MC_VALUE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum { MC_VALUE_VERSION = 1, MC_VALUE_HEAD = 11 };

/* Adds the whole to `to`. False when it does not fit there or a length above is too small for it;
 * nothing is added then. */
bool mc_value_pack(struct buf *to, struct span family, struct span key, struct span payload);

/* True when `raw` is exactly what mc_value_pack() makes of this family and key and some payload:
 * *payload is that, and borrows from raw. False, with *payload untouched, for anything else. */
bool mc_value_unpack(struct span raw, struct span family, struct span key, struct span *payload);

#endif
