/* lib/svc/source_m3u.h - a list of channels (M3U) as a source.
 * SPDX-License-Identifier: BSD-2-Clause
 * From an address or a file. A channel's key is a hash of its guide's id and its name, or of its
 * address's path and its name where it has no such id: the same in every list that calls it so.
 * What plays a file (by its ending) is a film. */
#ifndef SLUICE_SVC_SOURCE_M3U_H
#define SLUICE_SVC_SOURCE_M3U_H

#include "lib/http/m3u.h"
#include "lib/svc/source.h"

extern const struct source_type source_m3u;

enum { SOURCE_M3U_KEY_BYTES = 18 };

/* Makes rows of a list's pieces, for tests: the rows of `list`, which came from `base`, to `sink`.
 * Fails: FAIL_UPSTREAM for what is no list, or what the sink failed with. */
int source_m3u_rows(
	struct span list, const char *base, const struct source_sink *sink, struct fail *f);

/* `url` made whole by `base`, into `to`. False for what no one can fetch by http or https. */
bool source_m3u_resolve(struct span url, const char *base, struct buf *to);

#endif
