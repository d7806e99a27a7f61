/* lib/io/conf_value.c - one setting's value: read, checked.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf_value.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/span.h"
#include "lib/hls/ladder.h"
#include "lib/http/cidr.h"
#include "lib/http/ident.h"

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

static bool is_colour(const char *text)
{
	if (strlen(text) != 7 || text[0] != '#')
		return false;
	for (int i = 1; i < 7; i++) {
		if (num_hex_digit(text[i]) < 0)
			return false;
	}
	return true;
}

static bool is_web_address(const char *text)
{
	struct span s = span_of(text);

	return (span_starts(s, "http://") && s.len > 7) ||
	       (span_starts(s, "https://") && s.len > 8);
}

static int check_proxies(const char *text, struct fail *f)
{
	struct span rest = span_of(text), word;
	struct cidr cidr;
	size_t count = 0;

	while (span_next(&rest, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (!cidr_parse(word, &cidr) || cidr.first_port != 1 || cidr.last_port != 65535)
			return fail_set(f, FAIL_INPUT,
				"trusted_proxies takes ADDRESS or ADDRESS/BITS, not \"%.*s\"",
				(int)word.len, word.ptr);
		if (++count > CONF_PROXIES_MAX)
			return fail_set(f, FAIL_INPUT, "trusted_proxies names more than %d",
				CONF_PROXIES_MAX);
	}
	return 0;
}

int conf_check(const struct conf *c, const char **setting, struct fail *f)
{
	enum { RUN_DIR_MAX = 80 };
	struct ladder ladder;

	*setting = "run_dir";
	if (strlen(c->run_dir) > RUN_DIR_MAX)
		return fail_set(f, FAIL_INPUT, "run_dir is longer than %d bytes: %s", RUN_DIR_MAX,
			c->run_dir);
	*setting = "ladder";
	if (ladder_parse(c->ladder, c->max_quality, c->default_quality, &ladder, f) < 0)
		return -1;
	*setting = "film_ladder";
	if (ladder_parse(c->film_ladder, c->max_quality, c->default_quality, &ladder, f) < 0)
		return -1;
	*setting = "site_colour";
	if (!is_colour(c->site_colour))
		return fail_set(f, FAIL_INPUT, "site_colour is written #rrggbb, not \"%s\"",
			c->site_colour);
	*setting = "trusted_proxies";
	if (check_proxies(c->trusted_proxies, f) < 0)
		return -1;
	*setting = "public_url";
	if (*c->public_url &&
		(!is_web_address(c->public_url) || span_ends(span_of(c->public_url), "/")))
		return fail_set(f, FAIL_INPUT,
			"public_url begins with http:// or https:// and ends without a slash, not "
			"\"%s\"",
			c->public_url);
	return 0;
}

static int check_allowed(const char *path, const struct conf_source *s, struct fail *f)
{
	struct cidr cidr;

	for (size_t i = 0; i < s->allow_count; i++) {
		if (!cidr_parse(span_of(s->allow[i]), &cidr))
			return fail_set(f, FAIL_INPUT,
				"%s:%d: Source %s: allow takes ADDRESS/BITS, with :PORT or "
				":PORT-PORT, not \"%s\"",
				path, s->line, s->name, s->allow[i]);
	}
	return 0;
}

static int check_accounts(
	const char *path, const struct conf_source *s, int64_t least, struct fail *f)
{
	for (size_t i = 0; i < s->account_count; i++) {
		const struct conf_account *a = &s->accounts[i];

		if (a->connections < least || a->connections > 1000)
			return fail_set(f, FAIL_INPUT,
				"%s:%d: Source %s: connections lies between %lld and 1000", path,
				s->line, s->name, (long long)least);
		if (i > 0 && !ident_source_ok(span_of(a->name)))
			return fail_set(f, FAIL_INPUT,
				"%s:%d: Source %s: \"%s\" cannot be an account's name", path,
				s->line, s->name, a->name);
	}
	return 0;
}

/* What `url` has to be, by the type of the source. */
static int check_url(const char *path, const struct conf_source *s, struct fail *f)
{
	bool is_m3u = strcmp(s->type, "m3u") == 0, is_command = strcmp(s->type, "command") == 0;

	if (is_command && !*s->url)
		return 0;
	if (strcmp(s->type, "files") == 0) {
		if (s->url[0] == '/')
			return 0;
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: url is the whole path of a directory", path, s->line,
			s->name);
	}
	if (!is_web_address(s->url) && !(is_m3u && s->url[0] == '/'))
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: url begins with http:// or https://%s", path, s->line,
			s->name, is_m3u ? ", or is the path of a file" : "");
	if ((is_command || strcmp(s->type, "http") == 0) && !strstr(s->url, "{id}"))
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: url holds {id}, where what is asked for goes", path,
			s->line, s->name);
	return 0;
}

static bool is_address(const char *text)
{
	struct cidr cidr;

	return !strpbrk(text, "/[]") && cidr_parse(span_of(text), &cidr) && cidr.bits == 128;
}

/* What holds for what is resolved. */
static int check_streams(const char *path, const struct conf_source *s, struct fail *f)
{
	if (*s->egress && !is_address(s->egress))
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: egress is an address of this host, not \"%s\"", path,
			s->line, s->name, s->egress);
	if (strcmp(s->media, "audio") != 0 && strcmp(s->media, "video") != 0)
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: there is no media \"%s\"; there are audio and video",
			path, s->line, s->name, s->media);
	return 0;
}

static bool is_type(const char *name)
{
	static const char *const types[] = {"xtream", "m3u", "files", "http", "command"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(name, types[i]) == 0)
			return true;
	}
	return false;
}

int conf_source_check(const char *path, const struct conf_source *s, struct fail *f)
{
	if (!ident_source_ok(span_of(s->name)))
		return fail_set(f, FAIL_INPUT,
			"%s:%d: \"%s\" cannot be a source's name: 1 to 31 letters, digits, '-' and "
			"'_', and not like an id (live-)",
			path, s->line, s->name);
	if (!is_type(s->type))
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: there is no type \"%s\"; there are xtream, m3u, files, "
			"http and command",
			path, s->line, s->name, s->type);
	if (strcmp(s->output, "ts") != 0 && strcmp(s->output, "m3u8") != 0)
		return fail_set(f, FAIL_INPUT,
			"%s:%d: Source %s: there is no output \"%s\"; there are ts and m3u8", path,
			s->line, s->name, s->output);
	if (check_url(path, s, f) < 0 || check_streams(path, s, f) < 0)
		return -1;
	if (check_accounts(path, s, strcmp(s->type, "xtream") == 0 ? 1 : 0, f) < 0)
		return -1;
	return check_allowed(path, s, f);
}

void conf_usual_command(struct conf_source *s)
{
	static const char *const words[] = {"yt-dlp", "--ignore-config", "--no-cache-dir",
		"--no-playlist", "--no-warnings", "--no-exec", "--retries={retries}",
		"--concurrent-fragments={fragments}", "--http-chunk-size={chunk}",
		"--source-address={egress}", "--dump-single-json"};

	s->command = words;
	s->command_count = sizeof(words) / sizeof(words[0]);
}
