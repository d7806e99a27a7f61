/* lib/base/span.h - a piece of text that is not ours and need not end in NUL.
 * SPDX-License-Identifier: BSD-2-Clause
 * A span borrows: it is good as long as the bytes under it are. ptr may be NULL when len is 0. */
#ifndef SLUICE_BASE_SPAN_H
#define SLUICE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *ptr;
	size_t len; /* bytes */
};

/* The text of a string (NULL gives the empty span). */
struct span span_of(const char *s);

struct span span_make(const char *ptr, size_t len);

bool span_is(struct span a, const char *s);	   /* equal, byte for byte */
bool span_is_nocase(struct span a, const char *s); /* equal, ASCII letters folded */
bool span_eq(struct span a, struct span b);
bool span_starts(struct span a, const char *prefix);
bool span_ends(struct span a, const char *suffix);

/* Without spaces and tabs at either end. */
struct span span_trim(struct span a);

/* Takes what stands before the next `sep` out of *rest into *part. The last part is what remains
 * when there is no `sep` left. False, with both untouched, when *rest has been used up
 * (rest->ptr is NULL then). An empty text gives one empty part. */
bool span_next(struct span *rest, char sep, struct span *part);

/* Copies into `to`, which holds `size` bytes, with a NUL. False, with `to` empty, when it does not
 * fit or holds a NUL itself. */
bool span_copy(struct span a, char *to, size_t size);

/* Bytes of the well-formed UTF-8 character at the front (RFC 3629 section 4); 0: there is none. */
size_t span_character(struct span text);

#endif
