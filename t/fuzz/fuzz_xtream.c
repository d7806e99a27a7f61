/* t/fuzz/fuzz_xtream.c - whatever a gateway answers, each row is fit for the catalogue.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>

#include "lib/http/ident.h"
#include "lib/http/path.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_xtream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int hold_category(void *ctx, const struct source_category *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	if (row->name.len == 0 || row->name.len >= CHANNEL_CATEGORY_MAX || !path_is_utf8(row->name))
		abort();
	return 0;
}

static int hold_channel(void *ctx, const struct source_channel *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	if (!ident_key_ok(row->key) || row->name.len == 0 || row->name.len >= CHANNEL_NAME_MAX ||
		!path_is_utf8(row->name) || row->logo.len >= CHANNEL_LOGO_MAX ||
		row->epg.len >= CHANNEL_EPG_MAX || row->number < 0)
		abort();
	return 0;
}

static int hold_title(void *ctx, const struct source_title *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	if (!ident_key_ok(row->key) || row->name.len == 0 || row->name.len >= CHANNEL_NAME_MAX ||
		!path_is_utf8(row->name) || !path_is_utf8(row->plot) ||
		row->plot.len >= TITLE_PLOT_MAX || row->poster.len >= CHANNEL_LOGO_MAX ||
		row->suffix.len >= TITLE_SUFFIX_MAX || row->rating < 0 || row->rating > 100)
		abort();
	return 0;
}

static int hold_episode(void *ctx, const struct source_episode *row, struct fail *f)
{
	(void)ctx;
	(void)f;
	if (!ident_key_ok(row->key) || row->name.len >= CHANNEL_NAME_MAX ||
		!path_is_utf8(row->name) || !path_is_utf8(row->plot) ||
		row->plot.len >= TITLE_PLOT_MAX || row->poster.len >= CHANNEL_LOGO_MAX ||
		row->suffix.len >= TITLE_SUFFIX_MAX || row->season < 0 || row->number < 0 ||
		row->duration_s < 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_sink sink = {.category = hold_category,
		.channel = hold_channel,
		.title = hold_title,
		.episode = hold_episode};
	struct span json = span_make((const char *)data, size);
	struct fail f = {0};

	source_xtream_categories(json, &sink, &f);
	source_xtream_channels(json, &sink, &f);
	source_xtream_films(json, &sink, &f);
	source_xtream_series(json, &sink, &f);
	source_xtream_episodes(json, span_of("9"), &sink, &f);
	source_xtream_login(json, &f);
	return 0;
}
