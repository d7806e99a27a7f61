/* lib/http/redact.h - addresses of upstreams without their secrets, for logs and messages.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_REDACT_H
#define SLUICE_HTTP_REDACT_H

#include <stddef.h>

/* Writes `url` without user information, with every part of its path but the last one's ending as
 * "…" and without its query: "http://gw:8080/…/…/…/8.ts?…" becomes "http://gw:8080/….ts?…". What
 * is no http(s) URL gives "…". `size` >= 8; a long result is cut. */
void redact_url(const char *url, char *to, size_t size);

#endif
