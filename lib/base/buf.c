/* lib/base/buf.c - bytes that grow, up to a maximum.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->ptr)
		b->ptr[0] = '\0';
}

/* Room for `len` more bytes and the NUL. */
static bool reserve(struct buf *b, size_t len)
{
	size_t size = b->size ? b->size : 256;
	char *p;

	if (b->failed || len > b->max - b->len) {
		b->failed = true;
		return false;
	}
	if (b->len + len < b->size)
		return true;
	while (size <= b->len + len)
		size *= 2;
	p = realloc(b->ptr, size);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->ptr = p;
	b->size = size;
	return true;
}

bool buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len)
		memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	b->ptr[b->len] = '\0';
	must(b->len < b->size && b->len <= b->max);
	return true;
}

bool buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_putc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	bool fits;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	must(n >= 0);
	fits = reserve(b, (size_t)n);
	if (fits) {
		vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
	return fits;
}

void buf_drop(struct buf *b, size_t len)
{
	must(len <= b->len);
	if (len == 0)
		return;
	memmove(b->ptr, b->ptr + len, b->len - len + 1);
	b->len -= len;
}

const char *buf_str(const struct buf *b)
{
	return b->ptr ? b->ptr : "";
}

struct span buf_span(const struct buf *b)
{
	return span_make(buf_str(b), b->len);
}
