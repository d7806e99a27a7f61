/* lib/svc/setback.h - what has failed is left alone for a while, longer each time.
 * SPDX-License-Identifier: BSD-2-Clause
 * 10 s at first, twice as long each time it fails again, 5 min at most; forgotten 10 min after its
 * end. Kept as lib/svc/memo.h keeps things, under the key family `neg`. */
#ifndef SLUICE_SVC_SETBACK_H
#define SLUICE_SVC_SETBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"

struct conf;
struct mc;

enum { SETBACK_MS = 10000, SETBACK_MAX_MS = 300000, SETBACK_MEMORY_MS = 600000 };

/* Whether `key` is left alone now, as this host or, with `mc`, another one has found; then *why
 * says what failed and *retry_s for how long yet. */
bool setback_holds(const struct conf *conf, struct mc *mc, const char *key, struct fail *why,
	int64_t *retry_s);

/* It has failed. */
void setback_add(const struct conf *conf, struct mc *mc, const char *key, const struct fail *why);

/* It is well again. */
void setback_clear(const struct conf *conf, struct mc *mc, const char *key);

#endif
