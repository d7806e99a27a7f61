/* lib/http/proxy_head.h - the head of a request that is sent to a proxy.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: RFC 9110 sections 7.6.1, 9.3.6 and 11.7, RFC 9112 section 3.2. Two forms: CONNECT
 * host:port, which wants a tunnel, and METHOD http://host[:port]/path. */
#ifndef SLUICE_HTTP_PROXY_HEAD_H
#define SLUICE_HTTP_PROXY_HEAD_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum { PROXY_HOST_MAX = 256 };

struct proxy_head {
	char host[PROXY_HOST_MAX], port[8]; /* a name or address without brackets; 1 to 65535 */
	bool tunnel;
	struct span method, rest; /* no tunnel: "/path HTTP/1.1" and all that follows */
	struct span credentials;  /* what was sent for the scheme Basic, in base64; may be empty */
};

/* Reads `head`, which ends with its empty line or goes on with the beginning of a body; *out points
 * into it. False for anything but the two forms, and for a field that goes on in a second line. */
bool proxy_head_read(struct span head, struct proxy_head *out);

/* Adds to `to` what the host is to get of a request that wants no tunnel: its fields without those
 * that are between a program and its proxy alone, and that it is the only one of its connection,
 * for the next one may be for another host. */
void proxy_head_print(const struct proxy_head *h, struct buf *to);

#endif
