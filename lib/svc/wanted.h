/* lib/svc/wanted.h - what the id of a stream means.
 * SPDX-License-Identifier: BSD-2-Clause
 * A title of the catalogue, a page, or what only a source knows. */
#ifndef SLUICE_SVC_WANTED_H
#define SLUICE_SVC_WANTED_H

#include <stdbool.h>

#include "lib/base/fail.h"
#include "lib/http/ident.h"

struct conf;
struct conf_source;

enum { WANTED_KEY_MAX = 65 /* bytes with the NUL */ };

enum wanted_kind {
	WANTED_TITLE, /* `ident`: a film, an episode, a track */
	WANTED_PAGE,  /* `key`: a resolved page (lib/svc/page.h); `source` resolves pages */
	WANTED_OWN    /* `key`: of `source` */
};

struct wanted {
	enum wanted_kind kind;
	struct ident ident;
	const struct conf_source *source; /* NULL for a title */
	char key[WANTED_KEY_MAX];	  /* [A-Za-z0-9_-]{1,64} */
};

/* Reads an id. Fails: FAIL_INPUT for what is none; FAIL_MISSING where no configured source can have
 * it. */
int wanted_parse(const struct conf *conf, const char *text, struct wanted *out, struct fail *f);

/* A source's own id: [A-Za-z0-9_-]{1,64}. */
bool wanted_key_ok(struct span key);

/* The id as answers print it; wanted_parse() reads it back. */
enum { WANTED_ID_MAX = IDENT_SOURCE_MAX + WANTED_KEY_MAX };
void wanted_print(const struct conf *conf, const struct wanted *w, char to[WANTED_ID_MAX]);

#endif
