/* fcgi-app/processes/live/media_playlist.c - one that is followed, and its segments that wait.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/media_playlist.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hls/ts.h"

enum { TS_MOST = 96 << 20, MAP_MOST = 1 << 20 };

bool media_playlist_init(struct media_playlist *m)
{
	*m = (struct media_playlist){.list = calloc(1, sizeof(*m->list)), .seam = SEAM_JOIN};
	buf_init(&m->text, PLAYLIST_BYTES);
	buf_init(&m->map, MAP_MOST);
	return m->list != NULL;
}

void media_playlist_release(struct media_playlist *m)
{
	reservoir_release(&m->queue);
	buf_release(&m->text);
	buf_release(&m->map);
	free(m->list);
	*m = (struct media_playlist){0};
}

void media_playlist_forget(struct media_playlist *m)
{
	m->follow = (struct follow){0};
	m->seam = SEAM_JOIN;
	m->url[0] = '\0';
}

void media_playlist_use(struct media_playlist *m, const char *url)
{
	span_copy(span_of(url), m->url, sizeof(m->url));
	m->base[0] = '\0';
	m->has_list = m->ask_first = false;
	buf_clear(&m->map);
	m->map_uri[0] = '\0';
}

void media_playlist_answered(struct media_playlist *m, const char *base)
{
	span_copy(span_of(*base ? base : m->url), m->base, sizeof(m->base));
}

const char *media_playlist_address(const struct media_playlist *m)
{
	return *m->base && !m->ask_first ? m->base : m->url;
}

bool media_playlist_ask_first(struct media_playlist *m)
{
	if (m->ask_first || !*m->base || strcmp(m->base, m->url) == 0)
		return false;
	m->ask_first = true;
	m->has_list = false;
	return true;
}

int media_playlist_read(struct media_playlist *m, struct span text, struct fail *f)
{
	buf_clear(&m->text);
	if (!buf_add(&m->text, text.ptr, text.len))
		return fail_set(f, FAIL_UPSTREAM, "The source's playlist is too large");
	m->has_list = playlist_parse(buf_span(&m->text), m->list, f) == 0;
	return m->has_list ? 0 : -1;
}

enum follow_news media_playlist_follow(struct media_playlist *m)
{
	enum follow_news news = follow_list(&m->follow, m->list, clock_mono_ms());

	m->seams += news != FOLLOW_ON;
	if (news == FOLLOW_BEGUN || news == FOLLOW_MISSED)
		m->seam = SEAM_JOIN;
	else if (news == FOLLOW_ANEW)
		m->seam = SEAM_DISCONTINUITY;
	return news;
}

void media_playlist_align(struct media_playlist *m, const struct media_playlist *with)
{
	const struct playlist *p = m->list;
	int64_t n = with->follow.next_n;

	if (m->aligned == with->seams)
		return;
	m->aligned = with->seams;
	if (p->count && n >= p->segments[0].n && n <= p->segments[p->count - 1].n)
		m->follow.next_n = n;
	m->given_us =
		with->given_us + reservoir_left_us(&with->queue) - reservoir_left_us(&m->queue);
}

const struct playlist_segment *media_playlist_next(struct media_playlist *m)
{
	int64_t n = m->follow.next_n;
	const struct playlist_segment *s = follow_next(&m->follow, m->list);

	if (m->follow.next_n != n && m->seam == SEAM_SEGMENT)
		m->seam = SEAM_JOIN;
	return s;
}

void media_playlist_skip(struct media_playlist *m)
{
	m->follow.next_n++;
	if (m->seam == SEAM_SEGMENT)
		m->seam = SEAM_JOIN;
}

static bool is_ts(struct span bytes)
{
	return bytes.len >= TS_PACKET && bytes.ptr[0] == 0x47 &&
	       (bytes.len < 2 * TS_PACKET || bytes.ptr[TS_PACKET] == 0x47);
}

bool media_playlist_has_map(const struct media_playlist *m, const struct playlist_part *map)
{
	return *m->map_uri && span_is(map->uri, m->map_uri) && map->offset == m->map_offset;
}

int media_playlist_map(struct media_playlist *m, const struct playlist_part *map, struct span bytes,
	struct fail *f)
{
	buf_clear(&m->map);
	m->map_uri[0] = '\0';
	if (is_ts(bytes))
		buf_add(&m->map, bytes.ptr, bytes.len);
	else if (mp4_init(bytes, &m->mp4, f) < 0)
		return -1;
	if (!span_copy(map->uri, m->map_uri, sizeof(m->map_uri)))
		return fail_set(
			f, FAIL_UPSTREAM, "The source's playlist names too long an address");
	m->map_offset = map->offset;
	m->remux.version++;
	return 0;
}

/* The segment as MPEG-TS, in `to`. */
static int make_ts(struct media_playlist *m, struct buf *bytes, struct buf *to, struct fail *f)
{
	struct span all = buf_span(bytes);

	if (is_ts(all) && !m->map.len) {
		*to = *bytes;
		*bytes = (struct buf){0};
		return 0;
	}
	buf_init(to, TS_MOST);
	if (is_ts(all)) {
		buf_add(to, m->map.ptr, m->map.len);
		buf_add(to, all.ptr, all.len);
		return 0;
	}
	if (packed_begins(all))
		return remux_packed(&m->remux, all, to, f);
	if (!mp4_begins(all))
		return fail_set(f, FAIL_UPSTREAM,
			"The source's segment is neither MPEG-TS nor MP4 nor packed audio");
	if (!*m->map_uri && mp4_init(all, &m->mp4, f) < 0)
		return -1;
	return remux_segment(&m->remux, &m->mp4, all, to, f);
}

/* As a part of the programme that both playlists are. */
static int make_part(struct media_playlist *m, struct buf *ts, struct fail *f)
{
	struct buf part;

	if (!m->blend)
		return 0;
	buf_init(&part, TS_MOST);
	if (!blend_add(m->blend, m->kind, buf_span(ts), &part)) {
		buf_release(&part);
		return fail_set(f, FAIL_UPSTREAM, "The source's segment has no %s in it",
			m->kind == BLEND_VIDEO ? "picture" : "sound");
	}
	buf_release(ts);
	*ts = part;
	return 0;
}

int media_playlist_add(struct media_playlist *m, const struct playlist_segment *s,
	struct buf *bytes, struct fail *f)
{
	struct buf ts = {0};

	if (make_ts(m, bytes, &ts, f) < 0 || make_part(m, &ts, f) < 0) {
		buf_release(&ts);
		return -1;
	}
	if (s->discontinuity)
		m->seam = SEAM_DISCONTINUITY;
	reservoir_add(&m->queue, &ts, s->duration_us, m->seam);
	m->seam = SEAM_SEGMENT;
	m->follow.next_n++;
	return 0;
}
