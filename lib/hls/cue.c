/* lib/hls/cue.c - one subtitle, from what it was written in to WebVTT.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/cue.h"

#include <string.h>

#include "lib/hls/rendition.h"

/* Length of <i>, </b> and their like at the beginning; 0: it is no tag. *kept: WebVTT has it. */
static size_t tag(struct span s, bool *kept)
{
	const char *end = memchr(s.ptr, '>', s.len < 200 ? s.len : 200);
	size_t at = s.len > 1 && s.ptr[1] == '/' ? 2 : 1;
	char name = at < s.len ? s.ptr[at] : 0;

	*kept = false;
	if (!end || !((name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z')))
		return 0;
	*kept = s.ptr + at + 1 == end && strchr("ibuIBU", name);
	return (size_t)(end - s.ptr) + 1;
}

/* One character of text, as WebVTT takes it. */
static void put(struct buf *to, char c)
{
	if (c == '&')
		buf_puts(to, "&amp;");
	else if (c == '<')
		buf_puts(to, "&lt;");
	else if (c == '>')
		buf_puts(to, "&gt;");
	else if ((unsigned char)c >= ' ' || c == '\t')
		buf_putc(to, c);
}

/* A line break; an empty line would end the cue. */
static void newline(struct buf *to, size_t from)
{
	if (to->len > from && to->ptr[to->len - 1] != '\n')
		buf_putc(to, '\n');
}

static void put_tag(struct buf *to, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_putc(to, s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i]);
}

/* {\an8} and what else stands in braces at the beginning of SubRip's and all over ASS's lines. */
static size_t braces(struct span s)
{
	const char *end = s.len > 1 && s.ptr[1] == '\\' ? memchr(s.ptr, '}', s.len) : NULL;

	return end ? (size_t)(end - s.ptr) + 1 : 0;
}

static void markup(struct span s, bool is_ass, struct buf *to)
{
	size_t from = to->len, len;
	bool kept;

	for (size_t i = 0; i < s.len; i++) {
		struct span rest = span_make(s.ptr + i, s.len - i);
		if (*rest.ptr == '{' && (len = braces(rest)) > 0) {
			i += len - 1;
		} else if (*rest.ptr == '<' && (len = tag(rest, &kept)) > 0) {
			if (kept)
				put_tag(to, rest.ptr, len);
			i += len - 1;
		} else if (is_ass && *rest.ptr == '\\' && rest.len > 1 &&
			   strchr("Nnh", rest.ptr[1])) {
			if (rest.ptr[1] == 'h')
				buf_putc(to, ' ');
			else
				newline(to, from);
			i++;
		} else if (*rest.ptr == '\n') {
			newline(to, from);
		} else {
			put(to, *rest.ptr);
		}
	}
}

/* WebVTT's own markup stays, as long as it cannot be taken for another cue. */
static void plain(struct span s, struct buf *to)
{
	size_t from = to->len;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			newline(to, from);
		else if (s.ptr[i] == '>' && to->len >= from + 2 &&
			 memcmp(to->ptr + to->len - 2, "--", 2) == 0)
			to->len -= 2;
		else if ((unsigned char)s.ptr[i] >= ' ' || s.ptr[i] == '\t')
			buf_putc(to, s.ptr[i]);
	}
}

void cue_text(const char *codec, struct span s, struct buf *to)
{
	size_t from = to->len;

	if (strcmp(codec, "ass") == 0) {
		/* ReadOrder, Layer, Style, Name, three margins, Effect, and then the text */
		for (int commas = 0; commas < 8 && s.len; s.ptr++, s.len--)
			commas += *s.ptr == ',';
	} else if (strcmp(codec, "mov_text") == 0) {
		size_t len =
			s.len >= 2
				? (size_t)((unsigned char)s.ptr[0] << 8 | (unsigned char)s.ptr[1])
				: 0;
		s = s.len >= 2 ? span_make(s.ptr + 2, s.len - 2) : span_make(NULL, 0);
		if (s.len > len)
			s.len = len;
	}
	if (strcmp(codec, "webvtt") == 0)
		plain(s, to);
	else
		markup(s, strcmp(codec, "ass") == 0, to);
	while (to->len > from && strchr(" \n\t", to->ptr[to->len - 1]))
		to->len--;
	if (to->len > from)
		to->ptr[to->len] = '\0';
}

static void stamp(struct buf *to, int64_t ms)
{
	buf_printf(to, "%02d:%02d:%02d.%03d", (int)(ms / 3600000), (int)(ms / 60000 % 60),
		(int)(ms / 1000 % 60), (int)(ms % 1000));
}

void cue_print(const struct cue *c, struct buf *to)
{
	size_t before = to->len, head;

	stamp(to, c->from_ms);
	buf_puts(to, " --> ");
	stamp(to, c->until_ms);
	buf_putc(to, '\n');
	head = to->len;
	cue_text(c->codec, c->text, to);
	if (to->len == head && !to->failed) {
		to->len = before;
		to->ptr[before] = '\0';
		return;
	}
	buf_puts(to, "\n\n");
}

void cue_begin(bool ts, struct buf *to)
{
	buf_printf(to, "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:%d\n\n",
		ts ? RENDITION_TS_ZERO_S * 90000 : 0);
}
