/* lib/svc/wanted.c - what the id of a stream means.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/wanted.h"

#include <stdio.h>
#include <string.h>

#include "lib/io/conf.h"

static bool makes_addresses(const struct conf_source *s)
{
	return strcmp(s->type, "http") == 0 || strcmp(s->type, "command") == 0;
}

bool wanted_key_ok(struct span key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '_' && c != '-')
			return false;
	}
	return key.len > 0 && key.len < WANTED_KEY_MAX;
}

/* The first that can have ids of its own; `pages`: that resolves pages. */
static const struct conf_source *first_source(const struct conf *conf, bool pages)
{
	for (size_t i = 0; i < conf->source_count; i++) {
		const struct conf_source *s = &conf->sources[i];

		if (pages ? strcmp(s->type, "command") == 0 : makes_addresses(s) && *s->url)
			return s;
	}
	return NULL;
}

static int read_own(const struct conf *conf, struct span text, struct wanted *out, struct fail *f)
{
	char name[IDENT_SOURCE_MAX];
	struct span first, key = text;

	out->kind = WANTED_OWN;
	if (text.len && memchr(text.ptr, '.', text.len)) {
		span_next(&key, '.', &first);
		out->source = span_copy(first, name, sizeof(name)) ? conf_source(conf, name) : NULL;
		if (out->source && !makes_addresses(out->source))
			out->source = NULL;
	} else {
		out->source = first_source(conf, false);
	}
	if (!wanted_key_ok(key) || !span_copy(key, out->key, sizeof(out->key)))
		return fail_set(f, FAIL_INPUT,
			"This is no id: up to 64 letters, digits, '-' and '_', maybe with a "
			"source's name and a dot in front");
	if (!out->source)
		return fail_set(f, FAIL_MISSING, "There is no source that has such ids");
	return 0;
}

int wanted_parse(const struct conf *conf, const char *text, struct wanted *out, struct fail *f)
{
	*out = (struct wanted){0};
	if (!ident_parse(span_of(text), IDENT_NONE, &out->ident))
		return read_own(conf, span_of(text), out, f);
	if (out->ident.kind != IDENT_URL) {
		out->kind = WANTED_TITLE;
		return 0;
	}
	out->kind = WANTED_PAGE;
	out->source = first_source(conf, true);
	if (!out->source || *out->ident.source || !wanted_key_ok(span_of(out->ident.key)))
		return fail_set(f, FAIL_MISSING, "There is no such page");
	snprintf(out->key, sizeof(out->key), "%s", out->ident.key);
	return 0;
}

void wanted_print(const struct conf *conf, const struct wanted *w, char to[WANTED_ID_MAX])
{
	if (w->kind != WANTED_OWN)
		ident_print(&w->ident, to, WANTED_ID_MAX);
	else if (w->source == first_source(conf, false))
		snprintf(to, WANTED_ID_MAX, "%s", w->key);
	else
		snprintf(to, WANTED_ID_MAX, "%s.%s", w->source->name, w->key);
}
