/* lib/http/query.c - the parameters of a query.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/query.h"

#include "lib/http/path.h"

int query_parse(struct query *q, struct span text, struct arena *arena, struct fail *f)
{
	struct span rest = text, piece, name;

	q->count = 0;
	while (span_next(&rest, '&', &piece)) {
		struct query_param *param = &q->params[q->count];

		if (piece.len == 0)
			continue;
		if (q->count == QUERY_MAX)
			return fail_set(f, FAIL_INPUT, "The address has more than %d parameters",
				QUERY_MAX);
		span_next(&piece, '=', &name);
		if (path_decode(name, true, arena, &param->name, f) < 0 ||
			path_decode(piece, true, arena, &param->value, f) < 0)
			return -1;
		q->count++;
	}
	return 0;
}

bool query_get(const struct query *q, const char *name, struct span *out)
{
	for (size_t i = 0; i < q->count; i++) {
		if (span_is(q->params[i].name, name)) {
			*out = q->params[i].value;
			return true;
		}
	}
	return false;
}
