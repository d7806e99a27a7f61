/* lib/hls/playlist.c - playlists that others wrote, master and media.
 * SPDX-License-Identifier: BSD-2-Clause
 * Section numbers are those of RFC 8216. */
#include "lib/hls/playlist.h"

#include <string.h>
#include <strings.h>

#include "lib/base/num.h"
#include "lib/hls/m3u8.h"

#define US 1000000LL

enum { BOM_BYTES = 3, DAY_S = 86400 };

static const char begin[] = "#EXTM3U", bom[] = "\xef\xbb\xbf";

/* What is read, and what holds for the next segment. */
struct reader {
	struct playlist *p;
	int64_t next_n;
	struct playlist_segment next;
	bool has_duration;
	int64_t range_at;      /* where the next range without an offset begins */
	struct span range_uri; /* and in which resource */
	bool has_range, has_offset;
	int64_t longest_us;
	bool has_key; /* since the segment before */
	bool endless; /* a length of -1: channels, not segments */
	bool has_variant;
	struct playlist_variant variant;
};

/* --- words ------------------------------------------------------------------------------------ */

bool playlist_is_type(const char *content_type)
{
	static const char *const types[] = {M3U8_TYPE, "application/x-mpegurl", "audio/mpegurl",
		"audio/x-mpegurl", "application/mpegurl", "vnd.apple.mpegurl"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncasecmp(content_type, types[i], strlen(types[i])) == 0)
			return true;
	}
	return false;
}

bool playlist_begins(struct span text, bool *sure)
{
	struct span rest = text;
	size_t most;

	if (span_starts(rest, bom))
		rest = span_make(rest.ptr + BOM_BYTES, rest.len - BOM_BYTES);
	while (rest.len && strchr(" \t\r\n", rest.ptr[0]))
		rest = span_make(rest.ptr + 1, rest.len - 1);
	most = rest.len < sizeof(begin) - 1 ? rest.len : sizeof(begin) - 1;
	*sure = most == sizeof(begin) - 1 || (most && memcmp(rest.ptr, begin, most) != 0);
	if (!rest.len)
		*sure = text.len > 64;
	if (text.len < BOM_BYTES && text.len && memcmp(text.ptr, bom, text.len) == 0)
		*sure = false;
	return span_starts(rest, begin);
}

/* Section 4.2: "4.004" in millionths; more digits than six are cut. */
static bool read_decimal(struct span text, int64_t max, int64_t *out)
{
	struct span whole, part = {0};
	int64_t units, fraction = 0;

	text = span_trim(text);
	span_next(&text, '.', &whole);
	part = text;
	if (!num_parse(whole, 0, max, &units))
		return false;
	for (size_t i = 0; i < 6; i++) {
		bool is_digit = i < part.len && part.ptr[i] >= '0' && part.ptr[i] <= '9';
		if (i < part.len && !is_digit)
			return false;
		fraction = fraction * 10 + (is_digit ? part.ptr[i] - '0' : 0);
	}
	*out = units * US + fraction;
	return true;
}

/* Section 4.2: takes NAME=value off the front; quotes are taken off the value. */
static bool next_attribute(struct span *rest, struct span *name, struct span *value)
{
	const char *end;

	while (rest->len && strchr(", \t", rest->ptr[0]))
		*rest = span_make(rest->ptr + 1, rest->len - 1);
	if (!rest->len || !memchr(rest->ptr, '=', rest->len))
		return false;
	span_next(rest, '=', name);
	*name = span_trim(*name);
	if (rest->len && rest->ptr[0] == '"') {
		*rest = span_make(rest->ptr + 1, rest->len - 1);
		end = memchr(rest->ptr, '"', rest->len);
		*value = span_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
		*rest = span_make(rest->ptr + value->len + (end != NULL),
			rest->len - value->len - (end != NULL));
		return true;
	}
	end = memchr(rest->ptr, ',', rest->len);
	*value = span_trim(span_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len));
	*rest = end ? span_make(end, rest->len - (size_t)(end - rest->ptr))
		    : span_make(rest->ptr + rest->len, 0);
	return true;
}

