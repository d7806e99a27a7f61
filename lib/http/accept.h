/* lib/http/accept.h - what a client would rather have.    RFC 9110 sections 12.4.2, 12.5.1, 12.5.3
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_ACCEPT_H
#define SLUICE_HTTP_ACCEPT_H

#include <stdbool.h>

enum { ACCEPT_UNSAID = -1, ACCEPT_MAX = 1000 };

/* The weight, 0 (never) to ACCEPT_MAX, that `header`, the value of an Accept or Accept-Encoding
 * field or NULL, gives to `name`: a media type "text/html" or a coding "gzip". What names it
 * exactly counts before "text/?" (with an asterisk), and that before a bare asterisk; of equals the
 * first. Parameters but q are passed over, and so is an element that makes no sense.
 * ACCEPT_UNSAID when nothing in it speaks of `name`. */
int accept_weight(const char *header, const char *name);

/* The coding to send, of those that are there and identity: "br", "gzip", or NULL for the bytes as
 * they are. Of equal weight the smaller one. */
const char *accept_coding(const char *header, bool has_br, bool has_gzip);

#endif
