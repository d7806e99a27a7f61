/* lib/hls/playlist_choose.c - which of a master's variants is read, and where its sound is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lib/hls/playlist.h"

/* What a variant's CODECS name: RFC 6381. */
struct codecs {
	bool said, video, h264, unknown;
};

static struct codecs read_codecs(struct span text)
{
	static const char *const pictures[] = {"avc1", "avc3", "hvc1", "hev1", "mp4v"};
	static const char *const foreign[] = {"av01", "vp08", "vp09", "vp8", "vp9", "dvh1", "dvhe"};
	struct codecs c = {.said = text.len > 0};
	struct span codec;

	while (span_next(&text, ',', &codec)) {
		codec = span_trim(codec);
		for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
			c.video |= span_starts(codec, pictures[i]);
		for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
			c.unknown |= span_starts(codec, foreign[i]);
		c.h264 |= span_starts(codec, "avc");
	}
	return c;
}

/* Whether `a` is the better one. */
static bool is_better(
	const struct playlist_variant *a, const struct playlist_variant *b, int height)
{
	struct codecs ca = read_codecs(a->codecs), cb = read_codecs(b->codecs);
	bool seen_a = a->height || ca.video || !ca.said, seen_b = b->height || cb.video || !cb.said;
	bool fits_a = a->height <= height, fits_b = b->height <= height;

	if (seen_a != seen_b) /* sound alone */
		return seen_a == (height > 0);
	if (fits_a != fits_b)
		return fits_a;
	if (a->height != b->height)
		return (a->height > b->height) == fits_a;
	if (ca.h264 != cb.h264)
		return ca.h264;
	return (a->bandwidth > b->bandwidth) == fits_a && a->bandwidth != b->bandwidth;
}

const struct playlist_variant *playlist_choose(const struct playlist *p, int height, unsigned skip)
{
	bool out[PLAYLIST_VARIANTS] = {false};
	const struct playlist_variant *best = NULL;
	size_t left = 0;

	for (size_t i = 0; i < p->variant_count; i++) {
		out[i] = read_codecs(p->variants[i].codecs).unknown;
		left += !out[i];
	}
	for (size_t turn = left ? skip % left + 1 : 0; turn > 0; turn--) {
		best = NULL;
		for (size_t i = 0; i < p->variant_count; i++) {
			const struct playlist_variant *v = &p->variants[i];
			if (!out[i] && (!best || is_better(v, best, height)))
				best = v;
		}
		out[best - p->variants] = true;
	}
	return best;
}

/* "en" and "eng", "de" and "deu": as far as both go. */
static bool is_language(struct span wanted, struct span said)
{
	size_t len = wanted.len < said.len ? wanted.len : said.len;

	return len >= 2 && memcmp(wanted.ptr, said.ptr, 2) == 0 &&
	       (len < 3 || wanted.ptr[2] == said.ptr[2] || said.ptr[2] == '-');
}

const struct playlist_rendition *playlist_sound(
	const struct playlist *p, const struct playlist_variant *v, const char *languages)
{
	const struct playlist_rendition *best = NULL;
	struct span rest = span_of(languages), word;
	size_t best_rank = 0;

	for (size_t i = 0; i < p->rendition_count; i++) {
		const struct playlist_rendition *m = &p->renditions[i];
		size_t rank = 1 + m->is_default, at = PLAYLIST_RENDITIONS;

		if (!v->audio.len || !span_eq(m->group, v->audio))
			continue;
		for (rest = span_of(languages); span_next(&rest, ' ', &word); at--)
			rank += word.len && is_language(word, m->language) ? at * 4 : 0;
		if (!best || rank > best_rank) {
			best = m;
			best_rank = rank;
		}
	}
	return best && best->uri.len ? best : NULL;
}