/* Section 4.3.2.2: "length" or "length@offset". */
static bool read_range(struct span text, int64_t *length, int64_t *offset, bool *has_offset)
{
	struct span number;

	text = span_trim(text);
	span_next(&text, '@', &number);
	*has_offset = text.ptr != NULL;
	*offset = 0;
	return num_parse(number, 1, INT64_MAX / 4, length) &&
	       (!*has_offset || num_parse(text, 0, INT64_MAX / 4, offset));
}

/* 0x and hexadecimal digits, at the end of 16 bytes. */
static bool read_iv(struct span text, uint8_t iv[PLAYLIST_KEY])
{
	uint8_t bytes[PLAYLIST_KEY] = {0};

	if (text.len < 3 || text.len > 2 + 2 * PLAYLIST_KEY ||
		(!span_starts(text, "0x") && !span_starts(text, "0X")))
		return false;
	for (size_t i = 0; i < text.len - 2; i++) {
		int digit = num_hex_digit(text.ptr[text.len - 1 - i]);
		if (digit < 0)
			return false;
		bytes[PLAYLIST_KEY - 1 - i / 2] |= (uint8_t)(digit << (i % 2 ? 4 : 0));
	}
	memcpy(iv, bytes, sizeof(bytes));
	return true;
}

/* Days since the epoch of a day of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1, shifted = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

/* Digits of a fixed place in a date. */
static bool digits(struct span text, size_t at, size_t len, int64_t max, int64_t *out)
{
	return at + len <= text.len && num_parse(span_make(text.ptr + at, len), 0, max, out);
}

/* "+01:00", "+0100" or "Z", in minutes. */
static bool read_zone(struct span text, int64_t *minutes)
{
	int64_t hour, minute;

	*minutes = 0;
	if (text.len == 0 || span_is_nocase(text, "Z"))
		return true;
	if ((text.ptr[0] != '+' && text.ptr[0] != '-') || !digits(text, 1, 2, 23, &hour) ||
		!digits(text, text.len - 2, 2, 59, &minute) || text.len < 5 || text.len > 6)
		return false;
	*minutes = (hour * 60 + minute) * (text.ptr[0] == '-' ? -1 : 1);
	return true;
}

/* Section 4.3.2.6: ISO 8601, in milliseconds since the epoch; 0 for what is none. */
static int64_t read_date(struct span text)
{
	int64_t y, mo, d, h, mi, s, ms = 0, zone;
	size_t at = 19;

	text = span_trim(text);
	if (!digits(text, 0, 4, 9999, &y) || !digits(text, 5, 2, 12, &mo) ||
		!digits(text, 8, 2, 31, &d) || !digits(text, 11, 2, 23, &h) ||
		!digits(text, 14, 2, 59, &mi) || !digits(text, 17, 2, 60, &s) || y < 1970 ||
		mo < 1 || d < 1)
		return 0;
	if (at < text.len && (text.ptr[at] == '.' || text.ptr[at] == ',')) {
		int64_t scale = 100;
		for (at++; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
			ms += (text.ptr[at] - '0') * scale;
			scale /= 10;
		}
	}
	if (!read_zone(span_make(text.ptr + at, text.len - at), &zone))
		return 0;
	return ((days_of(y, mo, d) * DAY_S) + h * 3600 + mi * 60 + s - zone * 60) * 1000 + ms;
}

/* --- tags of a segment ------------------------------------------------------------------------ */

static void read_duration(struct reader *r, struct span value)
{
	struct span number;

	span_next(&value, ',', &number);
	r->endless |= span_starts(span_trim(number), "-1");
	r->next.duration_us = 0;
	r->has_duration = read_decimal(number, DAY_S, &r->next.duration_us);
}

static void read_key(struct reader *r, struct span value)
{
	struct playlist_key key = {.on = true, .known = true};
	struct span name, text;
	bool is_known = false;

	while (next_attribute(&value, &name, &text)) {
		if (span_is(name, "METHOD")) {
			key.on = !span_is(text, "NONE");
			is_known = span_is(text, "AES-128");
		} else if (span_is(name, "URI")) {
			key.uri = text;
		} else if (span_is(name, "IV")) {
			key.has_iv = read_iv(text, key.iv);
			key.known &= key.has_iv;
		} else if (span_is(name, "KEYFORMAT")) {
			key.known &= span_is(text, "identity");
		}
	}
	key.known &= is_known && key.uri.len > 0;
	/* Section 4.3.2.4: several may stand side by side; one that we know is enough. */
	if (!key.on)
		r->next.part.key = (struct playlist_key){0};
	else if (!r->has_key || key.known || !r->next.part.key.known)
		r->next.part.key = key;
	r->has_key = true;
}

