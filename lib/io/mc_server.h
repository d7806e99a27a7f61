/* lib/io/mc_server.h - one memcached server: its links, and the breaker that spares us its silence.
 * SPDX-License-Identifier: BSD-2-Clause
 * A question costs at most MC_CONNECT_MS + MC_ANSWER_MS. After one that was not answered the server
 * is away: for MC_RETRY_MS nobody is kept waiting, then one thread at a time tries it, after it has
 * knocked (mc_knock.h), which costs MC_KNOCK_MS where it still hangs. Where processes share a
 * board, one of them that waited in vain spares the others their own wait. */
#ifndef SLUICE_IO_MC_SERVER_H
#define SLUICE_IO_MC_SERVER_H

#include <stdbool.h>

#include "lib/io/mc.h"
#include "lib/io/mc_link.h"
#include "lib/io/mc_servers.h"

enum { MC_RETRY_MS = 3000, MC_KNOCK_MS = 40 };

struct mc_server;

/* One at `name`, whose host has been looked up ("": it is away for ever). `user` and `password` are
 * borrowed for as long as it is open. NULL without memory. */
struct mc_server *mc_server_open(
	const struct mc_server_name *name, const char *user, const char *password);

/* Not while other threads ask it. */
void mc_server_close(struct mc_server **server);

/* Counts outages and failures on `board` (may be NULL) from now on. */
void mc_server_report(struct mc_server *server, struct board *board);

/* Asks, by any thread. `accept` (may be NULL) is called with a value that was found, while it is
 * good; false from it makes the answer MC_LINK_MISS. A server that is away gives MC_LINK_LATE. */
enum mc_link_result mc_server_ask(struct mc_server *server, const struct mc_question *question,
	struct mc_answer *answer, bool (*accept)(void *ctx, struct span value), void *ctx);

/* How it does, as far as this process knows. */
void mc_server_state(struct mc_server *server, struct mc_server_state *out);

#endif
