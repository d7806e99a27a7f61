/* lib/http/html.h - text that stands in a page.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_HTML_H
#define SLUICE_HTTP_HTML_H

#include "lib/base/buf.h"

/* Adds `text` so that it is only text, between tags and in quoted attributes. */
void html_escape(struct buf *to, const char *text);

#endif
