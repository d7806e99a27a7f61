/* lib/svc/memo.h - what was found out, kept for a while: on this host and in memcached.
 * SPDX-License-Identifier: BSD-2-Clause
 * On this host it is a file (mode 0600) below state_dir "/memo", so that all goes on without
 * memcached, each host for itself; in memcached it is there for the others. Values may hold
 * secrets. The janitor removes files that have ended. */
#ifndef SLUICE_SVC_MEMO_H
#define SLUICE_SVC_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

struct conf;
struct mc;

enum { MEMO_VALUE_MAX = 512 * 1024, MEMO_KEY_MAX = 1024 /* bytes */ };

/* `family` is a key family of memcached (lib/io/mc.h); `key` has no line break. Adds the value to
 * `value` and sets *ends_ms (may be NULL); false, with `value` untouched, when there is none that
 * is good now. `mc` NULL: only this host is asked. */
bool memo_get(const struct conf *conf, struct mc *mc, const char *family, const char *key,
	struct buf *value, int64_t *ends_ms);

/* What the others have alone: memcached. What this host has may be older than that. */
bool memo_get_shared(
	struct mc *mc, const char *family, const char *key, struct buf *value, int64_t *ends_ms);

/* Keeps it until `ends_ms`, in place of what was there. False when this host cannot keep it. */
bool memo_put(const struct conf *conf, struct mc *mc, const char *family, const char *key,
	struct span value, int64_t ends_ms);

/* Here, and there; with `mc` NULL here alone. */
void memo_drop(const struct conf *conf, struct mc *mc, const char *family, const char *key);
void memo_drop_shared(struct mc *mc, const char *family, const char *key);

/* For the janitor: removes what has ended in one part of `parts`; returns how many files went. */
enum { MEMO_PARTS = 256 };
size_t memo_sweep(const struct conf *conf, int part);

#endif
