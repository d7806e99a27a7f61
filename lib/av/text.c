/* lib/av/text.c - subtitles as WebVTT, segment by segment.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/text.h"

#include <string.h>

#include "lib/av/demux.h"
#include "lib/hls/grid.h"

enum {
	BEFORE_S = 10,	  /* a cue that began earlier is not looked for */
	LATE_S = 1,	  /* tracks of a file are no further apart than that */
	UNSAID_MS = 4000, /* how long a cue lasts that does not say it */
	LONGEST_MS = 60000,
	CUES_MAX = 5000
};

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
		else if (s.len - i >= 3 && memcmp(s.ptr + i, "-->", 3) == 0)
			i += 2;
		else if ((unsigned char)s.ptr[i] >= ' ' || s.ptr[i] == '\t')
			buf_putc(to, s.ptr[i]);
	}
}

void text_cue(const char *codec, struct span s, struct buf *to)
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

/* Appends a packet's cue where it is seen within [begin, end), in ms. */
static void add(struct demux *d, const AVPacket *p, int64_t begin, int64_t end, struct buf *to)
{
	const struct record *r = d->record;
	int64_t time = demux_packet_time(d, p), from, until, length;
	size_t before = to->len, head;

	if (time == DEMUX_NO_TIME)
		return;
	length =
		grid_scale(p->duration, (int64_t)d->st->time_base.num * 1000, d->st->time_base.den);
	if (length <= 0)
		length = UNSAID_MS;
	if (length > LONGEST_MS)
		length = LONGEST_MS;
	from = grid_scale(time, 1000, r->timescale);
	until = from + length;
	if (from < 0)
		from = 0;
	if (from >= end || until <= begin || until <= from)
		return;
	stamp(to, from);
	buf_puts(to, " --> ");
	stamp(to, until);
	buf_putc(to, '\n');
	head = to->len;
	text_cue(d->codec, span_make((const char *)p->data, (size_t)p->size), to);
	if (to->len == head && !to->failed) {
		to->len = before;
		to->ptr[before] = '\0';
		return;
	}
	buf_puts(to, "\n\n");
}

static int collect(struct demux *d, int64_t begin, int64_t end, struct buf *to, struct fail *f)
{
	AVPacket *p = av_packet_alloc();
	int got = p ? 1 : fail_set(f, FAIL_INTERNAL, "There is no memory for subtitles");

	for (int i = 0; i < CUES_MAX && got > 0 && (got = demux_next(d, p, f)) > 0; i++) {
		int64_t time = demux_packet_time(d, p);
		if (p->size > 0)
			add(d, p, begin, end, to);
		av_packet_unref(p);
		if (time != DEMUX_NO_TIME && d->stop != INT64_MAX && time >= d->stop)
			break;
	}
	av_packet_free(&p);
	return got < 0 ? -1 : 0;
}

int text_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	size_t n, struct buf *to, struct fail *f)
{
	const struct record_text *t = &r->text[x->track];
	int64_t from = r->t[n] - (int64_t)BEFORE_S * r->timescale;
	bool last = n + 1 == r->segments;
	struct demux d;
	int result = -1;

	buf_printf(to, "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:%d\n\n",
		x->format == RENDITION_TS ? RENDITION_TS_ZERO_S * 90000 : 0);
	if (demux_open(&d, s, r, t->stream, t->codec, from > 0 ? from : 0,
		    last ? INT64_MAX : r->t[n + 1], f) == 0) {
		d.late_s = LATE_S;
		result = collect(&d, record_begin_us(r, n) / 1000,
			last ? INT64_MAX : record_begin_us(r, n + 1) / 1000, to, f);
	}
	demux_close(&d);
	if (result == 0 && to->failed)
		return fail_set(f, FAIL_INPUT, "A segment has too many subtitles");
	return result;
}
