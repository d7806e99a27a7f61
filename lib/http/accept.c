/* lib/http/accept.c - what a client would rather have.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/accept.h"

#include <string.h>
#include <strings.h>

#include "lib/base/span.h"

/* qvalue: "0" or "1", with at most three digits after a point. */
static bool read_weight(struct span text, int *out)
{
	int weight = 0, digits = 1000;

	if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[1] != '.'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (i == 1)
			continue;
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		weight += (text.ptr[i] - '0') * digits;
		digits /= 10;
	}
	if (weight > ACCEPT_MAX)
		return false;
	*out = weight;
	return true;
}

/* How closely `range` names `name`: 3 exactly, 2 its type, 1 anything, 0 not at all. */
static int closeness(struct span range, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t type = slash ? (size_t)(slash + 1 - name) : 0;

	if (span_is(range, "*") || span_is(range, "*/*"))
		return 1;
	if (span_is_nocase(range, name))
		return 3;
	if (type && range.len == type + 1 && range.ptr[type] == '*' &&
		strncasecmp(range.ptr, name, type) == 0)
		return 2;
	return 0;
}

/* The weight among the parameters of an element; false when it is none. */
static bool element_weight(struct span parameters, int *out)
{
	struct span parameter, key;

	*out = ACCEPT_MAX;
	while (span_next(&parameters, ';', &parameter)) {
		parameter = span_trim(parameter);
		span_next(&parameter, '=', &key);
		if (span_is_nocase(span_trim(key), "q") && !read_weight(span_trim(parameter), out))
			return false;
	}
	return true;
}

int accept_weight(const char *header, const char *name)
{
	struct span rest = span_of(header), element, range;
	int best = ACCEPT_UNSAID, best_closeness = 0, weight, close;

	while (span_next(&rest, ',', &element)) {
		if (!span_next(&element, ';', &range))
			continue;
		close = closeness(span_trim(range), name);
		if (close > best_closeness && element_weight(element, &weight)) {
			best = weight;
			best_closeness = close;
		}
	}
	return best;
}

const char *accept_coding(const char *header, bool has_br, bool has_gzip)
{
	int identity = accept_weight(header, "identity");
	int br = has_br ? accept_weight(header, "br") : 0;
	int gzip = has_gzip ? accept_weight(header, "gzip") : 0;

	/* Identity is welcome though nothing is said of it, but last (12.5.3). */
	if (br > 0 && br >= gzip && br >= identity)
		return "br";
	if (gzip > 0 && gzip >= identity)
		return "gzip";
	return NULL;
}
