/* lib/io/conf_check.c - what a setting's value alone does not show, and what a source needs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf_check.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/span.h"
#include "lib/hls/ladder.h"
#include "lib/http/cidr.h"
#include "lib/http/ident.h"

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

static int check_proxies(const struct conf *c, struct fail *f)
{
	struct span rest = span_of(c->trusted_proxies), word;
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

static int check_run_dir(const struct conf *c, struct fail *f)
{
	enum { RUN_DIR_MAX = 80 };

	if (strlen(c->run_dir) > RUN_DIR_MAX)
		return fail_set(f, FAIL_INPUT, "run_dir is longer than %d bytes: %s", RUN_DIR_MAX,
			c->run_dir);
	return 0;
}

static int check_ladder(const struct conf *c, struct fail *f)
{
	struct ladder ladder;

	return ladder_parse(c->ladder, c->max_quality, c->default_quality, &ladder, f);
}

static int check_film_ladder(const struct conf *c, struct fail *f)
{
	struct ladder ladder;

	return ladder_parse(c->film_ladder, c->max_quality, c->default_quality, &ladder, f);
}

static int check_colour(const struct conf *c, struct fail *f)
{
	if (is_colour(c->site_colour))
		return 0;
	return fail_set(
		f, FAIL_INPUT, "site_colour is written #rrggbb, not \"%s\"", c->site_colour);
}

static int check_public_url(const struct conf *c, struct fail *f)
{
	if (!*c->public_url ||
		(is_web_address(c->public_url) && !span_ends(span_of(c->public_url), "/")))
		return 0;
	return fail_set(f, FAIL_INPUT,
		"public_url begins with http:// or https:// and ends without a slash, not \"%s\"",
		c->public_url);
}

const char *conf_check_next(const struct conf *c, size_t *at, struct fail *f)
{
	static const struct {
		const char *setting;
		int (*check)(const struct conf *c, struct fail *f);
	} checks[] = {
		{"run_dir", check_run_dir},
		{"ladder", check_ladder},
		{"film_ladder", check_film_ladder},
		{"site_colour", check_colour},
		{"trusted_proxies", check_proxies},
		{"public_url", check_public_url},
	};

	while (*at < sizeof(checks) / sizeof(checks[0])) {
		size_t i = (*at)++;

		if (checks[i].check(c, f) < 0)
			return checks[i].setting;
	}
	return NULL;
}

static int check_allowed(const struct conf_source *s, struct fail *f)
{
	struct cidr cidr;

	for (size_t i = 0; i < s->allow_count; i++) {
		if (!cidr_parse(span_of(s->allow[i]), &cidr))
			return fail_set(f, FAIL_INPUT,
				"Source %s: allow takes ADDRESS/BITS, with :PORT or "
				":PORT-PORT, not \"%s\"",
				s->name, s->allow[i]);
	}
	return 0;
}

static int check_accounts(const struct conf_source *s, int64_t least, struct fail *f)
{
	for (size_t i = 0; i < s->account_count; i++) {
		const struct conf_account *a = &s->accounts[i];

		if (a->connections < least || a->connections > 1000)
			return fail_set(f, FAIL_INPUT,
				"Source %s: connections lies between %lld and 1000", s->name,
				(long long)least);
		if (i > 0 && !ident_source_ok(span_of(a->name)))
			return fail_set(f, FAIL_INPUT,
				"Source %s: \"%s\" cannot be an account's name", s->name, a->name);
	}
	return 0;
}

/* What `url` has to be, by the type of the source. */
static int check_url(const struct conf_source *s, struct fail *f)
{
	bool is_m3u = strcmp(s->type, "m3u") == 0, is_command = strcmp(s->type, "command") == 0;

	if (is_command && !*s->url)
		return 0;
	if (strcmp(s->type, "files") == 0) {
		if (s->url[0] == '/')
			return 0;
		return fail_set(
			f, FAIL_INPUT, "Source %s: url is the whole path of a directory", s->name);
	}
	if (!is_web_address(s->url) && !(is_m3u && s->url[0] == '/'))
		return fail_set(f, FAIL_INPUT, "Source %s: url begins with http:// or https://%s",
			s->name, is_m3u ? ", or is the path of a file" : "");
	if ((is_command || strcmp(s->type, "http") == 0) && !strstr(s->url, "{id}"))
		return fail_set(f, FAIL_INPUT,
			"Source %s: url holds {id}, where what is asked for goes", s->name);
	return 0;
}

static bool is_address(const char *text)
{
	struct cidr cidr;

	return !strpbrk(text, "/[]") && cidr_parse(span_of(text), &cidr) && cidr.bits == 128;
}

/* What holds for what is resolved. */
static int check_streams(const struct conf_source *s, struct fail *f)
{
	if (*s->egress && !is_address(s->egress))
		return fail_set(f, FAIL_INPUT,
			"Source %s: egress is an address of this host, not \"%s\"", s->name,
			s->egress);
	if (strcmp(s->media, "audio") != 0 && strcmp(s->media, "video") != 0)
		return fail_set(f, FAIL_INPUT,
			"Source %s: there is no media \"%s\"; there are audio and video", s->name,
			s->media);
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

int conf_check_source(const struct conf_source *s, struct fail *f)
{
	if (!ident_source_ok(span_of(s->name)))
		return fail_set(f, FAIL_INPUT,
			"\"%s\" cannot be a source's name: 1 to 31 letters, digits, '-' and "
			"'_', and not like an id (live-)",
			s->name);
	if (!is_type(s->type))
		return fail_set(f, FAIL_INPUT,
			"Source %s: there is no type \"%s\"; there are xtream, m3u, files, "
			"http and command",
			s->name, s->type);
	if (strcmp(s->output, "ts") != 0 && strcmp(s->output, "m3u8") != 0)
		return fail_set(f, FAIL_INPUT,
			"Source %s: there is no output \"%s\"; there are ts and m3u8", s->name,
			s->output);
	if (check_url(s, f) < 0 || check_streams(s, f) < 0)
		return -1;
	if (check_accounts(s, strcmp(s->type, "xtream") == 0 ? 1 : 0, f) < 0)
		return -1;
	return check_allowed(s, f);
}

int conf_check_own(const struct conf_own *own, bool is_channel, struct fail *f)
{
	struct ladder ladder;
	struct ident id;

	if (is_channel &&
		(!ident_parse(span_of(own->name), IDENT_NONE, &id) || id.kind != IDENT_LIVE))
		return fail_set(f, FAIL_INPUT, "'%.64s' is no channel, such as live-8", own->name);
	return *own->ladder ? ladder_parse(own->ladder, NULL, NULL, &ladder, f) : 0;
}