static void read_map(struct reader *r, struct span value)
{
	struct playlist_part map = {.key = r->next.part.key};
	struct span name, text;
	bool has_offset;

	while (next_attribute(&value, &name, &text)) {
		if (span_is(name, "URI"))
			map.uri = text;
		else if (span_is(name, "BYTERANGE") &&
			 !read_range(text, &map.length, &map.offset, &has_offset))
			map.uri = span_of("");
	}
	r->next.map = map;
}

/* Section 5.2: the number as a vector. */
static void default_iv(struct playlist_key *key, int64_t n)
{
	for (int i = 0; i < 8 && key->on && !key->has_iv; i++)
		key->iv[PLAYLIST_KEY - 1 - i] = (uint8_t)((uint64_t)n >> 8 * i);
}

static void keep(struct playlist *p, const struct playlist_segment *s)
{
	if (p->count == PLAYLIST_SEGMENTS) {
		memmove(p->segments, p->segments + PLAYLIST_SEGMENTS / 2,
			(PLAYLIST_SEGMENTS - PLAYLIST_SEGMENTS / 2) * sizeof(p->segments[0]));
		p->count -= PLAYLIST_SEGMENTS / 2;
	}
	p->segments[p->count++] = *s;
}

static void add_segment(struct reader *r, struct span uri)
{
	struct playlist_segment s = r->next;

	s.n = r->next_n++;
	s.part.uri = uri;
	if (r->has_range && !r->has_offset)
		s.part.offset = span_eq(uri, r->range_uri) ? r->range_at : 0;
	if (!r->has_range)
		s.part.offset = s.part.length = 0;
	r->range_uri = uri;
	r->range_at = s.part.length && s.part.offset < INT64_MAX / 2 - s.part.length
			      ? s.part.offset + s.part.length
			      : 0;
	default_iv(&s.part.key, s.n);
	if (s.duration_us > r->longest_us)
		r->longest_us = s.duration_us;
	if (r->next_n < INT64_MAX)
		keep(r->p, &s);
	r->next = (struct playlist_segment){.map = s.map, .part.key = r->next.part.key};
	r->has_duration = r->has_range = r->has_key = false;
}

/* --- tags of a master ------------------------------------------------------------------------- */

static void read_size(struct span text, struct playlist_variant *v)
{
	struct span width;
	int64_t w, h;

	if (!span_next(&text, 'x', &width) || !num_parse(width, 1, 65535, &w) ||
		!num_parse(text, 1, 65535, &h))
		return;
	v->width = (int)w;
	v->height = (int)h;
}

static void read_variant(struct reader *r, struct span value)
{
	struct playlist_variant v = {0};
	struct span name, text;
	int64_t rate_us;

	while (next_attribute(&value, &name, &text)) {
		if (span_is(name, "BANDWIDTH"))
			num_parse(text, 0, INT64_MAX, &v.bandwidth);
		else if (span_is(name, "RESOLUTION"))
			read_size(text, &v);
		else if (span_is(name, "CODECS"))
			v.codecs = text;
		else if (span_is(name, "AUDIO"))
			v.audio = text;
		else if (span_is(name, "FRAME-RATE") && read_decimal(text, 1000, &rate_us))
			v.rate_milli = rate_us / 1000;
	}
	r->variant = v;
	r->has_variant = true;
	r->p->is_master = true;
}

