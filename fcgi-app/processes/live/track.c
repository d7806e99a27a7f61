/* fcgi-app/processes/live/track.c - a media playlist that is followed, and its waiting segments.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/track.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hls/ts.h"

enum { TS_MOST = 96 << 20, MAP_MOST = 1 << 20 };

bool track_init(struct track *t)
{
	*t = (struct track){.list = calloc(1, sizeof(*t->list)), .seam = SEAM_JOIN};
	buf_init(&t->text, PLAYLIST_BYTES);
	buf_init(&t->map, MAP_MOST);
	return t->list != NULL;
}

void track_release(struct track *t)
{
	reservoir_release(&t->queue);
	buf_release(&t->text);
	buf_release(&t->map);
	free(t->list);
	*t = (struct track){0};
}

void track_forget(struct track *t)
{
	t->follow = (struct follow){0};
	t->seam = SEAM_JOIN;
	t->url[0] = '\0';
}

void track_use(struct track *t, const char *url)
{
	span_copy(span_of(url), t->url, sizeof(t->url));
	t->base[0] = '\0';
	t->has_list = t->ask_first = false;
	buf_clear(&t->map);
	t->map_uri[0] = '\0';
}

void track_answered(struct track *t, const char *base)
{
	span_copy(span_of(*base ? base : t->url), t->base, sizeof(t->base));
}

const char *track_address(const struct track *t)
{
	return *t->base && !t->ask_first ? t->base : t->url;
}

bool track_ask_first(struct track *t)
{
	if (t->ask_first || !*t->base || strcmp(t->base, t->url) == 0)
		return false;
	t->ask_first = true;
	t->has_list = false;
	return true;
}

int track_read(struct track *t, struct span text, struct fail *f)
{
	buf_clear(&t->text);
	if (!buf_add(&t->text, text.ptr, text.len))
		return fail_set(f, FAIL_UPSTREAM, "The source's playlist is too large");
	t->has_list = playlist_parse(buf_span(&t->text), t->list, f) == 0;
	return t->has_list ? 0 : -1;
}

enum follow_news track_list(struct track *t)
{
	enum follow_news news = follow_list(&t->follow, t->list, clock_mono_ms());

	t->seams += news != FOLLOW_ON;
	if (news == FOLLOW_BEGUN || news == FOLLOW_MISSED)
		t->seam = SEAM_JOIN;
	else if (news == FOLLOW_ANEW)
		t->seam = SEAM_DISCONTINUITY;
	return news;
}

void track_align(struct track *t, const struct track *with)
{
	const struct playlist *p = t->list;
	int64_t n = with->follow.next_n;

	if (t->aligned == with->seams)
		return;
	t->aligned = with->seams;
	if (p->count && n >= p->segments[0].n && n <= p->segments[p->count - 1].n)
		t->follow.next_n = n;
	t->given_us =
		with->given_us + reservoir_left_us(&with->queue) - reservoir_left_us(&t->queue);
}

const struct playlist_segment *track_next(struct track *t)
{
	int64_t n = t->follow.next_n;
	const struct playlist_segment *s = follow_next(&t->follow, t->list);

	if (t->follow.next_n != n && t->seam == SEAM_SEGMENT)
		t->seam = SEAM_JOIN;
	return s;
}

void track_skip(struct track *t)
{
	t->follow.next_n++;
	if (t->seam == SEAM_SEGMENT)
		t->seam = SEAM_JOIN;
}

static bool is_ts(struct span bytes)
{
	return bytes.len >= TS_PACKET && bytes.ptr[0] == 0x47 &&
	       (bytes.len < 2 * TS_PACKET || bytes.ptr[TS_PACKET] == 0x47);
}

bool track_has_map(const struct track *t, const struct playlist_part *map)
{
	return *t->map_uri && span_is(map->uri, t->map_uri) && map->offset == t->map_offset;
}

int track_map(struct track *t, const struct playlist_part *map, struct span bytes, struct fail *f)
{
	buf_clear(&t->map);
	t->map_uri[0] = '\0';
	if (is_ts(bytes))
		buf_add(&t->map, bytes.ptr, bytes.len);
	else if (mp4_init(bytes, &t->mp4, f) < 0)
		return -1;
	if (!span_copy(map->uri, t->map_uri, sizeof(t->map_uri)))
		return fail_set(
			f, FAIL_UPSTREAM, "The source's playlist names too long an address");
	t->map_offset = map->offset;
	t->remux.version++;
	return 0;
}

/* The segment as MPEG-TS, in `to`. */
static int make_ts(struct track *t, struct buf *bytes, struct buf *to, struct fail *f)
{
	struct span all = buf_span(bytes);

	if (is_ts(all) && !t->map.len) {
		*to = *bytes;
		*bytes = (struct buf){0};
		return 0;
	}
	buf_init(to, TS_MOST);
	if (is_ts(all)) {
		buf_add(to, t->map.ptr, t->map.len);
		buf_add(to, all.ptr, all.len);
		return 0;
	}
	if (packed_begins(all))
		return remux_packed(&t->remux, all, to, f);
	if (!mp4_begins(all))
		return fail_set(f, FAIL_UPSTREAM,
			"The source's segment is neither MPEG-TS nor MP4 nor packed audio");
	if (!*t->map_uri && mp4_init(all, &t->mp4, f) < 0)
		return -1;
	return remux_segment(&t->remux, &t->mp4, all, to, f);
}

/* As a part of the programme that both tracks are. */
static int make_part(struct track *t, struct buf *ts, struct fail *f)
{
	struct buf part;

	if (!t->blend)
		return 0;
	buf_init(&part, TS_MOST);
	if (!blend_add(t->blend, t->kind, buf_span(ts), &part)) {
		buf_release(&part);
		return fail_set(f, FAIL_UPSTREAM, "The source's segment has no %s in it",
			t->kind == BLEND_VIDEO ? "picture" : "sound");
	}
	buf_release(ts);
	*ts = part;
	return 0;
}

int track_add(struct track *t, const struct playlist_segment *s, struct buf *bytes, struct fail *f)
{
	struct buf ts = {0};

	if (make_ts(t, bytes, &ts, f) < 0 || make_part(t, &ts, f) < 0) {
		buf_release(&ts);
		return -1;
	}
	if (s->discontinuity)
		t->seam = SEAM_DISCONTINUITY;
	reservoir_add(&t->queue, &ts, s->duration_us, t->seam);
	t->seam = SEAM_SEGMENT;
	t->follow.next_n++;
	return 0;
}
