/* lib/http/mime.h - the media types of what we publish, by the ending of its name.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_MIME_H
#define SLUICE_HTTP_MIME_H

#include "lib/base/span.h"

/* The value of Content-Type for a file of that name; "application/octet-stream" for an ending that
 * we do not know. The front servers' configurations say the same. */
const char *mime_type(struct span name);

/* The ending, without its dot, of files of a media type, whatever parameters follow it: "webm".
 * NULL for a type that we do not publish. */
const char *mime_suffix(const char *type);

#endif
