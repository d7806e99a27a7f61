/* lib/base/span.c - a piece of text that is not ours.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/span.h"

#include <string.h>
#include <strings.h>

#include "lib/base/must.h"

struct span span_of(const char *s)
{
	return (struct span){s, s ? strlen(s) : 0};
}

struct span span_make(const char *ptr, size_t len)
{
	must(ptr || len == 0);
	return (struct span){ptr, len};
}

bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

bool span_is_nocase(struct span a, const char *s)
{
	return a.len == strlen(s) && (a.len == 0 || strncasecmp(a.ptr, s, a.len) == 0);
}

bool span_starts(struct span a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && (n == 0 || memcmp(a.ptr, prefix, n) == 0);
}

bool span_ends(struct span a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.len >= n && (n == 0 || memcmp(a.ptr + a.len - n, suffix, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span a)
{
	while (a.len && is_blank(a.ptr[0])) {
		a.ptr++;
		a.len--;
	}
	while (a.len && is_blank(a.ptr[a.len - 1]))
		a.len--;
	return a;
}

bool span_next(struct span *rest, char sep, struct span *part)
{
	const char *at;

	if (!rest->ptr)
		return false;
	at = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
	if (!at) {
		*part = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	*part = span_make(rest->ptr, (size_t)(at - rest->ptr));
	*rest = span_make(at + 1, rest->len - part->len - 1);
	return true;
}

bool span_copy(struct span a, char *to, size_t size)
{
	must(size > 0);
	to[0] = '\0';
	if (a.len >= size || (a.len && memchr(a.ptr, '\0', a.len)))
		return false;
	if (a.len)
		memcpy(to, a.ptr, a.len);
	to[a.len] = '\0';
	return true;
}

size_t span_character(struct span text)
{
	const unsigned char *s = (const unsigned char *)text.ptr;
	size_t n;

	if (text.len == 0)
		return 0;
	n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n == 0 || n > text.len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}
