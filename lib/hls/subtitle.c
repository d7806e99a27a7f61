/* lib/hls/subtitle.c - files of subtitles: what their names tell, and their cues.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/subtitle.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/hls/cue.h"
#include "lib/hls/record.h"

enum { CUES_MAX = 20000, CUE_BYTES = 16384 };

/* --- names ------------------------------------------------------------------------------------ */

static const char *format_of(struct span ending)
{
	static const char *const formats[][2] = {
		{"srt", "srt"}, {"vtt", "vtt"}, {"ass", "ass"}, {"ssa", "ass"}};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (span_is_nocase(ending, formats[i][0]))
			return formats[i][1];
	}
	return NULL;
}

static bool is_letters(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.ptr[i] | 32);

		if (c < 'a' || c > 'z')
			return false;
	}
	return s.len > 0;
}

/* "en", "eng", "pt-BR", or a name of the commonest. */
static bool take_language(struct span word, struct subtitle_name *out)
{
	static const char *const names[][2] = {{"english", "en"}, {"german", "de"},
		{"deutsch", "de"}, {"french", "fr"}, {"spanish", "es"}, {"italian", "it"},
		{"portuguese", "pt"}, {"dutch", "nl"}, {"russian", "ru"}, {"polish", "pl"}};
	struct span rest = word, first;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_is_nocase(word, names[i][0]))
			return snprintf(out->language, sizeof(out->language), "%s", names[i][1]) >
			       0;
	}
	span_next(&rest, '-', &first);
	if (first.len < 2 || first.len > 3 || !is_letters(first) ||
		(rest.ptr && (rest.len < 2 || rest.len > 4 || !is_letters(rest))))
		return false;
	snprintf(out->language, sizeof(out->language), "%.*s", (int)word.len, word.ptr);
	for (char *c = out->language; *c; c++)
		*c = (char)(*c == '-' ? *c : *c | 32);
	return true;
}

static bool take_flag(struct span word, struct subtitle_name *out)
{
	static const struct {
		const char *word;
		unsigned flag;
	} flags[] = {{"forced", RECORD_TEXT_FORCED}, {"foreign", RECORD_TEXT_FORCED},
		{"sdh", RECORD_TEXT_DEAF}, {"cc", RECORD_TEXT_DEAF},
		{"default", RECORD_TEXT_DEFAULT}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (span_is_nocase(word, flags[i].word)) {
			out->flags |= flags[i].flag;
			return true;
		}
	}
	/* Hindi, or for the hearing impaired: only the first language can be one. */
	if (*out->language && span_is_nocase(word, "hi")) {
		out->flags |= RECORD_TEXT_DEAF;
		return true;
	}
	return false;
}

static void add_title(struct span word, struct subtitle_name *out)
{
	size_t used = strlen(out->title);

	if (used + word.len + 2 > sizeof(out->title))
		return;
	if (used)
		out->title[used++] = ' ';
	for (size_t i = 0; i < word.len; i++) {
		unsigned char c = (unsigned char)word.ptr[i];

		if (c >= ' ' && c != '"' && c != 0x7f)
			out->title[used++] = (char)c;
	}
	out->title[used] = '\0';
}

bool subtitle_name(struct span stem, struct span file, struct subtitle_name *out)
{
	size_t dot = file.len;
	struct span rest, word;

	*out = (struct subtitle_name){.language = ""};
	while (dot > 0 && file.ptr[dot - 1] != '.')
		dot--;
	if (dot <= stem.len || file.ptr[stem.len] != '.' || !stem.len ||
		memcmp(file.ptr, stem.ptr, stem.len) != 0)
		return false;
	out->format = format_of(span_make(file.ptr + dot, file.len - dot));
	if (!out->format)
		return false;
	if (dot <= stem.len + 2)
		return true;
	rest = span_make(file.ptr + stem.len + 1, dot - stem.len - 2);
	while (span_next(&rest, '.', &word)) {
		if (word.len && !take_flag(word, out) &&
			(*out->language || !take_language(word, out)))
			add_title(word, out);
	}
	return true;
}

/* --- times ------------------------------------------------------------------------------------ */

/* "1:02:03,450", "02:03.45": whatever stands before the point in sixties, what is behind it as a
 * fraction. */
