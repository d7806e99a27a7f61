/* t/fuzz/fuzz_record.c - records that processes leave each other, and a client's cursor.
 * SPDX-License-Identifier: BSD-2-Clause
 * What is taken is what would have been written. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/processes/handover.h"
#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/io/conf.h"
#include "lib/svc/breaker.h"
#include "lib/svc/catalog.h"
#include "lib/svc/live.h"
#include "lib/svc/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_token(struct span text)
{
	static struct token t, again;
	struct buf printed;

	if (!token_parse(text, &t))
		return;
	must(t.resolved_ms >= 0 && t.expires_ms >= 0 && (int)t.why.kind <= FAIL_INTERNAL);
	buf_init(&printed, 16384);
	token_print(&t, &printed);
	must(token_parse(buf_span(&printed), &again));
	must(again.expires_ms == t.expires_ms && span_is(span_of(t.url), again.url) &&
		span_is(span_of(t.why.text), again.why.text));
	buf_release(&printed);
}

static void hold_live(struct span text)
{
	static struct live_state s, again;
	struct buf first, second;
	struct ladder l;

	must(ladder_parse("720p 480p audio", NULL, NULL, &l, NULL) == 0);
	if (!live_state_parse(text, &l, &s))
		return;
	must(s.window.count <= WINDOW_COLUMNS);
	for (size_t i = 1; i < s.window.count; i++)
		must(s.window.columns[i].n == s.window.columns[i - 1].n + 1);
	buf_init(&first, 65536);
	buf_init(&second, 65536);
	live_state_print(&s, &l, &first);
	must(live_state_parse(buf_span(&first), &l, &again));
	live_state_print(&again, &l, &second);
	must(span_eq(buf_span(&first), buf_span(&second)));
	buf_clear(&first);
	for (size_t r = 0; r < l.count; r++)
		window_print(&s.window, &l, r, "/tv/x/", &first);
	must(!first.failed);
	buf_release(&first);
	buf_release(&second);
}

static void hold_breaker(struct span text)
{
	struct breaker b, again;
	struct buf first, second;

	if (!breaker_parse(text, &b))
		return;
	must(b.failures >= 0 && (int)b.reason >= 0 && (int)b.reason < LIVE_REASONS);
	buf_init(&first, 4096);
	buf_init(&second, 4096);
	breaker_print(&b, &first);
	must(breaker_parse(buf_span(&first), &again));
	breaker_print(&again, &second);
	must(span_eq(buf_span(&first), buf_span(&second)));
	buf_release(&first);
	buf_release(&second);
}

static void hold_handover(struct span text)
{
	static struct handover h;
	char ours[8192];

	if (text.len > 4000 || memchr(text.len ? text.ptr : "", '\0', text.len))
		return;
	/* Descriptors that may be ours are of no use to the fuzzer. */
	snprintf(ours, sizeof(ours), "%d -1 -1 -1 %.*s", (int)getpid(), (int)text.len,
		text.len ? text.ptr : "");
	setenv("SLUICE_HANDOVER", ours, 1);
	if (!handover_take(&h))
		return;
	must(h.count <= HANDOVER_CHILDREN && !handover_waits());
	for (size_t i = 0; i < h.count; i++)
		must(h.child[i].pid > 1 && strnlen(h.child[i].role, 16) < 16 &&
			strnlen(h.child[i].id, 72) < 72);
}

/* There is no database, so that a cursor which is taken finds no channel. */
static void hold_cursor(struct span text)
{
	static const struct conf_source source = {.name = "demo"};
	static const struct conf conf = {
		.state_dir = "/nonexistent", .sources = &source, .source_count = 1};
	struct catalog_query query = {.page = {.cursor = text}};
	char next[CATALOG_CURSOR_MAX];
	struct catalog *c = NULL;
	struct fail f = {0};

	must(catalog_open(&c, &conf, &f) == 0);
	if (catalog_channels(c, &query, next, &f) < 0)
		must(f.kind == FAIL_INPUT || f.kind == FAIL_BUSY);
	else
		must(!next[0]);
	catalog_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);

	hold_token(text);
	hold_live(text);
	hold_breaker(text);
	hold_handover(text);
	hold_cursor(text);
	return 0;
}
