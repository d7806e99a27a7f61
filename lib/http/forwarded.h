/* lib/http/forwarded.h - who asks, when proxies stand between.                    RFC 7239
 * SPDX-License-Identifier: BSD-2-Clause
 * Anybody can send these fields. What counts is what a proxy that we trust has added at the right
 * end, and what that one had from another one that we trust: the first address from the right that
 * is none of theirs is the client's. */
#ifndef SLUICE_HTTP_FORWARDED_H
#define SLUICE_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/http/cidr.h"

enum forwarded_field {
	FORWARDED_X_FOR, /* X-Forwarded-For: addresses apart by commas, IPv6 maybe in brackets */
	FORWARDED_RFC	 /* Forwarded: for="[2001:db8::1]:4711";proto=https, … */
};

/* The client's address into *out: `remote`, the address of who is connected to the front server, or
 * what the field says where that is one of `trusted`. `values` are the field's, in the order in
 * which they came. What is no address ends the search at the proxy that said it. False when
 * `remote` is no address: then nothing is known. */
bool forwarded_client(const char *remote, enum forwarded_field field, const char *const *values,
	size_t value_count, const struct cidr *trusted, size_t trusted_count,
	struct cidr_address *out);

/* The client by which requests are counted: an IPv4 address, or the first 64 bits of an IPv6
 * address, which a household has as many of as it likes. */
struct cidr_address forwarded_counted(const struct cidr_address *client);

#endif
