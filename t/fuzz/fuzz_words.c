/* t/fuzz/fuzz_words.c - small texts from outside: numbers, qualities, ladders, lines of lists.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/hls/ladder.h"
#include "lib/hls/recipe.h"
#include "lib/http/mime.h"
#include "lib/http/quality.h"
#include "lib/svc/live_reason.h"
#include "lib/svc/lives.h"
#include "lib/svc/publish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_numbers(struct span text)
{
	int64_t n = 4711, again;
	uint64_t hex = 4711;
	char printed[24];

	if (num_parse(text, -1000, INT64_MAX, &n)) {
		must(n >= -1000);
		snprintf(printed, sizeof(printed), "%lld", (long long)n);
		must(num_parse(span_of(printed), INT64_MIN, INT64_MAX, &again) && again == n);
	} else {
		must(n == 4711);
	}
	must(num_parse_hex(text, 0xffff, &hex) ? hex <= 0xffff : hex == 4711);
}

static void hold_quality(struct span text, const char *string)
{
	static const struct quality_rung rungs[] = {{720, 2500}, {480, 1000}, {240, 350}};
	struct quality q = {QUALITY_AUTO, 0};

	must(quality_hinted_kbps(string, string, string, string) >= 0);
	if (!quality_parse(text, &q))
		return;
	must(q.kind != QUALITY_HEIGHT || (q.height >= 144 && q.height <= 1080));
	must(quality_pick(&q, rungs, 3, 480, quality_hinted_kbps(NULL, NULL, string, NULL)) < 3);
}

static void hold_ladder(const char *string)
{
	struct ladder l = {.count = 99};

	if (ladder_parse(string, NULL, NULL, &l, NULL) < 0) {
		must(l.count == 99);
		return;
	}
	must(l.count >= 1 && l.count <= LADDER_MAX);
	for (size_t i = 0; i < l.count; i++)
		must(ladder_find(&l, span_of(l.rungs[i]->name)) == l.rungs[i]);
}

static void hold_lines(struct span line, const struct ladder *l)
{
	struct span store, name;
	enum publish_store which;
	char to[PUBLISH_NAME_BYTES];
	struct recipe_segment s;

	if (recipe_line(l, line, &s))
		must(s.rung < l->count && s.n >= 0 && s.start_us >= 0 && s.end_us >= s.start_us);
	if (!lives_parse(line, &store, &name) || !publish_line(store, name, &which, to))
		return;
	must(which == PUBLISH_WWW || which == PUBLISH_LIVE);
	must(span_is(name, to) && to[0] && to[0] != '/' && to[0] != '.' && !strstr(to, "/."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	enum live_reason reason;
	struct ladder l;
	char string[2000];

	if (size >= sizeof(string))
		return 0;
	memcpy(string, size ? (const char *)data : "", size);
	string[size] = '\0';
	must(ladder_parse("720p 480p 240p audio", NULL, NULL, &l, NULL) == 0);
	hold_numbers(text);
	hold_quality(text, string);
	hold_ladder(string);
	hold_lines(text, &l);
	must(mime_type(text) != NULL);
	if (live_reason_parse(text, &reason))
		must(span_is(text, live_reason_name(reason)));
	return 0;
}
