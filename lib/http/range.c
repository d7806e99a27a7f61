/* lib/http/range.c - one byte range of a known size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/range.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/base/span.h"

/* Digits as a number; one beyond int64 is the largest there is, which is past every size. */
static bool read_position(struct span digits, int64_t *out)
{
	int64_t n = 0;

	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		int64_t digit = digits.ptr[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		n = n > (INT64_MAX - digit) / 10 ? INT64_MAX : n * 10 + digit;
	}
	*out = n;
	return true;
}

/* "-500": the last 500 bytes, or all of a shorter body. */
static enum range_result suffix(struct span digits, int64_t size, struct range *out)
{
	int64_t length;

	if (!read_position(digits, &length))
		return RANGE_NONE;
	if (length == 0)
		return RANGE_UNSATISFIABLE;
	if (size == 0)
		return RANGE_NONE; /* satisfiable, but Content-Range cannot say it */
	*out = (struct range){length < size ? size - length : 0, size - 1};
	return RANGE_OK;
}

enum range_result range_parse(const char *header, int64_t size, struct range *out)
{
	struct span set = span_of(header), unit, from;
	int64_t first, last = INT64_MAX;

	must(size >= 0);
	if (!memchr(set.ptr ? set.ptr : "", '=', set.len) || !span_next(&set, '=', &unit) ||
		!span_is_nocase(span_trim(unit), "bytes"))
		return RANGE_NONE;
	set = span_trim(set);
	if (!set.len || !memchr(set.ptr, '-', set.len))
		return RANGE_NONE;
	span_next(&set, '-', &from);
	if (from.len == 0)
		return suffix(set, size, out);
	if (!read_position(from, &first) || (set.len && !read_position(set, &last)))
		return RANGE_NONE; /* a comma too: several ranges */
	if (last < first)
		return RANGE_NONE;
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	*out = (struct range){first, last < size ? last : size - 1};
	return RANGE_OK;
}

bool range_of_content(const char *header, struct range *part, int64_t *size)
{
	struct span rest = span_trim(span_of(header)), unit, first, last;
	struct range r;
	int64_t total;

	if (!memchr(rest.ptr ? rest.ptr : "", ' ', rest.len) || !span_next(&rest, ' ', &unit) ||
		!span_is_nocase(unit, "bytes"))
		return false;
	rest = span_trim(rest);
	if (!span_next(&rest, '-', &first) || !rest.ptr || !span_next(&rest, '/', &last) ||
		!rest.ptr || !read_position(first, &r.first) || !read_position(last, &r.last) ||
		!read_position(rest, &total) || r.last < r.first || r.last >= total ||
		total == INT64_MAX)
		return false;
	*part = r;
	*size = total;
	return true;
}
