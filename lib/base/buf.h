/* lib/base/buf.h - bytes that grow, up to a maximum.
 * SPDX-License-Identifier: BSD-2-Clause
 * Adding past the maximum (or without memory) changes nothing and sets `failed`, which stays set:
 * build the whole text, then ask once. The bytes are always followed by a NUL that is not
 * counted. */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/span.h"

struct buf {
	char *ptr; /* owned; never NULL after the first successful add */
	size_t len, size, max;
	bool failed;
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_release(struct buf *b);	  /* accepts a zeroed buf */
void buf_clear(struct buf *b);		  /* empty again, memory kept, `failed` forgotten */

bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_putc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first `len` bytes (len <= b->len). */
void buf_drop(struct buf *b, size_t len);

/* The text as a string: "" while nothing has been added. */
const char *buf_str(const struct buf *b);

struct span buf_span(const struct buf *b);

#endif
