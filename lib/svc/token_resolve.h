/* lib/svc/token_resolve.h - a channel's origins are asked, in order, until one gives an address.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_TOKEN_RESOLVE_H
#define SLUICE_SVC_TOKEN_RESOLVE_H

#include "lib/svc/token.h"

struct lease_env;

/* Asks for channel `id`, blocking, and replaces *t, what is known so far (zeroed for nothing), with
 * what came of it and how long that is good.
 * An origin that has failed lately (lib/svc/breaker.h) is left out as long as there is another; so
 * is one whose account has no connection left: a gateway that sends the stream instead of a
 * redirect would cut somebody else's for it. The answer of a gateway to one account's limit or to
 * its own trouble is the reason to ask the next; when none gives an address, the first one's
 * refusal is told, a limit before anything else. */
void token_resolve(
	const struct conf *conf, const struct lease_env *env, const char *id, struct token *t);

#endif
