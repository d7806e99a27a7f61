/* lib/http/query.h - the parameters of a query.            application/x-www-form-urlencoded
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_QUERY_H
#define SLUICE_HTTP_QUERY_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

enum { QUERY_MAX = 100 /* parameters */ };

struct query_param {
	struct span name, value; /* decoded */
};

struct query {
	struct query_param params[QUERY_MAX];
	size_t count;
};

/* Reads `text` (what stands after '?'), undoing escapes; '+' is a blank. The parts live in `arena`.
 * Empty pieces between '&' are passed over.
 * Fails: FAIL_INPUT for more than QUERY_MAX parameters, a broken escape, NUL, or no UTF-8. */
int query_parse(struct query *q, struct span text, struct arena *arena, struct fail *f);

/* The value of the first parameter `name` into *out; false, *out untouched, when there is none. */
bool query_get(const struct query *q, const char *name, struct span *out);

#endif
