/* lib/http/date.h - times as HTTP writes them.                       RFC 9110 section 5.6.7
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_DATE_H
#define SLUICE_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"

enum { DATE_BYTES = 30 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */

/* Seconds since the epoch, 0 to the end of the year 9999, as an IMF-fixdate. What lies outside is
 * printed as the nearest that does not. */
void date_print(int64_t s, char to[DATE_BYTES]);

/* Reads one of the three forms (IMF-fixdate, RFC 850, asctime) into *s. `now_s` tells in which
 * century a year of two digits lies: not more than 50 years ahead. False, with *s untouched, for
 * anything else, for NULL, and for what lies outside those years. */
bool date_parse(const char *text, int64_t now_s, int64_t *s);

/* Reads the time of a line in the common log format, "27/Nov/2026:09:54:47 +0100". False, with *s
 * untouched, for anything else and for what lies outside those years. */
bool date_parse_log(struct span text, int64_t *s);

#endif
