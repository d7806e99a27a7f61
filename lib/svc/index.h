/* lib/svc/index.h - the index records of films, kept.
 * SPDX-License-Identifier: BSD-2-Clause
 * state_dir/idx/{id} on this host's disk, and family "idx" of memcached for the others. Losing one
 * costs some milliseconds. A record is of use while its validator is what the source is now; the
 * file's modification time says when that was last seen. */
#ifndef SLUICE_SVC_INDEX_H
#define SLUICE_SVC_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct conf;
struct mc;

enum { INDEX_TTL_S = 86400, INDEX_LOOK_MS = 3600 * 1000 };

/* Adds the encoded record of `id` to `to`, of at least RECORD_MAX_BYTES, as it was put: whether it
 * is right, record_decode() says. False when there is none. */
bool index_load(const struct conf *conf, struct mc *mc, const char *id, struct buf *to);

/* Keeps it, as far as there is room. */
void index_save(const struct conf *conf, struct mc *mc, const char *id, struct span record);

/* Forgets it, here and in memcached. */
void index_drop(const struct conf *conf, struct mc *mc, const char *id);

/* The source was seen to be what the record says; and whether that was less than an hour ago. */
void index_confirm(const struct conf *conf, const char *id);
bool index_is_fresh(const struct conf *conf, const char *id);

#endif
