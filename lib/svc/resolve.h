/* lib/svc/resolve.h - what a program finds out about an id or a page, asked once and kept.
 * SPDX-License-Identifier: BSD-2-Clause
 * Sources of type command have a program of their configuration, such as yt-dlp, print what it
 * finds (lib/svc/offer.h). It is started by execve(), with the id or the page as its last argument
 * behind
 * "--", in a clean environment and within bounds (lib/io/capture.h). What it finds is kept as a
 * memo of the family `url`; what fails is left alone (lib/svc/setback.h). */
#ifndef SLUICE_SVC_RESOLVE_H
#define SLUICE_SVC_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/svc/offer.h"

struct board;
struct conf;
struct conf_source;
struct mc;

enum {
	RESOLVE_NAME_MAX = 256,	   /* bytes */
	RESOLVE_INFO_MS = 3600000, /* how long what is said of a title is believed */
	RESOLVE_YOUNG_MS = 5000	   /* an address is not asked for again so soon */
};

struct resolve {
	const struct conf_source *source;
	bool page;	     /* `key` is the id of a page (lib/svc/page.h) */
	const char *key;     /* [A-Za-z0-9_-]{1,64} */
	const char *quality; /* a wish's word, or "" where the program is not told one */
};

/* Whether the program of the source is told a quality. */
bool resolve_by_quality(const struct conf_source *source);

/* Under which name it is kept, and left alone when it fails (lib/svc/setback.h): source, id,
 * quality, egress, and the program itself, since another one may do better at once. */
void resolve_name(const struct resolve *what, char to[RESOLVE_NAME_MAX]);

/* What is kept, its texts in `arena`; false when there is nothing. Its addresses may have ended
 * (resolve_good()), while the rest is still true. */
bool resolve_look(const struct conf *conf, struct mc *mc, const struct resolve *what,
	struct arena *arena, struct offer *out);

/* Forgets what was resolved at `made_ms`, if that is what is still kept under `name`. */
void resolve_forget(const struct conf *conf, struct mc *mc, const char *name, int64_t made_ms);

/* Until when its addresses are good, in ms since the epoch. */
int64_t resolve_ends_ms(const struct conf *conf, const struct offer *o);

/* Body of a short-lived process: runs the program unless good addresses are there by the time it is
 * alone, and keeps what it finds. One at a time over all hosts by the lease "url:…". 0: there is an
 * answer now, which may be a failure; 1: it could not be kept. `board` may be NULL. */
int resolve_run(const struct conf *conf, struct board *board, const struct resolve *what);

#endif
