/* t/fuzz/fuzz_target.c - request targets, queries and ids: read rightly or refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http/ident.h"
#include "lib/http/path.h"
#include "lib/http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_ident(struct span text)
{
	struct ident id, again;
	char printed[IDENT_MAX];

	if (!ident_parse(text, IDENT_LIVE, &id))
		return;
	ident_print(&id, printed, sizeof(printed));
	if (!ident_parse(span_of(printed), IDENT_NONE, &again) || again.kind != id.kind ||
		strcmp(again.key, id.key) != 0 || strcmp(again.source, id.source) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char target[2000];
	struct arena arena;
	struct query query;
	struct path path;

	if (size >= sizeof(target))
		return 0;
	if (size)
		memcpy(target, data, size);
	target[size] = '\0';
	arena_init(&arena, 65536);
	if (path_parse(&path, target, &arena, NULL) == 0) {
		for (size_t i = 0; i < path.count; i++) {
			struct span part = path.parts[i];
			if (span_is(part, "..") || span_is(part, ".") || !path_is_utf8(part) ||
				(part.len && (memchr(part.ptr, '/', part.len) ||
						     memchr(part.ptr, '\n', part.len))))
				abort();
			hold_ident(part);
		}
		if (query_parse(&query, path.query, &arena, NULL) == 0 && query.count > QUERY_MAX)
			abort();
	}
	arena_release(&arena);
	return 0;
}