static void read_rendition(struct reader *r, struct span value)
{
	struct playlist_rendition m = {0};
	struct span name, text, type = {0};

	r->p->is_master = true;
	while (next_attribute(&value, &name, &text)) {
		if (span_is(name, "TYPE"))
			type = text;
		else if (span_is(name, "GROUP-ID"))
			m.group = text;
		else if (span_is(name, "NAME"))
			m.name = text;
		else if (span_is(name, "LANGUAGE"))
			m.language = text;
		else if (span_is(name, "URI"))
			m.uri = text;
		else if (span_is(name, "DEFAULT"))
			m.is_default = span_is(text, "YES");
	}
	if (span_is(type, "AUDIO") && r->p->rendition_count < PLAYLIST_RENDITIONS)
		r->p->renditions[r->p->rendition_count++] = m;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* What stands behind the tag, when the line is that tag. */
static bool is_tag(struct span line, const char *tag, struct span *value)
{
	size_t len = strlen(tag);

	if (!span_starts(line, tag) || (line.len > len && line.ptr[len] != ':'))
		return false;
	*value = line.len > len ? span_make(line.ptr + len + 1, line.len - len - 1) : span_of("");
	return true;
}

static void read_tag(struct reader *r, struct span line)
{
	struct playlist_segment *next = &r->next;
	int64_t number;
	struct span v;

	if (is_tag(line, "#EXTINF", &v)) {
		read_duration(r, v);
	} else if (is_tag(line, "#EXT-X-TARGETDURATION", &v)) {
		read_decimal(v, DAY_S, &r->p->target_us);
	} else if (is_tag(line, "#EXT-X-MEDIA-SEQUENCE", &v)) {
		if (!r->p->count && num_parse(span_trim(v), 0, INT64_MAX / 2, &number))
			r->next_n = number;
	} else if (is_tag(line, "#EXT-X-DISCONTINUITY", &v)) {
		next->discontinuity = true;
	} else if (is_tag(line, "#EXT-X-BYTERANGE", &v)) {
		r->has_range =
			read_range(v, &next->part.length, &next->part.offset, &r->has_offset);
	} else if (is_tag(line, "#EXT-X-KEY", &v)) {
		read_key(r, v);
	} else if (is_tag(line, "#EXT-X-MAP", &v)) {
		read_map(r, v);
	} else if (is_tag(line, "#EXT-X-PROGRAM-DATE-TIME", &v)) {
		next->date_ms = read_date(v);
	} else if (is_tag(line, "#EXT-X-GAP", &v)) {
		next->gap = true;
	} else if (is_tag(line, "#EXT-X-ENDLIST", &v)) {
		r->p->ended = true;
	} else if (is_tag(line, "#EXT-X-STREAM-INF", &v)) {
		read_variant(r, v);
	} else if (is_tag(line, "#EXT-X-MEDIA", &v)) {
		read_rendition(r, v);
	}
}

static void read_uri(struct reader *r, struct span line)
{
	struct playlist *p = r->p;

	if (r->has_variant && p->variant_count < PLAYLIST_VARIANTS) {
		r->variant.uri = line;
		p->variants[p->variant_count++] = r->variant;
	} else if (!r->has_variant && r->has_duration) {
		add_segment(r, line);
	}
	r->has_variant = false;
}

int playlist_parse(struct span text, struct playlist *out, struct fail *f)
{
	struct reader r = {.p = out};
	struct span line;
	bool sure;

	memset(out, 0, sizeof(*out));
	if (text.len > PLAYLIST_BYTES || !playlist_begins(text, &sure))
		return fail_set(f, FAIL_UPSTREAM, "The source's playlist is none");
	while (span_next(&text, '\n', &line)) {
		while (line.len && strchr("\r \t", line.ptr[line.len - 1]))
			line.len--;
		line = span_trim(line);
		if (!line.len || memchr(line.ptr, '\0', line.len))
			continue;
		if (line.ptr[0] == '#')
			read_tag(&r, line);
		else
			read_uri(&r, line);
	}
	if (out->is_master)
		return out->variant_count ? 0
					  : fail_set(f, FAIL_UPSTREAM,
						    "The source's playlist lists no variant");
	if (r.endless && !out->target_us)
		return fail_set(f, FAIL_UPSTREAM,
			"The source's playlist is a list of channels, not a stream");
	if (!out->target_us)
		out->target_us = r.longest_us;
	if (!out->target_us)
		return fail_set(f, FAIL_UPSTREAM, "The source's playlist lists nothing to play");
	return 0;
}
