/* lib/http/ident.h - the public id of a channel, film, series, episode, track or resolved page.
 * SPDX-License-Identifier: BSD-2-Clause
 * An id is [A-Za-z0-9][A-Za-z0-9._-]{0,63}: a kind, a dash and the source's own key, "live-8". With
 * several sources the source's name and a dot come first, "star.live-8". Where the path says the
 * kind, the bare number will do: "8" or "star.8". As a source's name has no dot and no kind's
 * prefix in front, every id reads in one way only. */
#ifndef SLUICE_HTTP_IDENT_H
#define SLUICE_HTTP_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/span.h"

/* Sizes in bytes with the NUL. A source, the longest kind and a key always make a valid id. */
enum { IDENT_MAX = 65, IDENT_SOURCE_MAX = 32, IDENT_KEY_MAX = 28 };

enum ident_kind {
	IDENT_NONE,
	IDENT_LIVE,
	IDENT_VOD,
	IDENT_EP,
	IDENT_TRK,
	IDENT_URL,
	IDENT_SER /* a series, whose episodes are IDENT_EP */
};

struct ident {
	enum ident_kind kind;	       /* never IDENT_NONE once parsed */
	char source[IDENT_SOURCE_MAX]; /* "" when none was named */
	char key[IDENT_KEY_MAX];
};

/* Reads the whole of `text`. A bare number is of kind `bare`; with IDENT_NONE it is refused.
 * False, with *out untouched, for what is no id. */
bool ident_parse(struct span text, enum ident_kind bare, struct ident *out);

/* Puts an id together from its parts. False, with *out untouched, when `source` (may be "") or
 * `key` breaks the rules below. */
bool ident_make(enum ident_kind kind, struct span source, struct span key, struct ident *out);

/* A source's name: [A-Za-z0-9][A-Za-z0-9_-]*, short enough, and not a kind and a dash in front.
 * A key: [A-Za-z0-9][A-Za-z0-9._-]*, short enough. */
bool ident_source_ok(struct span name);
bool ident_key_ok(struct span key);

/* The whole id, "star.live-8" or "live-8"; `size` >= IDENT_MAX. ident_parse() reads it back. */
void ident_print(const struct ident *id, char *to, size_t size);

/* The form that answers use where the kind is clear: "8" when the key is a number and no source is
 * named, otherwise the whole id. ident_parse() with that kind reads it back. */
void ident_print_bare(const struct ident *id, char *to, size_t size);

#endif
