/* lib/hls/vod.c - the playlists of a film, from its index record.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/vod.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/must.h"

enum { SOUND_BPS = 160000, SOUND_AVERAGE_BPS = 132000, KEYFRAMES_BPS = 200000 };

bool vod_has(const struct record *r, const struct ladder *l, const struct rendition *x)
{
	bool fits[LADDER_MAX] = {false};

	if (!rendition_fits(x, r))
		return false;
	if (x->kind != RENDITION_VIDEO)
		return true;
	ladder_fit(l, record_lines(r), fits);
	for (size_t i = 0; i < l->count; i++) {
		if (fits[i] && strcmp(l->rungs[i]->name, x->rung->name) == 0)
			return true;
	}
	return false;
}

/* --- sounds and subtitles ----------------------------------------------------------------------
 */

/* What stands between quotes has neither quotes nor control bytes; the record sees to that. */
static void print_name(
	const char *title, const char *language, const char *kind, unsigned n, struct buf *to)
{
	if (*title)
		buf_printf(to, ",NAME=\"%s\"", title);
	else if (*language)
		buf_printf(to, ",NAME=\"%s (%u)\"", language, n + 1);
	else
		buf_printf(to, ",NAME=\"%s %u\"", kind, n + 1);
	if (*language)
		buf_printf(to, ",LANGUAGE=\"%s\"", language);
}

static unsigned default_sound(const struct record *r)
{
	for (unsigned i = 0; i < r->audio_count; i++) {
		if (r->audio[i].is_default)
			return i;
	}
	return 0;
}

/* Names are to differ within a group (RFC 8216, section 4.3.4.1.1). */
static bool is_named_before(const struct record *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(r->audio[i].title, r->audio[n].title) == 0)
			return true;
	}
	return false;
}

static void print_sounds(const struct record *r, const char *ver, struct buf *to)
{
	unsigned first = default_sound(r);

	for (unsigned i = 0; i < r->audio_count; i++) {
		const struct record_audio *a = &r->audio[i];

		buf_puts(to, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\"");
		print_name(is_named_before(r, i) ? "" : a->title, a->language, "Sound", i, to);
		buf_printf(to, ",DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s/a%u.m3u8\"\n",
			i == first ? "YES" : "NO", a->channels, ver, i);
	}
}

static bool is_text_named_before(const struct record *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(r->text[i].title, r->text[n].title) == 0)
			return true;
	}
	return false;
}

static void print_texts(const struct record *r, const char *ver, struct buf *to)
{
	for (unsigned i = 0; i < r->text_count; i++) {
		const struct record_text *t = &r->text[i];

		buf_puts(to, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\"");
		print_name(is_text_named_before(r, i) ? "" : t->title, t->language, "Subtitles", i,
			to);
		buf_printf(to, ",DEFAULT=NO,AUTOSELECT=%s,FORCED=%s",
			t->flags & RECORD_TEXT_DEFAULT ? "YES" : "NO",
			t->flags & RECORD_TEXT_FORCED ? "YES" : "NO");
		if (t->flags & RECORD_TEXT_DEAF)
			buf_puts(to, ",CHARACTERISTICS=\"public.accessibility.describes-music-and-"
				     "sound\"");
		buf_printf(to, ",URI=\"%s/s%u.m3u8\"\n", ver, i);
	}
}

/* --- variants ----------------------------------------------------------------------------------
 */

/* One of a picture; `rung` NULL: the film's own. */
static void print_variant(
	const struct record *r, const struct rung *rung, const char *ver, struct buf *to)
{
	struct rendition x = {.kind = rung ? RENDITION_VIDEO : RENDITION_SOURCE, .rung = rung};
	const char *codec = rung ? rung->video_codec : r->video.codecs;
	const struct record_video *v = &r->video;
	long long peak = (long long)r->peak_bps + SOUND_BPS;
	long long average = (long long)r->average_bps + SOUND_AVERAGE_BPS;
	int width, height;

	if (rung) {
		peak = rung->total_kbps * 1000LL;
		average = rung->average_kbps * 1000LL;
	}
	rendition_size(&x, r, &width, &height);
	buf_printf(to, "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,CODECS=\"%s%s%s\"",
		peak, average < peak ? average : peak, codec, r->audio_count ? "," : "",
		r->audio_count ? r->audio[default_sound(r)].codecs : "");
	buf_printf(to, ",RESOLUTION=%dx%d", width, height);
	if (v->rate_n && v->rate_d) {
		long long milli = (long long)v->rate_n * 1000 / v->rate_d;
		buf_printf(to, ",FRAME-RATE=%lld.%03lld", milli / 1000, milli % 1000);
	}
	buf_printf(to, "%s%s,CLOSED-CAPTIONS=NONE\n%s/%s.m3u8\n",
		r->audio_count ? ",AUDIO=\"sound\"" : "",
		r->text_count ? ",SUBTITLES=\"text\"" : "", ver, rung ? rung->name : "source");
}

