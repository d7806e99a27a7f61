/* lib/http/charset.h - text files as people have them, as UTF-8.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_CHARSET_H
#define SLUICE_HTTP_CHARSET_H

#include "lib/base/buf.h"
#include "lib/base/span.h"

/* Appends `bytes` as well-formed UTF-8: UTF-8 or UTF-16 by their mark, UTF-16 without one where
 * every other byte is zero, UTF-8 where they are that, and else Windows-1252. A mark is left out,
 * and NUL too; what is no character is U+FFFD. */
void charset_decode(struct span bytes, struct buf *to);

#endif
