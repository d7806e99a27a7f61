/* lib/io/guard.h - a proxy that lets a program of somebody else's out, to public addresses.
 * SPDX-License-Identifier: BSD-2-Clause
 * A program that is given an address by a user may be led anywhere by it, by redirects and by names
 * that change. It is started with http_proxy and https_proxy, which lead here: CONNECT and
 * absolute-form requests (lib/http/proxy_head.h), whose names are looked up here, and no connection
 * is made to what is no public address, but for those that the policy allows. Other users of this
 * host are refused: the variables hold a secret (RFC 7617). One process on a port of loopback, and
 * a process for each connection; all die with the caller. */
#ifndef SLUICE_IO_GUARD_H
#define SLUICE_IO_GUARD_H

#include "lib/base/fail.h"
#include "lib/io/child.h"
#include "lib/io/fetch.h"

struct guard {
	struct child child; /* pid 0: none */
	char url[96];	    /* http://user:secret@127.0.0.1:port */
};

/* `egress` is the address of ours to connect from; "" for any. Fails: FAIL_INTERNAL, FAIL_INPUT for
 * a policy that cannot be read. */
int guard_start(
	struct guard *g, const struct fetch_policy *policy, const char *egress, struct fail *f);
void guard_stop(struct guard *g); /* accepts a zeroed one */

#endif
