/* lib/http/cidr.h - which addresses may be reached.     RFC 6890, 4291, 6052, 3056, 9637
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_CIDR_H
#define SLUICE_HTTP_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"

/* An address of either family; IPv4 as v4-mapped IPv6 (::ffff:a.b.c.d). */
struct cidr_address {
	uint8_t bytes[16];
};

struct cidr {
	struct cidr_address base;
	int bits;			/* of the 128 */
	uint16_t first_port, last_port; /* both inclusive */
};

/* Reads "CIDR", "CIDR:port", "CIDR:port-port", "[v6 CIDR]:port"; without "/bits" one address is
 * meant. False, *out untouched, for anything else. */
bool cidr_parse(struct span text, struct cidr *out);

bool cidr_holds(const struct cidr *c, const struct cidr_address *a, uint16_t port);

/* Whether an address is none of the public internet's: loopback, private, link-local (cloud
 * metadata too), carrier-grade NAT, multicast, unspecified, documentation and reserved ranges, and
 * what carries such an IPv4 address inside (mapped, NAT64, 6to4, compatible). */
bool cidr_is_private(const struct cidr_address *a);

struct cidr_address cidr_from_v4(const uint8_t bytes[4]);

#endif