static void print_sound_alone(const struct record *r, const char *ver, struct buf *to)
{
	unsigned n = default_sound(r);

	buf_printf(to,
		"#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=\"%s\","
		"AUDIO=\"sound\"%s\n%s/a%u.m3u8\n",
		SOUND_BPS, SOUND_AVERAGE_BPS, r->audio[n].codecs,
		r->text_count ? ",SUBTITLES=\"text\"" : "", ver, n);
}

/* RFC 8216, section 4.3.4.3: what is shown while one winds. */
static void print_keyframes(const struct record *r, const char *ver, struct buf *to)
{
	struct rendition x;
	int width, height;

	must(rendition_parse(span_of("iframes"), &x));
	rendition_size(&x, r, &width, &height);
	buf_printf(to,
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=%d,CODECS=\"%s\",RESOLUTION=%dx%d,"
		"URI=\"%s/iframes.m3u8\"\n",
		KEYFRAMES_BPS, x.rung->video_codec, width, height, ver);
}

void vod_master_print(
	const struct record *r, const struct ladder *l, const char *ver, struct buf *to)
{
	struct rendition own = {.kind = RENDITION_SOURCE};
	bool fits[LADDER_MAX] = {false}, copy = vod_has(r, l, &own), copy_first;
	const struct rung *first = l->rungs[0];

	ladder_fit(l, record_lines(r), fits);
	copy_first = copy && r->peak_bps <= VOD_COPY_MAX_BPS && first->height &&
		     record_lines(r) <= first->height + 8;
	buf_puts(to, "#EXTM3U\n#EXT-X-VERSION:7\n");
	print_sounds(r, ver, to);
	print_texts(r, ver, to);
	if (copy_first)
		print_variant(r, NULL, ver, to);
	for (size_t i = 0; i < l->count; i++) {
		if (fits[i] && l->rungs[i]->height && r->video.codec[0])
			print_variant(r, l->rungs[i], ver, to);
	}
	if (copy && !copy_first)
		print_variant(r, NULL, ver, to);
	if (r->audio_count)
		print_sound_alone(r, ver, to);
	if (r->video.codec[0])
		print_keyframes(r, ver, to);
}

/* --- media playlists ---------------------------------------------------------------------------
 */

void vod_media_print(const struct record *r, const struct rendition *x, struct buf *to)
{
	bool alone = x->kind != RENDITION_SOURCE || !(r->flags & RECORD_OPEN_GOP);
	char name[RENDITION_NAME_BYTES];

	must(r->segments > 0);
	rendition_print(x, name);
	buf_printf(to,
		"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:0\n"
		"#EXT-X-PLAYLIST-TYPE:VOD\n",
		record_target_s(r));
	if (alone)
		buf_puts(to, "#EXT-X-INDEPENDENT-SEGMENTS\n");
	if (x->kind == RENDITION_IFRAMES)
		buf_puts(to, "#EXT-X-I-FRAMES-ONLY\n");
	if (rendition_has_init(x))
		buf_printf(to, "#EXT-X-MAP:URI=\"%s/init.mp4\"\n", name);
	for (size_t n = 0; n < r->segments; n++) {
		long long us = record_duration_us(r, n);

		buf_printf(to, "#EXTINF:%lld.%06lld,\n%s/%zu.%s\n", us / 1000000, us % 1000000,
			name, n, rendition_extension(x));
	}
	buf_puts(to, "#EXT-X-ENDLIST\n");
}

static void print_time(long long us, struct buf *to)
{
	long long ms = us / 1000;

	buf_printf(to, "%02lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60,
		ms / 1000 % 60, ms % 1000);
}

void vod_thumbnails_print(const struct record *r, struct buf *to)
{
	struct rendition x;
	int width, height;

	must(rendition_parse(span_of("thumbnails"), &x));
	rendition_size(&x, r, &width, &height);
	buf_puts(to, "WEBVTT\n");
	for (size_t n = 0; n < r->segments; n++) {
		int at = (int)(n % RENDITION_SHEET);

		buf_putc(to, '\n');
		print_time(record_begin_us(r, n), to);
		buf_puts(to, " --> ");
		print_time(record_begin_us(r, n + 1), to);
		buf_printf(to, "\nthumbnails/%zu.jpg#xywh=%d,%d,%d,%d\n", n / RENDITION_SHEET,
			at % RENDITION_SHEET_COLUMNS * width, at / RENDITION_SHEET_COLUMNS * height,
			width, height);
	}
}
