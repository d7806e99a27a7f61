/* lib/base/fail.c - why a call failed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail_set(struct fail *f, enum fail_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return -1;
	f->kind = kind;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return -1;
}

int fail_errno(struct fail *f, enum fail_kind kind, int err, const char *fmt, ...)
{
	char words[80], text[sizeof(f->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text[sizeof(text) - sizeof(words)] = '\0';
	return fail_set(f, kind, "%s: %s", text, strerror_r(err, words, sizeof(words)));
}

const char *fail_name(enum fail_kind kind)
{
	static const char *const names[] = {
		[FAIL_NONE] = "none",
		[FAIL_INPUT] = "input",
		[FAIL_FORBIDDEN] = "forbidden",
		[FAIL_MISSING] = "missing",
		[FAIL_CONFLICT] = "conflict",
		[FAIL_RANGE] = "range",
		[FAIL_BUSY] = "busy",
		[FAIL_UPSTREAM] = "upstream",
		[FAIL_TIMEOUT] = "timeout",
		[FAIL_GONE] = "gone",
		[FAIL_INTERNAL] = "internal",
		[FAIL_LIMITED] = "limited",
	};

	if ((unsigned)kind >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[kind];
}
