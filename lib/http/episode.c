/* lib/http/episode.c - which episode of which season a name tells of.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/episode.h"

#include <string.h>

#include "lib/base/num.h"

enum { DIGITS_MAX = 4, MORE_MAX = 9 /* episodes in a file */ };

static const char *const season_words[] = {
	"season", "series", "staffel", "saison", "temporada", "stagione", "seizoen", "sezon"};
static const char *const episode_words[] = {"episode", "folge", "ep", "e"};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes beyond ASCII are letters of some language. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_between(char c)
{
	return c && strchr(" ._-[]()", c);
}

static struct span from(struct span text, size_t at)
{
	return span_make(text.ptr + at, text.len - at);
}

static void skip_between(struct span *text)
{
	while (text->len && is_between(text->ptr[0]))
		*text = from(*text, 1);
}

/* One to DIGITS_MAX digits, and none behind them. */
static bool take_number(struct span *text, int64_t *out)
{
	size_t n = 0;

	while (n < text->len && is_digit(text->ptr[n]))
		n++;
	if (n == 0 || n > DIGITS_MAX || !num_parse(span_make(text->ptr, n), 0, 9999, out))
		return false;
	*text = from(*text, n);
	return true;
}

/* One of the words, in any case; what follows it is no letter. */
static bool take_word(struct span *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(words[i]);

		if (text->len >= n && span_is_nocase(span_make(text->ptr, n), words[i]) &&
			(text->len == n || !is_letter(text->ptr[n]))) {
			*text = from(*text, n);
			return true;
		}
	}
	return false;
}

static bool take_season_word(struct span *text)
{
	return take_word(text, season_words, sizeof(season_words) / sizeof(season_words[0]));
}

static bool take_episode_word(struct span *text)
{
	return take_word(text, episode_words, sizeof(episode_words) / sizeof(episode_words[0]));
}

/* "S01E02", "s1.e2" */
static bool take_letters(struct span *text, struct episode_mark *m)
{
	static const char *const s[] = {"s"};
	struct span rest = *text;

	if (!take_word(&rest, s, 1) || !take_number(&rest, &m->season))
		return false;
	skip_between(&rest);
	if (!take_episode_word(&rest) || !take_number(&rest, &m->number))
		return false;
	*text = rest;
	return true;
}

/* "1x02"; 1920x1080 is the size of a picture, and 4x4 a film. */
static bool take_cross(struct span *text, struct episode_mark *m)
{
	struct span rest = *text, digits;

	if (!take_number(&rest, &m->season) || text->len - rest.len > 2 || rest.len < 3 ||
		(rest.ptr[0] != 'x' && rest.ptr[0] != 'X'))
		return false;
	digits = rest = from(rest, 1);
	if (!take_number(&rest, &m->number) || digits.len - rest.len < 2 ||
		digits.len - rest.len > 3)
		return false;
	*text = rest;
	return true;
}

/* "Season 1 Episode 2", "Staffel 1, Folge 2" */
static bool take_words(struct span *text, struct episode_mark *m)
{
	struct span rest = *text;

	if (!take_season_word(&rest))
		return false;
	skip_between(&rest);
	if (!take_number(&rest, &m->season))
		return false;
	if (rest.len && rest.ptr[0] == ',')
		rest = from(rest, 1);
	skip_between(&rest);
	if (!take_episode_word(&rest))
		return false;
	skip_between(&rest);
	if (!take_number(&rest, &m->number))
		return false;
	*text = rest;
	return true;
}

/* Further episodes in the same file: "E03", "-E03", "-03" right behind; "-24" is a name's. */
static void skip_more(struct span *text, int64_t last)
{
	int64_t number;

	for (;;) {
		struct span rest = *text;
		bool named;

		if (rest.len && rest.ptr[0] == '-')
			rest = from(rest, 1);
		named = take_episode_word(&rest);
		if ((!named && rest.ptr == text->ptr) || !take_number(&rest, &number) ||
			(!named && (number <= last || number > last + MORE_MAX ||
					   (rest.len && is_letter(rest.ptr[0])))))
			return;
		last = number;
		*text = rest;
	}
}

static struct span trim(struct span text)
{
	skip_between(&text);
	while (text.len && is_between(text.ptr[text.len - 1]) && text.ptr[text.len - 1] != ')' &&
		text.ptr[text.len - 1] != ']')
		text.len--;
	return text;
}

static void set_texts(struct span name, struct span mark, struct span rest, struct episode_mark *m)
{
	m->before = trim(span_make(name.ptr, (size_t)(mark.ptr - name.ptr)));
	skip_more(&rest, m->number);
	m->after = trim(rest);
}

bool episode_find(struct span name, struct episode_mark *out)
{
	for (size_t i = 0; i < name.len; i++) {
		struct span mark = from(name, i), rest = mark;
		bool begins = i == 0 || (!is_letter(name.ptr[i - 1]) && !is_digit(name.ptr[i - 1]));

		if (!begins || (!take_letters(&rest, out) && !take_cross(&rest, out) &&
				       !take_words(&rest, out)))
			continue;
		if (rest.len && is_letter(rest.ptr[0]) && rest.ptr[0] != 'e' && rest.ptr[0] != 'E')
			continue;
		set_texts(name, mark, rest, out);
		return true;
	}
	return false;
}

bool episode_find_in(int64_t season, struct span name, struct episode_mark *out)
{
	struct span mark = name, rest;

	if (episode_find(name, out))
		return true;
	skip_between(&mark);
	rest = mark;
	if (take_episode_word(&rest))
		skip_between(&rest);
	if (!take_number(&rest, &out->number) || (rest.len && is_letter(rest.ptr[0])))
		return false;
	/* "102" in season 1 is its second one. */
	if (season > 0 && out->number > 100 && out->number / 100 == season)
		out->number %= 100;
	out->season = season;
	set_texts(name, mark, rest, out);
	return true;
}

bool episode_is_season(struct span folder, int64_t *season)
{
	static const char *const s[] = {"s"};
	struct span rest = folder;

	if (span_is_nocase(folder, "specials") || span_is_nocase(folder, "extras")) {
		*season = 0;
		return true;
	}
	if (!take_season_word(&rest) && !take_word(&rest, s, 1))
		return false;
	skip_between(&rest);
	if (!take_number(&rest, season))
		return false;
	return rest.len == 0 || !is_letter(rest.ptr[0]);
}
