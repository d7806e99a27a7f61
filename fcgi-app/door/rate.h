/* fcgi-app/door/rate.h - how often a client may ask.
 * SPDX-License-Identifier: BSD-2-Clause
 * Requests are counted by client and family of addresses in windows of a minute, in memcached, for
 * all processes and hosts together; without an answer from there everybody may. A client is what
 * lib/http/forwarded.h says, by trusted_proxies. All may be called by several threads at once. */
#ifndef SLUICE_DOOR_RATE_H
#define SLUICE_DOOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/door/route.h"
#include "lib/base/fail.h"

struct conf;
struct mc;
struct rate;

/* Borrows both. Fails: FAIL_INTERNAL; FAIL_INPUT for what trusted_proxies cannot mean. */
int rate_open(struct rate **out, const struct conf *conf, struct mc *mc, struct fail *f);
void rate_close(struct rate **r);

/* A number for the client: its IPv4 address, or 64 bits of its IPv6 address. 0 for this host, and
 * where nobody says who asks; 1 where the header that names the client came twice. */
uint64_t rate_client(const struct rate *r, struct request *rq);

/* Counts the request that goes to `route`. Fails: FAIL_LIMITED, with what Retry-After and
 * RateLimit-… say in the reply; FAIL_INPUT where the header that names the client came twice, in
 * two spellings. Families that few may ask for say RateLimit-… with every answer. */
int rate_check(struct rate *r, const struct route *route, struct request *rq, struct reply *reply,
	struct fail *f);

/* Counts a request for `what`, for which a program has to be run (rate_resolve); of those for the
 * same thing within a minute only the first. Fails: as rate_check(). */
int rate_program(
	struct rate *r, const char *what, struct request *rq, struct reply *reply, struct fail *f);

#endif
