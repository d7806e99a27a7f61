/* lib/io/conf_value.c - one setting's value: read and checked.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf_value.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/span.h"

static const struct unit {
	enum setting_type type;
	const char *name;
	int64_t factor;
} units[] = {
	{SETTING_BYTES, "k", (int64_t)1 << 10},
	{SETTING_BYTES, "M", (int64_t)1 << 20},
	{SETTING_BYTES, "G", (int64_t)1 << 30},
	{SETTING_BYTES, "T", (int64_t)1 << 40},
	{SETTING_TIME, "s", 1},
	{SETTING_TIME, "min", 60},
	{SETTING_TIME, "h", 3600},
	{SETTING_TIME, "d", 86400},
};

/* "512M", "30 s", "7" */
static int read_number(const struct setting *s, const char *text, int64_t *out, struct fail *f)
{
	struct span digits = span_trim(span_of(text)), word;
	size_t n = 0;
	int64_t value, factor = 1;

	while (n < digits.len &&
		(digits.ptr[n] == '-' || (digits.ptr[n] >= '0' && digits.ptr[n] <= '9')))
		n++;
	word = span_trim(span_make(digits.ptr + n, digits.len - n));
	digits.len = n;
	for (size_t i = 0; word.len && i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].type == s->type && span_is(word, units[i].name)) {
			factor = units[i].factor;
			word.len = 0;
		}
	}
	if (word.len || !num_parse(digits, INT64_MIN, INT64_MAX, &value))
		return fail_set(f, FAIL_INPUT, "%s takes a number%s, not \"%s\"", s->name,
			s->type == SETTING_BYTES  ? " of bytes (with k, M, G or T)"
			: s->type == SETTING_TIME ? " of seconds (or with s, min, h, d)"
						  : "",
			text);
	if (value < 0 || !num_mul(value, factor, &value) || value < s->least || value > s->most)
		return fail_set(f, FAIL_INPUT, "%s lies between %lld and %lld, which %s does not",
			s->name, (long long)s->least, (long long)s->most, text);
	*out = value;
	return 0;
}

/* "1", "0.25": thousandths. */
static int read_factor(const struct setting *s, const char *text, int64_t *out, struct fail *f)
{
	struct span rest = span_trim(span_of(text)), whole;
	int64_t value, part = 0;

	span_next(&rest, '.', &whole);
	if (!num_parse(whole, 0, INT32_MAX, &value) ||
		(rest.ptr && (rest.len < 1 || rest.len > 3 || !num_parse(rest, 0, 999, &part))))
		return fail_set(f, FAIL_INPUT,
			"%s takes a number with at most three digits behind the point, not \"%s\"",
			s->name, text);
	for (size_t i = rest.len; i < 3; i++)
		part *= 10;
	value = value * 1000 + part;
	if (value < s->least || value > s->most)
		return fail_set(f, FAIL_INPUT, "%s lies between %g and %g, which %s does not",
			s->name, (double)s->least / 1000, (double)s->most / 1000, text);
	*out = value;
	return 0;
}

/* The place of the word among `words`, kept as a number or, where the member is a text, as it
 * is. */
static int read_word(const struct setting *s, const char *text, int *out, struct fail *f)
{
	struct span rest = span_of(s->words), word;

	for (int i = 0; span_next(&rest, ' ', &word); i++) {
		if (span_is(word, text)) {
			*out = i;
			return 0;
		}
	}
	return fail_set(f, FAIL_INPUT, "%s is one of: %s; not \"%s\"", s->name, s->words, text);
}

/* A relative path is below the directory of the configuration file. */
static const char *absolute(const struct conf *c, const char *text, struct arena *arena)
{
	const char *slash = strrchr(c->path, '/');
	size_t len = strlen(text);

	while (len > 1 && text[len - 1] == '/')
		len--;
	if (!*text || *text == '/' || !slash)
		return arena_copy(arena, span_make(text, len));
	return arena_printf(arena, "%.*s/%.*s", (int)(slash - c->path), c->path, (int)len, text);
}

static int set_text(const struct setting *s, const char **to, const char *text, struct fail *f)
{
	if (!text)
		return fail_set(f, FAIL_INPUT, "There is no memory for %s", s->name);
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return fail_set(f, FAIL_INPUT, "%s holds a control character", s->name);
	}
	*to = text;
	return 0;
}

int conf_value_set(struct conf *c, const struct setting *s, const char *text, struct arena *arena,
	struct fail *f)
{
	char *member = (char *)c + s->offset;
	int place;

	switch (s->type) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		return set_text(
			s, (const char **)(void *)member, arena_copy(arena, span_of(text)), f);
	case SETTING_PATH:
		return set_text(s, (const char **)(void *)member, absolute(c, text, arena), f);
	case SETTING_NUMBER:
		if (s->words && strcmp(text, s->words) == 0) {
			*(int64_t *)(void *)member = 0;
			return 0;
		}
		return read_number(s, text, (int64_t *)(void *)member, f);
	case SETTING_BYTES:
	case SETTING_TIME:
		return read_number(s, text, (int64_t *)(void *)member, f);
	case SETTING_FACTOR:
		return read_factor(s, text, (int64_t *)(void *)member, f);
	case SETTING_CHOICE:
		if (read_word(s, text, &place, f) < 0)
			return -1;
		return set_text(
			s, (const char **)(void *)member, arena_copy(arena, span_of(text)), f);
	case SETTING_WORD:
		return read_word(s, text, (int *)(void *)member, f);
	}
	return 0;
}