static bool read_time(struct span text, int64_t *ms)
{
	struct span rest = span_trim(text), part, fraction;
	int64_t value, whole = 0, factor = 1000;

	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] == ',' || rest.ptr[i] == '.') {
			fraction = span_make(rest.ptr + i + 1, rest.len - i - 1);
			rest.len = i;
			break;
		}
		fraction = span_make(NULL, 0);
	}
	if (!rest.len)
		return false;
	while (span_next(&rest, ':', &part)) {
		if (!num_parse(part, 0, 9999, &value) || whole > 100000)
			return false;
		whole = whole * 60 + value;
	}
	*ms = whole * 1000;
	for (size_t i = 0; i < fraction.len && factor > 1; i++) {
		if (fraction.ptr[i] < '0' || fraction.ptr[i] > '9')
			return false;
		factor /= 10;
		*ms += (fraction.ptr[i] - '0') * factor;
	}
	return true;
}

/* "00:01:02,000 --> 00:01:04,000 align:start" */
static bool read_times(struct span line, struct cue *c)
{
	const char *arrow = NULL;
	struct span rest, word;

	for (size_t i = 0; i + 3 <= line.len && !arrow; i++) {
		if (memcmp(line.ptr + i, "-->", 3) == 0)
			arrow = line.ptr + i;
	}
	if (!arrow || !read_time(span_make(line.ptr, (size_t)(arrow - line.ptr)), &c->from_ms))
		return false;
	rest = span_trim(span_make(arrow + 3, line.len - (size_t)(arrow + 3 - line.ptr)));
	span_next(&rest, ' ', &word);
	return read_time(word, &c->until_ms) && c->until_ms > c->from_ms;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool next_line(struct span *text, struct span *line)
{
	if (!span_next(text, '\n', line))
		return false;
	if (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

static void print_seen(const struct cue *c, int64_t from_ms, int64_t until_ms, struct buf *to)
{
	if (c->from_ms < until_ms && c->until_ms > from_ms)
		cue_print(c, to);
}

/* Blocks apart by empty lines: perhaps a number, the times, and lines of text. */
static void print_blocks(
	const char *codec, struct span text, int64_t from_ms, int64_t until_ms, struct buf *to)
{
	struct buf lines;
	struct span line;

	buf_init(&lines, CUE_BYTES);
	for (int i = 0; i < CUES_MAX && next_line(&text, &line);) {
		struct cue c = {.codec = codec};

		if (!read_times(line, &c))
			continue;
		i++;
		buf_clear(&lines);
		while (next_line(&text, &line) && span_trim(line).len) {
			buf_add(&lines, line.ptr, line.len);
			buf_putc(&lines, '\n');
		}
		c.text = buf_span(&lines);
		if (!lines.failed)
			print_seen(&c, from_ms, until_ms, to);
	}
	buf_release(&lines);
}

/* "Dialogue: Layer,Start,End,Style,…,Text"; what comes after the first comma is, but for the times,
 * how Matroska keeps it. */
static void print_ass(struct span text, int64_t from_ms, int64_t until_ms, struct buf *to)
{
	static const char mark[] = "Dialogue:";
	struct span line;

	for (int i = 0; i < CUES_MAX && next_line(&text, &line);) {
		struct cue c = {.codec = "ass"};
		struct span field, from, until;

		if (!span_starts(line, mark))
			continue;
		i++;
		line = span_make(line.ptr + sizeof(mark) - 1, line.len - (sizeof(mark) - 1));
		if (!span_next(&line, ',', &field))
			continue;
		c.text = line;
		if (span_next(&line, ',', &from) && span_next(&line, ',', &until) &&
			read_time(from, &c.from_ms) && read_time(until, &c.until_ms) &&
			c.until_ms > c.from_ms)
			print_seen(&c, from_ms, until_ms, to);
	}
}

void subtitle_print(
	const char *format, struct span text, int64_t from_ms, int64_t until_ms, struct buf *to)
{
	if (strcmp(format, "ass") == 0)
		print_ass(text, from_ms, until_ms, to);
	else
		print_blocks(strcmp(format, "vtt") == 0 ? "webvtt" : "subrip", text, from_ms,
			until_ms, to);
}
