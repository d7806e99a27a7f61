/* lib/hls/vod.c - the playlists of a film, from its index record.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/vod.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/m3u8.h"

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

/* Of a playlist's name, before its extension. */
static const char *end_of(const struct vod_master *m)
{
	return m->format == RENDITION_TS ? ".ts" : "";
}

static bool has_texts(const struct vod_master *m)
{
	return m->record->text_count || m->beside_count;
}

/* --- sounds and subtitles --------------------------------------------------------------------- */

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

static void print_sounds(const struct vod_master *m, struct buf *to)
{
	const struct record *r = m->record;
	unsigned first = default_sound(r);

	for (unsigned i = 0; i < r->audio_count; i++) {
		const struct record_audio *a = &r->audio[i];

		buf_puts(to, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\"");
		print_name(is_named_before(r, i) ? "" : a->title, a->language, "Sound", i, to);
		buf_printf(to, ",DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%d\"",
			i == first ? "YES" : "NO", a->channels);
		/* One without an address stands in the variant itself (section 4.3.4.1). */
		if (m->format == RENDITION_FMP4 || i > 0 || !r->video.codec[0])
			buf_printf(to, ",URI=\"%s/a%u%s.m3u8\"", m->ver, i, end_of(m));
		buf_putc(to, '\n');
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

static void print_text(const struct vod_master *m, const char *name, unsigned flags, struct buf *to)
{
	buf_printf(to, ",DEFAULT=NO,AUTOSELECT=%s,FORCED=%s",
		flags & RECORD_TEXT_DEFAULT ? "YES" : "NO",
		flags & RECORD_TEXT_FORCED ? "YES" : "NO");
	if (flags & RECORD_TEXT_DEAF)
		buf_puts(to, ",CHARACTERISTICS=\"public.accessibility.describes-music-and-sound\"");
	buf_printf(to, ",URI=\"%s/%s%s.m3u8\"\n", m->ver, name, end_of(m));
}

static void print_texts(const struct vod_master *m, struct buf *to)
{
	static const char begin[] = "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\"";
	const struct record *r = m->record;
	unsigned count = (unsigned)r->text_count;

	for (unsigned i = 0; i < count; i++) {
		const struct record_text *t = &r->text[i];
		char name[RENDITION_NAME_BYTES];

		rendition_print(&(struct rendition){.kind = RENDITION_TEXT, .track = i}, name);
		buf_puts(to, begin);
		print_name(is_text_named_before(r, i) ? "" : t->title, t->language, "Subtitles", i,
			to);
		print_text(m, name, t->flags, to);
	}
	/* Numbered on, so that no two have one name. */
	for (unsigned i = 0; i < m->beside_count; i++) {
		const struct vod_text *t = &m->beside[i];
		char title[64] = "";

		if (*t->title)
			snprintf(title, sizeof(title), "%s (%u)", t->title, count + i + 1);
		buf_puts(to, begin);
		print_name(title, t->language, "Subtitles", count + i, to);
		print_text(m, t->name, t->flags, to);
	}
}

/* --- variants --------------------------------------------------------------------------------- */

/* Packets of 188 bytes, hardly ever full ones at the ends of frames, and tables. */
static long long in_format(const struct vod_master *m, long long bps)
{
	return m->format == RENDITION_TS ? bps * 110 / 100 : bps;
}

/* One of a picture; `rung` NULL: the film's own. */
static void print_variant(const struct vod_master *m, const struct rung *rung, struct buf *to)
{
	struct rendition x = {.kind = rung ? RENDITION_VIDEO : RENDITION_SOURCE, .rung = rung};
	const struct record *r = m->record;
	const char *codec = rung ? rung->video_codec : r->video.codecs;
	const struct record_video *v = &r->video;
	unsigned sound = m->format == RENDITION_TS ? 0 : default_sound(r);
	long long peak = (long long)r->peak_bps + SOUND_BPS;
	long long average = (long long)r->average_bps + SOUND_AVERAGE_BPS;
	int width, height;

	if (rung) {
		peak = rung->total_kbps * 1000LL;
		average = rung->average_kbps * 1000LL;
	}
	rendition_size(&x, r, &width, &height);
	buf_printf(to, "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,CODECS=\"%s%s%s\"",
		in_format(m, peak), in_format(m, average < peak ? average : peak), codec,
		r->audio_count ? "," : "", r->audio_count ? r->audio[sound].codecs : "");
	buf_printf(to, ",RESOLUTION=%dx%d", width, height);
	if (v->rate_n && v->rate_d) {
		long long milli = (long long)v->rate_n * 1000 / v->rate_d;
		buf_printf(to, ",FRAME-RATE=%lld.%03lld", milli / 1000, milli % 1000);
	}
	buf_printf(to, "%s%s,CLOSED-CAPTIONS=NONE\n%s/%s%s.m3u8\n",
		r->audio_count ? ",AUDIO=\"sound\"" : "", has_texts(m) ? ",SUBTITLES=\"text\"" : "",
		m->ver, rung ? rung->name : "source", end_of(m));
}

static void print_sound_alone(const struct vod_master *m, struct buf *to)
{
	const struct record *r = m->record;
	unsigned n =
		m->format == RENDITION_TS ? 0 : default_sound(r); /* that has no list beside it */

	buf_printf(to,
		"#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,CODECS=\"%s\","
		"AUDIO=\"sound\"%s\n%s/a%u%s.m3u8\n",
		in_format(m, SOUND_BPS), in_format(m, SOUND_AVERAGE_BPS), r->audio[n].codecs,
		has_texts(m) ? ",SUBTITLES=\"text\"" : "", m->ver, n, end_of(m));
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

/* The pictures in the master's order. */
static size_t list_pictures(const struct record *r, const struct ladder *l,
	enum rendition_format format, struct rendition to[VOD_LISTED_MAX])
{
	struct rendition own = {.kind = RENDITION_SOURCE, .format = format};
	bool fits[LADDER_MAX] = {false}, copy = vod_has(r, l, &own), copy_first;
	const struct rung *first = l->rungs[0];
	size_t count = 0;

	ladder_fit(l, record_lines(r), fits);
	copy_first = copy && r->peak_bps <= VOD_COPY_MAX_BPS && first->height &&
		     record_lines(r) <= first->height + 8;
	if (copy_first)
		to[count++] = own;
	for (size_t i = 0; i < l->count; i++) {
		if (fits[i] && l->rungs[i]->height && r->video.codec[0])
			to[count++] = (struct rendition){
				.kind = RENDITION_VIDEO, .format = format, .rung = l->rungs[i]};
	}
	if (copy && !copy_first)
		to[count++] = own;
	return count;
}

size_t vod_listed(
	const struct record *r, const struct ladder *l, struct rendition to[VOD_LISTED_MAX])
{
	struct rendition pictures[VOD_LISTED_MAX];
	size_t count = 0, picture_count = list_pictures(r, l, RENDITION_FMP4, pictures);
	unsigned sound = default_sound(r);

	if (picture_count)
		to[count++] = pictures[0];
	if (r->audio_count)
		to[count++] = (struct rendition){.kind = RENDITION_AUDIO, .track = sound};
	for (size_t i = 1; i < picture_count; i++)
		to[count++] = pictures[i];
	for (unsigned i = 0; i < r->audio_count; i++) {
		if (i != sound)
			to[count++] = (struct rendition){.kind = RENDITION_AUDIO, .track = i};
	}
	for (unsigned i = 0; i < r->text_count; i++)
		to[count++] = (struct rendition){.kind = RENDITION_TEXT, .track = i};
	if (r->video.codec[0]) {
		must(rendition_parse(span_of("iframes"), &to[count]));
		count++;
	}
	return count;
}

void vod_master_print(const struct vod_master *m, struct buf *to)
{
	const struct record *r = m->record;
	struct rendition pictures[VOD_LISTED_MAX];
	size_t count = list_pictures(r, m->ladder, m->format, pictures);

	buf_printf(to, "#EXTM3U\n#EXT-X-VERSION:%d\n", m->format == RENDITION_TS ? 4 : 7);
	print_sounds(m, to);
	print_texts(m, to);
	for (size_t i = 0; i < count; i++)
		print_variant(m, pictures[i].rung, to);
	if (r->audio_count)
		print_sound_alone(m, to);
	if (r->video.codec[0] && m->format == RENDITION_FMP4)
		print_keyframes(r, m->ver, to);
}

/* --- media playlists -------------------------------------------------------------------------- */

void vod_media_print(const struct record *r, const struct rendition *x, struct buf *to)
{
	bool alone = x->kind != RENDITION_SOURCE || !(r->flags & RECORD_OPEN_GOP);
	char name[RENDITION_NAME_BYTES];

	must(r->segments > 0);
	rendition_print(x, name);
	buf_printf(to,
		"#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:0\n"
		"#EXT-X-PLAYLIST-TYPE:VOD\n",
		x->format == RENDITION_TS ? 4 : 7, record_target_s(r));
	if (alone)
		buf_puts(to, "#EXT-X-INDEPENDENT-SEGMENTS\n");
	if (x->kind == RENDITION_IFRAMES)
		buf_puts(to, "#EXT-X-I-FRAMES-ONLY\n");
	if (rendition_has_init(x))
		buf_printf(to, "#EXT-X-MAP:URI=\"%s/init.mp4\"\n", name);
	for (size_t n = 0; n < r->segments; n++) {
		m3u8_extinf(to, record_duration_us(r, n), NULL);
		buf_printf(to, "%s/%zu.%s\n", name, n, rendition_extension(x));
	}
	buf_puts(to, "#EXT-X-ENDLIST\n");
}

static void print_time(long long us, struct buf *to)
{
	long long ms = us / 1000;

	buf_printf(to, "%02lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
		ms % 1000);
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
