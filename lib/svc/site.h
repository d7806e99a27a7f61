/* lib/svc/site.h - the pages: templates filled from the configuration, and their assets published.
 * SPDX-License-Identifier: BSD-2-Clause
 * Assets (scripts, styles, pictures) are published below www/web/{version}/, where {version} is a
 * hash over all of them: an address never changes its bytes, and the front server sends them. */
#ifndef SLUICE_SVC_SITE_H
#define SLUICE_SVC_SITE_H

#include "lib/base/buf.h"
#include "lib/base/fail.h"

struct publisher;
struct site;

struct site_look {
	const char *name;   /* of the service, plain text */
	const char *logo;   /* URL or path; "" for none */
	const char *colour; /* #rrggbb */
};

enum site_page { SITE_INDEX, SITE_WATCH };

/* Reads the pages (*.html) of `dir` and publishes the other files through `publisher`. When they
 * cannot be published (disk full) the pages still work as far as a browser goes without them.
 * Owns what it makes; borrows `look`. Fails: FAIL_INTERNAL when a page cannot be read. */
int site_open(struct site **out, const char *dir, const struct site_look *look,
	struct publisher *publisher, struct fail *f);
void site_close(struct site **site);

/* Writes a page. `title` and `id` are escaped here. */
void site_print(const struct site *site, enum site_page page, const char *title, const char *id,
	struct buf *to);

#endif
