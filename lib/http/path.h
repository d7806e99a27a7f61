/* lib/http/path.h - the path and query of a request target, decoded once.   RFC 9112 3.2, RFC 3986
 * SPDX-License-Identifier: BSD-2-Clause
 * Both forms that reach a FastCGI program are read: "/a/b?q" and "http://host/a/b?q", whose
 * authority is ignored. What two readers could understand in two ways is refused, not repaired:
 * control bytes, an encoded slash or NUL, broken escapes, "." and ".." parts, bytes that are no
 * UTF-8. */
#ifndef SLUICE_HTTP_PATH_H
#define SLUICE_HTTP_PATH_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

enum { PATH_MAX_PARTS = 16, PATH_MAX_TARGET = 8192 /* bytes */ };

struct path {
	struct span raw;   /* the path as it was sent, without the query */
	struct span query; /* as it was sent, without '?'; empty when there is none */
	struct span parts[PATH_MAX_PARTS]; /* decoded, without slashes: "/a/b/" is "a", "b", "" */
	size_t count;			   /* "/" has none */
};

/* Reads `target`. The decoded parts live in `arena`, the rest borrows from `target`.
 * Fails: FAIL_INPUT for what is refused above or longer than PATH_MAX_TARGET; FAIL_MISSING for more
 * than PATH_MAX_PARTS parts (no such path can exist). */
int path_parse(struct path *p, const char *target, struct arena *arena, struct fail *f);

/* Decodes percent escapes (and, with `plus`, '+' as a blank) from `text` into `arena`.
 * Fails: FAIL_INPUT for a broken escape, NUL, or bytes that are no UTF-8. */
int path_decode(struct span text, bool plus, struct arena *arena, struct span *out, struct fail *f);

/* Whether all of `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool path_is_utf8(struct span text);

#endif
