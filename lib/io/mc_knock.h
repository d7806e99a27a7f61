/* lib/io/mc_knock.h - whether anybody is at home where a memcached server did not answer.
 * SPDX-License-Identifier: BSD-2-Clause
 * A question to a server that hangs costs its whole time limit. After an outage it is knocked at
 * first, with a connection of its own and little patience: whoever says anything at all, or hangs
 * up, is awake, and may be asked by those who know its language. */
#ifndef SLUICE_IO_MC_KNOCK_H
#define SLUICE_IO_MC_KNOCK_H

#include <stdbool.h>

#include "lib/io/mc_link.h"

/* True when the server at `address` accepts a connection and reacts within `wait_ms`, or when it
 * refuses at once, so that a question costs nothing either. */
bool mc_knock(const struct mc_address *address, int wait_ms);

#endif
