/* lib/svc/source_http.h - addresses made from a template, as a source.
 * SPDX-License-Identifier: BSD-2-Clause
 * `url` holds {id} and maybe {quality}: low, medium or high; 144p to 1080p; source. It lists
 * nothing. */
#ifndef SLUICE_SVC_SOURCE_HTTP_H
#define SLUICE_SVC_SOURCE_HTTP_H

#include "lib/svc/source.h"

extern const struct source_type source_http;

/* Its program is what makes addresses (lib/svc/resolve.h); `url` may make a page of an id. */
extern const struct source_type source_command;

/* Puts the address of `key` together: every {id} and {quality} of `url` is replaced, each escaped.
 * Fails: FAIL_INPUT for one that is too long. */
int source_http_fill(const struct conf_source *source, const char *key, const char *quality,
	struct buf *url, struct fail *f);

/* Whether the address depends on the quality. */
bool source_http_has_qualities(const struct conf_source *source);

#endif
