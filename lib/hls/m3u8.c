/* lib/hls/m3u8.c - writers of master and live media playlists.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/m3u8.h"

#include <time.h>

#include "lib/base/must.h"

static void print_variant(const struct m3u8_variant *v, struct buf *to)
{
	buf_printf(to, "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,CODECS=\"%s%s%s\"",
		(long long)v->bandwidth, (long long)v->average,
		v->video_codec ? v->video_codec : "", v->video_codec && v->has_audio ? "," : "",
		v->has_audio ? "mp4a.40.2" : "");
	if (v->width > 0 && v->height > 0)
		buf_printf(to, ",RESOLUTION=%dx%d", v->width, v->height);
	if (v->video_codec && v->rate_milli > 0)
		buf_printf(to, ",FRAME-RATE=%lld.%03lld", (long long)(v->rate_milli / 1000),
			(long long)(v->rate_milli % 1000));
	buf_printf(to, "\n%s\n", v->uri);
}

void m3u8_master_print(const struct m3u8_variant *variants, size_t count, struct buf *to)
{
	/* EXT-X-INDEPENDENT-SEGMENTS asks for version 6 in a master (section 7). */
	buf_puts(to, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n");
	for (size_t i = 0; i < count; i++) {
		must(variants[i].video_codec || variants[i].has_audio);
		print_variant(&variants[i], to);
	}
}

static void print_date(int64_t ms, struct buf *to)
{
	time_t s = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(to, "#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", text, (int)(ms % 1000));
}

void m3u8_extinf(struct buf *to, int64_t us, const char *title)
{
	buf_printf(to, "#EXTINF:%lld.%06lld,%s\n", (long long)(us / 1000000),
		(long long)(us % 1000000), title ? title : "");
}

static void print_segment(const struct m3u8_media *m, size_t i, struct buf *to)
{
	const struct m3u8_segment *s = &m->segments[i];
	int64_t longest = (int64_t)m->target_s * 1000000 + 499999;
	int64_t us = s->duration_us < longest ? s->duration_us : longest;

	if (i && s->discontinuity)
		buf_puts(to, "#EXT-X-DISCONTINUITY\n");
	/* On each: what a playlist says of a segment must not change while the window moves on. */
	if (s->date_ms > 0)
		print_date(s->date_ms, to);
	m3u8_extinf(to, us, s->title);
	buf_printf(to, "%s%s/%lld.ts\n", m->prefix, s->rendition, (long long)s->n);
}

void m3u8_media_print(const struct m3u8_media *m, struct buf *to)
{
	must(m->count > 0);
	buf_printf(to,
		"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%lld\n",
		m->target_s, (long long)m->segments[0].n);
	if (m->discontinuity_sequence)
		buf_printf(to, "#EXT-X-DISCONTINUITY-SEQUENCE:%lld\n",
			(long long)m->discontinuity_sequence);
	buf_puts(to, "#EXT-X-INDEPENDENT-SEGMENTS\n");
	for (size_t i = 0; i < m->count; i++) {
		must(i == 0 || m->segments[i].n == m->segments[i - 1].n + 1);
		print_segment(m, i, to);
	}
}
