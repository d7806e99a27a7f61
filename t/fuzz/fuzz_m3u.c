/* t/fuzz/fuzz_m3u.c - whatever a list holds, each row is fit for the catalogue.
 * SPDX-License-Identifier: BSD-2-Clause
 * And the same rows come out of it in one piece and byte by byte. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/http/ident.h"
#include "lib/http/path.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_m3u.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int hold_category(void *ctx, const struct source_category *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	if (row->name.len == 0 || row->name.len >= CHANNEL_CATEGORY_MAX || !path_is_utf8(row->name))
		abort();
	return 0;
}

static void hold_url(struct span url)
{
	if (url.len >= CHANNEL_URL_MAX ||
		(!span_starts(url, "http://") && !span_starts(url, "https://")))
		abort();
}

static int hold_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	hold_url(row->url);
	if (!ident_key_ok(row->key) || row->name.len == 0 || row->name.len >= CHANNEL_NAME_MAX ||
		!path_is_utf8(row->name) || row->logo.len >= CHANNEL_LOGO_MAX ||
		row->epg.len >= CHANNEL_EPG_MAX || row->number < 0 ||
		row->agent.len >= CHANNEL_AGENT_MAX || row->referrer.len >= CHANNEL_REFERRER_MAX)
		abort();
	for (size_t i = 0; i < row->agent.len; i++) {
		if ((unsigned char)row->agent.ptr[i] < ' ')
			abort();
	}
	return 0;
}

static int hold_title(void *ctx, const struct source_title *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	hold_url(row->url);
	if (!ident_key_ok(row->key) || row->name.len == 0 || row->name.len >= CHANNEL_NAME_MAX ||
		row->suffix.len == 0 || row->suffix.len >= TITLE_SUFFIX_MAX)
		abort();
	return 0;
}

static bool add(void *ctx, const struct m3u_entry *e)
{
	uint64_t *sum = ctx;

	for (size_t i = 0; i < e->url.len; i++)
		*sum = *sum * 31 + (unsigned char)e->url.ptr[i];
	for (size_t i = 0; i < e->name.len; i++)
		*sum = *sum * 37 + (unsigned char)e->name.ptr[i];
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_sink sink = {
		.category = hold_category, .channel = hold_channel, .title = hold_title};
	uint64_t whole = 0, pieces = 0;
	struct fail f = {0};
	struct m3u m;

	source_m3u_rows(span_make((const char *)data, size), "http://base/dir/x", &sink, &f);
	m3u_init(&m, add, &whole);
	m3u_feed(&m, data, size);
	m3u_end(&m);
	m3u_release(&m);
	m3u_init(&m, add, &pieces);
	for (size_t i = 0; i < size && m3u_feed(&m, data + i, 1); i++)
		;
	m3u_end(&m);
	m3u_release(&m);
	if (whole != pieces)
		abort();
	return 0;
}
