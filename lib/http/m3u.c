/* lib/http/m3u.c - lists of channels as they are handed around.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/m3u.h"

#include <string.h>

#include "lib/base/num.h"

enum { TEXT_MAX = 2048 };

void m3u_init(struct m3u *m, m3u_fn *each, void *ctx)
{
	*m = (struct m3u){.each = each, .ctx = ctx};
	buf_init(&m->line, M3U_LINE_MAX);
	buf_init(&m->head, M3U_LINE_MAX);
	buf_init(&m->info, M3U_LINE_MAX);
	buf_init(&m->group, TEXT_MAX);
	buf_init(&m->agent, TEXT_MAX);
	buf_init(&m->referrer, TEXT_MAX);
}

void m3u_release(struct m3u *m)
{
	buf_release(&m->line);
	buf_release(&m->head);
	buf_release(&m->info);
	buf_release(&m->group);
	buf_release(&m->agent);
	buf_release(&m->referrer);
}

static void forget(struct m3u *m)
{
	buf_clear(&m->info);
	buf_clear(&m->group);
	buf_clear(&m->agent);
	buf_clear(&m->referrer);
}

static void keep(struct buf *to, struct span text)
{
	text = span_trim(text);
	buf_clear(to);
	buf_add(to, text.ptr, text.len);
}

/* --- attributes ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Bytes of an attribute's name at `at`, with its '='; 0 when there is none. */
static size_t key_len(struct span s, size_t at)
{
	size_t i = at;

	while (i < s.len && is_key(s.ptr[i]))
		i++;
	return i > at && i < s.len && s.ptr[i] == '=' ? i + 1 - at : 0;
}

/* A quote ends a value when the line, the name or another attribute follows; others belong to
 * it. */
static bool ends_value(struct span s, size_t at)
{
	size_t i = at + 1;

	while (i < s.len && is_blank(s.ptr[i]))
		i++;
	return i == s.len || s.ptr[i] == ',' || (i > at + 1 && key_len(s, i) > 0);
}

/* Takes the value at *at. */
static struct span take_value(struct span s, size_t *at)
{
	char quote = *at < s.len ? s.ptr[*at] : '\0';
	size_t from = *at, i;

	if (quote != '"' && quote != '\'') {
		for (i = from; i < s.len && !is_blank(s.ptr[i]) && s.ptr[i] != ','; i++)
			;
		*at = i;
		return span_make(s.ptr + from, i - from);
	}
	for (i = from + 1; i < s.len; i++) {
		if (s.ptr[i] == quote && ends_value(s, i)) {
			*at = i + 1;
			return span_trim(span_make(s.ptr + from + 1, i - from - 1));
		}
	}
	/* One that is never closed ends at the name, or where the line does. */
	for (i = from + 1; i < s.len && s.ptr[i] != ','; i++)
		;
	*at = i;
	return span_trim(span_make(s.ptr + from + 1, i - from - 1));
}

static void set(struct m3u_entry *e, struct span key, struct span value)
{
	const struct {
		const char *name;
		struct span *to;
	} known[] = {{"tvg-id", &e->guide_id}, {"tvg-name", &e->guide_name}, {"tvg-logo", &e->logo},
		{"logo", &e->logo}, {"group-title", &e->group}, {"tvg-group", &e->group},
		{"tvg-chno", &e->number}, {"ch-number", &e->number}, {"channel-number", &e->number},
		{"catchup-days", &e->days}, {"tvg-rec", &e->days}, {"timeshift", &e->days},
		{"user-agent", &e->agent}, {"http-user-agent", &e->agent},
		{"http-referrer", &e->referrer}, {"http-referer", &e->referrer}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].to->len == 0 && span_is_nocase(key, known[i].name))
			*known[i].to = value;
	}
}

/* Reads what stands behind "#EXTINF:". */
static void read_info(struct span s, struct m3u_entry *e)
{
	size_t i = 0, len;

	while (i < s.len && s.ptr[i] != ',') {
		len = key_len(s, i);
		if (len > 0) {
			struct span key = span_make(s.ptr + i, len - 1);
			i += len;
			set(e, key, take_value(s, &i));
			continue;
		}
		while (i < s.len && !is_blank(s.ptr[i]) && s.ptr[i] != ',') /* the duration */
			i++;
		while (i < s.len && is_blank(s.ptr[i]))
			i++;
	}
	if (i < s.len)
		e->name = span_trim(span_make(s.ptr + i + 1, s.len - i - 1));
}

/* --- addresses -------------------------------------------------------------------------------- */

static void unescape(struct span text, struct buf *to)
{
	buf_clear(to);
	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len ? num_hex_digit(text.ptr[i + 1]) : -1;
		int low = i + 2 < text.len ? num_hex_digit(text.ptr[i + 2]) : -1;

		if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
			buf_putc(to, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_putc(to, text.ptr[i]);
		}
	}
}

