/* lib/http/access_line.c - a line of a front server's access log.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/access_line.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/http/date.h"

enum { TIME_BYTES = sizeof("27/Nov/2026:09:54:47 +0000") - 1, METHOD_BYTES_MAX = 20 };

static const int64_t took_max_s = 10 * 366 * 86400;

/* What stands between the end of the time and the end of the request. False when there is no
 * request: quotation marks of clients are escaped, so `] "` stands there once. */
static bool find_request(struct span line, struct span *before, struct span *request)
{
	static const char begin[] = "] \"";
	const char *at = memmem(line.ptr, line.len, begin, sizeof(begin) - 1);
	const char *end = line.len ? memrchr(line.ptr, '"', line.len) : NULL;

	if (!at || end < at + sizeof(begin) - 1)
		return false;
	*before = span_make(line.ptr, (size_t)(at - line.ptr));
	*request = span_make(at + sizeof(begin) - 1, (size_t)(end - at) - (sizeof(begin) - 1));
	return true;
}

static bool read_time(struct span before, int64_t *time_s)
{
	const char *from;

	if (before.len < TIME_BYTES + 1)
		return false;
	from = before.ptr + before.len - TIME_BYTES;
	return from[-1] == '[' && date_parse_log(span_make(from, TIME_BYTES), time_s);
}

/* Microseconds, or seconds with a point and three to six digits behind it; "-" for none. */
static bool read_took(struct span text, int64_t *us)
{
	struct span whole;
	int64_t s, part;

	*us = -1;
	if (span_is(text, "-"))
		return true;
	span_next(&text, '.', &whole);
	if (!text.ptr)
		return num_parse(whole, 0, took_max_s * 1000000, us);
	if (text.len < 1 || text.len > 6 || !num_parse(whole, 0, took_max_s, &s) ||
		!num_parse(text, 0, 999999, &part))
		return false;
	for (size_t i = text.len; i < 6; i++)
		part *= 10;
	*us = s * 1000000 + part;
	return true;
}

/* Our own words, and those of nginx's cache. An answer that was waited for with others was made
 * once, not for this request. */
static enum access_cache cache_of(struct span word)
{
	static const char *const hits[] = {
		"-", "HIT", "STALE", "COALESCED", "STATIC", "UPDATING", "REVALIDATED"};
	static const char *const misses[] = {"MISS", "EXPIRED", "BYPASS"};

	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
		if (span_is(word, hits[i]))
			return ACCESS_HIT;
	}
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++) {
		if (span_is(word, misses[i]))
			return ACCESS_MISS;
	}
	return ACCESS_UNKNOWN;
}

/* ` 200 5560 1234 MISS`, of which the last may be missing. */
static bool read_figures(struct span text, struct access_line *l)
{
	struct span word;
	int64_t status;

	if (!span_next(&text, ' ', &word) || word.len)
		return false;
	if (!span_next(&text, ' ', &word) || !num_parse(word, 0, 999, &status))
		return false;
	l->status = (int)status;
	if (!span_next(&text, ' ', &word))
		return false;
	l->bytes = 0; /* which some write as "-" */
	if (!span_is(word, "-") && !num_parse(word, 0, INT64_MAX, &l->bytes))
		return false;
	if (!span_next(&text, ' ', &word) || !read_took(word, &l->took_us))
		return false;
	l->cache = span_next(&text, ' ', &word) ? cache_of(word) : ACCESS_UNKNOWN;
	return true;
}

bool access_line_parse(struct span line, struct access_line *out)
{
	struct access_line l = {0};
	struct span before, request;
	const char *end;

	if (!find_request(line, &before, &request) || !read_time(before, &l.time_s))
		return false;
	end = request.ptr + request.len + 1;
	if (!read_figures(span_make(end, (size_t)(line.ptr + line.len - end)), &l))
		return false;
	if (!span_next(&request, ' ', &l.method) || l.method.len > METHOD_BYTES_MAX)
		return false;
	l.path = request; /* empty for a request that was none */
	*out = l;
	return true;
}

/* --- what it was about ------------------------------------------------------------------------ */

static const char *const names[ACCESS_FAMILIES] = {
	[ACCESS_SEGMENTS] = "segments",
	[ACCESS_PLAYLISTS] = "playlists",
	[ACCESS_ART] = "art",
	[ACCESS_OBJECTS] = "objects",
	[ACCESS_DIRECT] = "direct",
	[ACCESS_DOWNLOADS] = "downloads",
	[ACCESS_PREFETCH] = "prefetch",
	[ACCESS_API] = "api",
	[ACCESS_PAGES] = "pages",
	[ACCESS_OTHER] = "other",
};

const char *access_family_name(enum access_family family)
{
	return names[family];
}

enum { PARTS_MAX = 8 };

