/* lib/http/ident.c - the public id of a channel, film, series, episode, track or resolved page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/ident.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/must.h"

/* Indexed by enum ident_kind. */
static const char *const prefixes[] = {"", "live-", "vod-", "ep-", "trk-", "url-", "ser-"};

static const int kinds = sizeof(prefixes) / sizeof(prefixes[0]);

_Static_assert(IDENT_SOURCE_MAX - 1 + 1 + 5 + IDENT_KEY_MAX - 1 == IDENT_MAX - 1,
	"a source, a dot, the longest prefix and a key make the longest id");

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(struct span text, size_t size, const char *also)
{
	if (text.len == 0 || text.len >= size || !is_alnum(text.ptr[0]))
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (!is_alnum(text.ptr[i]) && (!text.ptr[i] || !strchr(also, text.ptr[i])))
			return false;
	}
	return true;
}

static bool is_number(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	}
	return text.len > 0;
}

/* Takes a kind's prefix off *text. */
static enum ident_kind take_kind(struct span *text)
{
	for (int kind = IDENT_LIVE; kind < kinds; kind++) {
		if (span_starts(*text, prefixes[kind])) {
			size_t n = strlen(prefixes[kind]);
			*text = span_make(text->ptr + n, text->len - n);
			return (enum ident_kind)kind;
		}
	}
	return IDENT_NONE;
}

bool ident_source_ok(struct span name)
{
	struct span rest = name;

	return is_name(name, IDENT_SOURCE_MAX, "_-") && take_kind(&rest) == IDENT_NONE;
}

bool ident_key_ok(struct span key)
{
	return is_name(key, IDENT_KEY_MAX, "._-");
}

bool ident_make(enum ident_kind kind, struct span source, struct span key, struct ident *out)
{
	struct ident id = {.kind = kind};

	must(kind > IDENT_NONE && kind < kinds);
	if ((source.len && !ident_source_ok(source)) || !ident_key_ok(key))
		return false;
	must(span_copy(source, id.source, sizeof(id.source)));
	must(span_copy(key, id.key, sizeof(id.key)));
	*out = id;
	return true;
}

bool ident_parse(struct span text, enum ident_kind bare, struct ident *out)
{
	struct span source = {NULL, 0}, rest = text;
	enum ident_kind kind = take_kind(&rest);
	const char *dot;

	if (kind == IDENT_NONE && rest.len && (dot = memchr(rest.ptr, '.', rest.len))) {
		source = span_make(rest.ptr, (size_t)(dot - rest.ptr));
		rest = span_make(dot + 1, rest.len - source.len - 1);
		if (source.len == 0)
			return false;
		kind = take_kind(&rest);
	}
	if (kind == IDENT_NONE) {
		if (bare == IDENT_NONE || !is_number(rest))
			return false;
		kind = bare;
	}
	return ident_make(kind, source, rest, out);
}

void ident_print(const struct ident *id, char *to, size_t size)
{
	must(size >= IDENT_MAX && id->kind > IDENT_NONE && id->kind < kinds);
	snprintf(to, size, "%s%s%s%s", id->source, *id->source ? "." : "", prefixes[id->kind],
		id->key);
}

void ident_print_bare(const struct ident *id, char *to, size_t size)
{
	must(size >= IDENT_MAX);
	if (*id->source || !is_number(span_of(id->key)))
		ident_print(id, to, size);
	else
		snprintf(to, size, "%s", id->key);
}
