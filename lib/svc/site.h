/* lib/svc/site.h - the pages: templates filled from the configuration, and their assets published.
 * SPDX-License-Identifier: BSD-2-Clause
 * Assets (scripts, styles, pictures) are published below www/web/{version}/, where {version} is a
 * hash over all of them: an address never changes its bytes, and the front server sends them.
 * Beside an asset lie its smaller forms, .br and .gz, if they were made when the pages were put
 * together. */
#ifndef SLUICE_SVC_SITE_H
#define SLUICE_SVC_SITE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/svc/publish.h"

struct asset;
struct site;

struct site_look {
	const char *name;   /* of the service, plain text */
	const char *logo;   /* URL or path; "" for none */
	const char *colour; /* #rrggbb */
};

enum site_page { SITE_INDEX, SITE_WATCH, SITE_FILM, SITE_STATUS, SITE_OFFLINE, SITE_PAGES };

/* Reads the pages (*.html) of `dir` and publishes the other files through `publisher`. When they
 * cannot be published (disk full) the pages still work as far as a browser goes without them.
 * Owns what it makes; borrows `dir` and `look`. Fails: FAIL_INTERNAL when a page cannot be read. */
int site_open(struct site **out, const char *dir, const struct site_look *look,
	struct publisher *publisher, struct fail *f);
void site_close(struct site **site);

/* Writes a page. `title` and `id` are escaped here. */
void site_print(const struct site *site, enum site_page page, const char *title, const char *id,
	struct buf *to);

/* What names all assets together, as it stands in their addresses. */
const char *site_version(const struct site *site);

/* Calls `each` with the name of every asset, smaller forms aside, in the order of the names. */
void site_each(const struct site *site, void (*each)(void *ctx, const char *file), void *ctx);

/* An asset, in the form that a client takes. Good as long as the site is. */
struct site_asset {
	const struct asset *asset;
	char name[300];	    /* as it is published */
	const char *type;   /* of the asset itself */
	const char *coding; /* "br", "gzip" or NULL for none */
	bool varies;	    /* there are several forms */
};

/* Looks up `file` of `version`; `accept` is the value of Accept-Encoding or NULL. False when it is
 * none of ours, or of another version. */
bool site_find(const struct site *site, struct span version, struct span file, const char *accept,
	struct site_asset *out);

/* Reads it into `body`, which the caller releases, even after a failure.
 * Fails: FAIL_MISSING when its bytes are not those any more that the version stands for. */
int site_read(
	const struct site *site, const struct site_asset *a, struct buf *body, struct fail *f);

/* Publishes `file` again, in all its forms, as far as there is room: it was evicted. */
void site_publish(const struct site *site, struct span file, struct publisher *publisher);

#endif