struct parts {
	struct span part[PARTS_MAX];
	size_t count;
};

static bool is(const struct parts *p, size_t i, const char *word)
{
	return i < p->count && span_is(p->part[i], word);
}

/* Without what a front server put before it when it rewrote the address. */
static void split(struct span path, struct parts *p)
{
	struct span part;

	*p = (struct parts){0};
	if (path.len == 0)
		return;
	if (span_starts(path, "/"))
		path = span_make(path.ptr + 1, path.len - 1);
	while (span_next(&path, '/', &part)) {
		if (p->count == 0 && (span_is(part, "-api") || span_is(part, "-relay") ||
					     span_is(part, "-file")))
			continue;
		if (p->count == PARTS_MAX)
			return;
		p->part[p->count++] = part;
	}
}

/* An id in its one form; of another form as it is, where it could be one. */
static void put_title(struct access_subject *to, struct span text, enum ident_kind bare)
{
	struct ident id;

	if (ident_parse(text, bare, &id)) {
		ident_print(&id, to->title, sizeof(to->title));
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
			    text.ptr[i]))
			return;
	}
	span_copy(text, to->title, sizeof(to->title));
}

static void put_rendition(struct access_subject *to, struct span name)
{
	const char *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;

	if (dot)
		name.len = (size_t)(dot - name.ptr);
	for (size_t i = 0; i < name.len; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", name.ptr[i]))
			return;
	}
	span_copy(name, to->rendition, sizeof(to->rendition));
}

/* What lies below a title: lists, thumbnails, {rendition}/{n}.{extension}. */
static void sort_media(const struct parts *p, struct access_subject *to)
{
	struct span last = p->part[p->count - 1];

	to->family = ACCESS_SEGMENTS;
	if (span_ends(last, ".m3u8")) {
		to->family = ACCESS_PLAYLISTS;
		put_rendition(to, last);
	} else if (span_is(last, "thumbnails.vtt") || is(p, p->count - 2, "thumbnails")) {
		to->family = ACCESS_ART;
	} else {
		put_rendition(to, p->part[p->count - 2]);
	}
}

static void sort_api(const struct parts *p, struct access_subject *to)
{
	to->family = ACCESS_API;
	if (is(p, 1, "hls") && p->count >= 4) {
		put_title(to, p->part[2], IDENT_LIVE);
		sort_media(p, to);
	} else if (is(p, 1, "live") && is(p, 3, "direct")) {
		to->family = ACCESS_DIRECT;
		put_title(to, p->part[2], IDENT_LIVE);
	} else if (is(p, 1, "stream") && p->count >= 3) {
		to->family = ACCESS_OBJECTS;
		if (is(p, 2, "vod") && p->count == 4)
			put_title(to, p->part[3], IDENT_VOD);
		else if (p->count == 3)
			put_title(to, p->part[2], IDENT_NONE);
	} else if (is(p, 1, "download") && is(p, 3, "file")) {
		to->family = ACCESS_DOWNLOADS;
	}
}

static void sort_cdn(const struct parts *p, struct access_subject *to)
{
	if (is(p, 1, "art")) {
		to->family = ACCESS_ART;
		return;
	}
	to->family = ACCESS_OBJECTS;
	if (is(p, 1, "hls") && p->count == 4) {
		if (span_ends(p->part[3], ".m3u8"))
			to->family = ACCESS_PLAYLISTS;
		put_title(to, p->part[2], IDENT_NONE);
	}
	if (is(p, 1, "stream") && p->count == 3)
		put_title(to, p->part[2], IDENT_NONE);
}

void access_subject_of(struct span path, struct access_subject *out)
{
	struct parts p;

	*out = (struct access_subject){.family = ACCESS_OTHER};
	split(path, &p);
	if (is(&p, 0, "tv") && p.count >= 4) {
		put_title(out, p.part[1], IDENT_LIVE);
		sort_media(&p, out);
	} else if (is(&p, 0, "g") && p.count >= 4) {
		sort_media(&p, out);
	} else if (is(&p, 0, "api")) {
		sort_api(&p, out);
	} else if (is(&p, 0, "cdn")) {
		sort_cdn(&p, out);
	} else if (is(&p, 0, "proxy")) {
		out->family = ACCESS_OBJECTS;
		if (p.count == 2)
			put_title(out, p.part[1], IDENT_NONE);
	} else if (is(&p, 0, "prefetch")) {
		out->family = ACCESS_PREFETCH;
	} else if (is(&p, 0, "health") || is(&p, 0, "metrics")) {
		out->family = ACCESS_API;
	} else if (is(&p, 0, "") || is(&p, 0, "web") || is(&p, 0, "watch") || is(&p, 0, "status")) {
		out->family = ACCESS_PAGES;
	}
}
