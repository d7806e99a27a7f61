/* lib/svc/offer_choose.c - which of the formats of an offer suits a wish.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <string.h>

#include "lib/svc/offer.h"

static bool has_codec(const struct offer_format *n, const char *codec)
{
	struct span rest = span_of(n->codecs), word;

	if (span_is(span_of(n->ext), codec))
		return true;
	while (span_next(&rest, ',', &word)) {
		if (span_starts(span_trim(word), codec))
			return true;
	}
	return false;
}

/* Whether it is of the format that a request names. An "m4a" may hold other sound and say so. */
static bool is_format(const struct offer_format *n, const char *format)
{
	if (span_is(span_of(format), "aac"))
		return has_codec(n, "aac") || has_codec(n, "mp4a") ||
		       (!*n->codecs && has_codec(n, "m4a"));
	return has_codec(n, format);
}

static bool is_among(const char *word, const char *const *list)
{
	while (*list && strcmp(word, *list) != 0)
		list++;
	return *list != NULL;
}

enum plays { PLAYS_NOWHERE, PLAYS_OFTEN, PLAYS_EVERYWHERE };

/* In browsers, by its container and what is in it; what does not say is believed to. */
static enum plays plays(const struct offer_format *n)
{
	static const char *const mp4[] = {"", "mp4", "m4v", "m4a", NULL};
	static const char *const others[] = {
		"webm", "mp3", "aac", "ogg", "oga", "opus", "flac", "wav", NULL};

	if (has_codec(n, "ec-3") || has_codec(n, "ac-3"))
		return PLAYS_NOWHERE;
	if (!is_among(n->ext, mp4))
		return is_among(n->ext, others) ? PLAYS_OFTEN : PLAYS_NOWHERE;
	return n->kind == OFFER_SOUND || !*n->codecs || has_codec(n, "avc1") || has_codec(n, "h264")
		       ? PLAYS_EVERYWHERE
		       : PLAYS_OFTEN;
}

/* Opus sounds as good as others with a quarter more. */
static int64_t worth(const struct offer_format *n, const char *format)
{
	int64_t kbps = n->kbps + 1;

	if (format && *format && is_format(n, format))
		return kbps + INT_MAX;
	return has_codec(n, "opus") ? kbps * 5 : kbps * 4;
}

static bool wants_picture(const struct offer_choice *c)
{
	return c->format && strcmp(c->format, OFFER_PICTURE_ALONE) == 0;
}

/* Whether it is of the kind that is asked for: with a picture, or sound alone. */
static bool is_kind(const struct offer_choice *c, const struct offer_format *n, bool sound)
{
	if (wants_picture(c))
		return n->kind == OFFER_PICTURE &&
		       (strcmp(n->ext, "mp4") == 0 || strcmp(n->ext, "m4v") == 0);
	return n->kind == OFFER_BOTH || (sound && n->kind == OFFER_SOUND);
}

/* One without a figure may be anything: it is the best there is, not the least. */
static bool suits(
	const struct offer_choice *c, const struct offer_format *n, const struct wish_step *step)
{
	if (step->height == 0)
		return n->kind == OFFER_SOUND && !wants_picture(c) &&
		       (step->kbps == INT64_MAX || (n->kbps > 0 && n->kbps <= step->kbps));
	return is_kind(c, n, false) && n->height <= step->height;
}

static bool is_better(
	const struct offer_format *a, const struct offer_format *b, const char *format)
{
	bool named = format && *format;

	if (!b || !plays(a) != !plays(b))
		return !b || plays(a);
	if (a->height != b->height)
		return a->height > b->height;
	if (a->kind != OFFER_SOUND && plays(a) != plays(b) &&
		(!named || is_format(a, format) == is_format(b, format)))
		return plays(a) > plays(b);
	return worth(a, format) > worth(b, format);
}

static bool is_refused(const struct offer_choice *c, const struct offer_format *n)
{
	return c->refuses && c->refuses(c->ctx, n);
}

static const struct offer_format *best(
	const struct offer *o, const struct offer_choice *c, const struct wish_step *step)
{
	const struct offer_format *found = NULL;

	for (size_t i = 0; i < o->count; i++) {
		const struct offer_format *n = &o->formats[i];

		if (suits(c, n, step) && is_better(n, found, c->format) && !is_refused(c, n))
			found = n;
	}
	return found;
}

/* Sound before a picture with it, where sound is wished; then what is least. */
static bool is_lower(const struct offer_format *a, const struct offer_format *b, bool wants_sound)
{
	if (!b || !plays(a) != !plays(b))
		return !b || plays(a);
	if (a->kind != b->kind)
		return (a->kind == OFFER_SOUND) == wants_sound;
	return a->height != b->height ? a->height < b->height : a->kbps < b->kbps;
}

static const struct offer_format *lowest(const struct offer *o, const struct offer_choice *c)
{
	bool wants_sound = c->wish->steps[0].height == 0;
	const struct offer_format *found = NULL;

	for (size_t i = 0; i < o->count; i++) {
		const struct offer_format *n = &o->formats[i];

		if (is_kind(c, n, wants_sound) && is_lower(n, found, wants_sound) &&
			!is_refused(c, n))
			found = n;
	}
	return found;
}

const struct offer_format *offer_choose(const struct offer *o, const struct offer_choice *c)
{
	for (size_t i = 0; i < c->wish->count; i++) {
		const struct offer_format *found = best(o, c, &c->wish->steps[i]);

		if (found)
			return found;
	}
	return lowest(o, c);
}

const char *offer_quality(const struct offer_format *n)
{
	static const struct {
		int64_t height;
		const char *word;
	} heights[] = {{144, "144p"}, {240, "240p"}, {360, "360p"}, {480, "480p"}, {720, "720p"},
		{1080, "1080p"}};

	if (n->kind == OFFER_SOUND)
		return n->kbps == 0 || n->kbps > 128 ? "high" : n->kbps > 64 ? "medium" : "low";
	for (size_t i = 0; i < sizeof(heights) / sizeof(heights[0]); i++) {
		if (n->height <= heights[i].height)
			return heights[i].word;
	}
	return "source";
}

const char *offer_type(const struct offer_format *n)
{
	static const struct {
		const char *ext, *sound, *picture;
	} types[] = {{"webm", "audio/webm", "video/webm"}, {"mp4", "audio/mp4", "video/mp4"},
		{"m4a", "audio/mp4", "video/mp4"}, {"mp3", "audio/mpeg", ""},
		{"aac", "audio/aac", ""}, {"opus", "audio/ogg", ""},
		{"ogg", "audio/ogg", "video/ogg"}, {"flac", "audio/flac", ""},
		{"wav", "audio/wav", ""}, {"ts", "", "video/mp2t"},
		{"mkv", "audio/x-matroska", "video/x-matroska"}, {"flv", "", "video/x-flv"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (span_is(span_of(n->ext), types[i].ext))
			return n->kind == OFFER_SOUND ? types[i].sound : types[i].picture;
	}
	return "";
}
