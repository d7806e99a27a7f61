/* t/fuzz/fuzz_playlist.c - any text as a playlist.
 * SPDX-License-Identifier: BSD-2-Clause
 * What is read lies within the text, segments are numbered without a gap, ranges do not overflow,
 * and with the other kind of line end it is the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/hls/playlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool good)
{
	if (!good)
		abort();
}

static void within(struct span part, struct span all)
{
	need(!part.len || (part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len));
	need(!part.len || !memchr(part.ptr, '\n', part.len));
}

static void check_part(const struct playlist_part *p, struct span all)
{
	within(p->uri, all);
	within(p->key.uri, all);
	need(p->offset >= 0 && p->length >= 0 && p->offset < INT64_MAX / 2 - p->length);
	need(!p->key.known || p->key.on);
}

static void check(const struct playlist *p, struct span all)
{
	for (size_t i = 0; i < p->count; i++) {
		need(p->segments[i].n == p->segments[0].n + (int64_t)i);
		need(p->segments[i].duration_us >= 0 && p->segments[i].date_ms >= 0);
		check_part(&p->segments[i].part, all);
		check_part(&p->segments[i].map, all);
	}
	for (size_t i = 0; i < p->variant_count; i++) {
		const struct playlist_variant *v = &p->variants[i];
		const struct playlist_rendition *m = playlist_sound(p, v, "eng deu");
		within(v->uri, all);
		need(!m || (m >= p->renditions && m < p->renditions + p->rendition_count));
	}
	for (int height = 0; height < 4000; height += 360) {
		const struct playlist_variant *v = playlist_choose(p, height, (unsigned)height);
		need(!v || (v >= p->variants && v < p->variants + p->variant_count));
	}
	need(p->is_master || p->target_us > 0);
}

/* The text with CR before each LF. */
static bool parse_again(struct span text, struct buf *b, struct playlist *out)
{
	struct fail f = {0};

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n')
			buf_putc(b, '\r');
		buf_putc(b, text.ptr[i]);
	}
	return !b->failed && playlist_parse(buf_span(b), out, &f) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct playlist *p = malloc(sizeof(*p)), *q = malloc(sizeof(*q));
	struct fail f = {0};
	struct buf b;

	buf_init(&b, PLAYLIST_BYTES);
	if (p && q && playlist_parse(text, p, &f) == 0) {
		check(p, text);
		need(parse_again(text, &b, q) || b.failed);
		need(b.failed || (p->count == q->count && p->variant_count == q->variant_count &&
					 p->target_us == q->target_us && p->ended == q->ended));
	} else if (p && q) {
		need(f.kind == FAIL_UPSTREAM && *f.text);
	}
	buf_release(&b);
	free(p);
	free(q);
	return 0;
}
