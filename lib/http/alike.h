/* lib/http/alike.h - whether two sources mean one channel by two names.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_ALIKE_H
#define SLUICE_HTTP_ALIKE_H

#include <stddef.h>

#include "lib/base/span.h"

/* Writes what is left of a channel's name when case, accents, blanks, punctuation and words about
 * its quality do not count: "UK | BBC One FHD" and "uk: bbc one (HD)" are both "ukbbcone". A name
 * of which nothing is left is folded only (lib/http/text.h). Gives the length in bytes. */
size_t alike_name(struct span name, char *to, size_t size);

#endif
