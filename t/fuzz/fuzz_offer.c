/* t/fuzz/fuzz_offer.c - what is taken of a resolver's words can be fetched, sent and kept.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/http/expiry.h"
#include "lib/http/path.h"
#include "lib/svc/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct offer first, again;

static void hold_text(const char *text, size_t max)
{
	must(text && strlen(text) < max);
	for (const char *c = text; *c; c++)
		must((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void hold(const struct offer *o)
{
	must(o->count >= 1 && o->count <= OFFER_FORMATS_MAX && o->duration_s >= 0);
	hold_text(o->title, OFFER_TITLE_MAX);
	must(path_is_utf8(span_of(o->title)));
	hold_text(o->thumbnail, OFFER_URL_MAX);
	for (size_t i = 0; i < o->count; i++) {
		const struct offer_format *n = &o->formats[i];

		hold_text(n->url, OFFER_URL_MAX);
		hold_text(n->id, OFFER_ID_MAX);
		hold_text(n->ext, OFFER_EXT_MAX);
		hold_text(n->codecs, OFFER_CODECS_MAX);
		hold_text(n->agent, OFFER_HEADER_MAX);
		hold_text(n->referrer, OFFER_HEADER_MAX);
		must(offer_is_url(span_of(n->url)) && n->kbps >= 0 && n->height >= 0 &&
			n->bytes >= 0 && n->expires_ms >= 0);
		must((n->kind == OFFER_SOUND) == (n->height == 0));
		must(expiry_of_url(span_of(n->url)) >= 0);
		for (size_t k = 0; k < i; k++)
			must(strcmp(n->id, o->formats[k].id) != 0);
	}
}

static void choose(const struct offer *o)
{
	static const char *const words[] = {"low", "medium", "high", "144p", "1080p", "source"};
	const struct wish_usual usual = {false, "720p", "high", "1080p"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct quality q;
		struct wish wish;
		struct offer_choice c = {.wish = &wish, .format = "opus"};
		const struct offer_format *n;

		must(quality_parse(span_of(words[i]), &q));
		wish = wish_for(&q, &usual, INT64_MAX);
		n = offer_choose(o, &c);
		must(!n ||
			(n >= o->formats && n < o->formats + o->count && n->kind != OFFER_PICTURE));
		must(!n || (*offer_quality(n) && offer_type(n)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct arena arena;
	struct buf printed, twice;

	must(expiry_of_url(text) >= 0);
	arena_init(&arena, 4 << 20);
	buf_init(&printed, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (offer_read(text, NULL, &arena, &first, NULL) == 0) {
		hold(&first);
		choose(&first);
		offer_print(&first, &printed);
		must(!printed.failed &&
			offer_read(buf_span(&printed), NULL, &arena, &again, NULL) == 0);
		offer_print(&again, &twice);
		must(printed.len == twice.len && memcmp(printed.ptr, twice.ptr, twice.len) == 0);
	}
	buf_release(&printed);
	buf_release(&twice);
	arena_release(&arena);
	return 0;
}
