/* lib/http/authority.h - the host that an URL names, without a doubt.   RFC 3986 section 3.2
 * SPDX-License-Identifier: BSD-2-Clause
 * For URLs that other programs will read, whose parsers differ from each other: what could be read
 * in two ways is refused. What we fetch ourselves is looked at when it is connected to. */
#ifndef SLUICE_HTTP_AUTHORITY_H
#define SLUICE_HTTP_AUTHORITY_H

#include <stdbool.h>

#include "lib/base/span.h"

/* Whether it is an http or https address that can stand in an answer or a request as it is: with a
 * host, and of no other characters than addresses have. */
bool authority_is_address(struct span url);

/* Whether it is one that viewers may be told: without a name or a password before the host. */
bool authority_is_shown(struct span url);

/* The host of an http or https URL into *host, without the brackets of an IPv6 address. False when
 * there is none, or anything but a name or address and a port: a user, a percent escape, a
 * backslash, letters of other alphabets. */
bool authority_host(struct span url, struct span *host);

/* The same of "host", "host:port" or "[v6]:port" alone, and the digits of the port, 1 to 65535;
 * *port is empty when none is said. Both point into `authority`. */
bool authority_split(struct span authority, struct span *host, struct span *port);

/* Whether the host is, in any spelling, an address that is not public (cidr_is_private()), or a
 * name that only this host or its network can mean: localhost, *.local, *.internal, one without a
 * dot. */
bool authority_is_private(struct span host);

#endif