/* What stands behind '|': header fields, as some players want them. */
static void read_fields(struct m3u *m, struct span fields)
{
	struct span field, key;

	while (span_next(&fields, '&', &field)) {
		if (!span_next(&field, '=', &key) || !field.ptr)
			continue;
		if (span_is_nocase(key, "user-agent"))
			unescape(field, &m->agent);
		else if (span_is_nocase(key, "referer") || span_is_nocase(key, "referrer"))
			unescape(field, &m->referrer);
	}
}

/* What the list says for all, where the entry says nothing. */
static void use_head(const struct m3u *m, struct m3u_entry *e)
{
	struct m3u_entry all = {0};

	read_info(buf_span(&m->head), &all);
	if (!e->days.len)
		e->days = all.days;
	if (!e->agent.len)
		e->agent = all.agent;
	if (!e->referrer.len)
		e->referrer = all.referrer;
}

static void give(struct m3u *m, struct span line)
{
	struct m3u_entry e = {0};
	struct span url;

	span_next(&line, '|', &url);
	if (line.ptr)
		read_fields(m, line);
	read_info(buf_span(&m->info), &e);
	e.url = span_trim(url);
	if (m->group.len && !e.group.len)
		e.group = buf_span(&m->group);
	if (m->agent.len)
		e.agent = buf_span(&m->agent);
	if (m->referrer.len)
		e.referrer = buf_span(&m->referrer);
	use_head(m, &e);
	m->entries++;
	if (!m->each(m->ctx, &e))
		m->stopped = true;
	forget(m);
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool behind(struct span line, const char *tag, struct span *rest)
{
	size_t len = strlen(tag);

	if (line.len < len || !span_is_nocase(span_make(line.ptr, len), tag))
		return false;
	*rest = span_make(line.ptr + len, line.len - len);
	return true;
}

static void take_option(struct m3u *m, struct span option)
{
	struct span key;

	span_next(&option, '=', &key);
	key = span_trim(key);
	if (span_is_nocase(key, "http-user-agent"))
		keep(&m->agent, option);
	else if (span_is_nocase(key, "http-referrer") || span_is_nocase(key, "http-referer"))
		keep(&m->referrer, option);
	else if (span_is_nocase(key, "inputstream.adaptive.stream_headers") ||
		 span_is_nocase(key, "inputstream.adaptive.manifest_headers") ||
		 span_is_nocase(key, "inputstream.adaptive.common_headers"))
		read_fields(m, span_trim(option));
}

/* Whether this is the first thing of what is no list. A list that has no head begins with an
 * entry's #EXTINF or with its whole address; else a gateway's "Access denied" would be a channel.
 */
static bool begins_none(const struct m3u *m, struct span line)
{
	if (m->entries > 0 || m->info.len > 0 || line.ptr[0] == '#')
		return false;
	return line.ptr[0] == '<' || line.ptr[0] == '{' ||
	       (!m->has_head && !memmem(line.ptr, line.len, "://", 3));
}

static void take_line(struct m3u *m, struct span line)
{
	struct span rest;

	if (m->lines++ == 0 && line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0)
		line = span_make(line.ptr + 3, line.len - 3);
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	line = span_trim(line);
	if (line.len == 0)
		return;
	if (begins_none(m, line))
		m->is_none = true;
	else if (behind(line, "#EXTINF:", &rest))
		keep(&m->info, rest);
	else if (behind(line, "#EXTGRP:", &rest))
		keep(&m->group, rest);
	else if (behind(line, "#EXTM3U", &rest)) {
		m->has_head = true;
		keep(&m->head, rest);
	} else if (behind(line, "#EXTVLCOPT:", &rest) || behind(line, "#KODIPROP:", &rest))
		take_option(m, rest);
	else if (line.ptr[0] != '#')
		give(m, line);
}

static bool is_over(const struct m3u *m)
{
	return m->is_none || m->stopped;
}

bool m3u_feed(struct m3u *m, const void *bytes, size_t len)
{
	struct span rest = span_make(bytes, len), piece;

	while (!is_over(m) && rest.ptr && rest.len) {
		const char *end = memchr(rest.ptr, '\n', rest.len);

		piece = span_make(rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len);
		if (m->line.len + piece.len > M3U_LINE_MAX)
			m->too_long = true;
		else if (!buf_add(&m->line, piece.ptr, piece.len))
			return false;
		rest = span_make(
			rest.ptr + piece.len + (end != NULL), rest.len - piece.len - (end != NULL));
		if (!end)
			break;
		if (!m->too_long)
			take_line(m, buf_span(&m->line));
		buf_clear(&m->line);
		m->too_long = false;
	}
	return !is_over(m);
}

bool m3u_end(struct m3u *m)
{
	if (!is_over(m) && m->line.len && !m->too_long)
		take_line(m, buf_span(&m->line));
	buf_clear(&m->line);
	return !is_over(m);
}
