/* lib/io/mc_servers.h - the list of memcached servers as it is written in the configuration.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_MC_SERVERS_H
#define SLUICE_IO_MC_SERVERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

struct mc_server_name {
	char text[272]; /* as written */
	char host[256]; /* without port and brackets; a path begins with '/' */
	uint16_t port;	/* 0 for a path */
};

/* Reads "host[:port]", "[IPv6]:port" and "/path.sock", separated by blanks, into out[0..max).
 * Fails: FAIL_INPUT, naming what is wrong; *count and *out are undefined then. */
int mc_servers_parse(
	const char *text, struct mc_server_name *out, size_t max, size_t *count, struct fail *f);

/* Replaces host by an address in digits, by asking the resolver when it is a name (IPv4 before
 * IPv6), or by "" when it has none. A path stays. */
void mc_servers_look_up(struct mc_server_name *name);

#endif
