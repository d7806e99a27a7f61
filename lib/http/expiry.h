/* lib/http/expiry.h - when a URL itself says that it ends.
 * SPDX-License-Identifier: BSD-2-Clause
 * Signed addresses carry their end: as a parameter in seconds since the epoch (expires, expire,
 * exp, e, and in a token such as Akamai's hdnts), as a moment and a life (X-Amz-Date and
 * X-Amz-Expires, the same of Google's and Alibaba's), as a date (Azure's se), or as two parts of
 * the path
 * (/expire/1763000000/). */
#ifndef SLUICE_HTTP_EXPIRY_H
#define SLUICE_HTTP_EXPIRY_H

#include <stdint.h>

#include "lib/base/span.h"

/* The soonest end that `url` names, in milliseconds since the epoch; 0 when it names none. Figures
 * that are no moment of this century are passed over, since names as short mean other things
 * too. */
int64_t expiry_of_url(struct span url);

/* Until when something may be used that was made at `now_ms` and ends at `end_ms` (0: it does not
 * say; then `usual_ms` later): a little before, since clocks differ and fetching takes a while. */
int64_t expiry_with_margin(int64_t now_ms, int64_t end_ms, int64_t usual_ms);

#endif
