/* lib/svc/page.h - web pages that were named once, and the ids that they have since.
 * SPDX-License-Identifier: BSD-2-Clause
 * Who may name an address gets an id for it, "url-" and 22 hexadecimal digits of its hash, under
 * which all may play it. An id lasts: it is a file of its own below state_dir "/pages" and stands
 * in memcached (family `page`) for other hosts, 30 days after it was last named. */
#ifndef SLUICE_SVC_PAGE_H
#define SLUICE_SVC_PAGE_H

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

struct conf;
struct mc;

enum { PAGE_URL_MAX = 2048, PAGE_KEY_BYTES = 23 /* without "url-", with the NUL */ };

/* The key of the page at `url`, which is kept. A fragment does not count.
 * Fails: FAIL_INPUT for what is no http or https address, FAIL_FORBIDDEN for one that is
 * plainly not public, FAIL_BUSY when it cannot be kept. */
int page_keep(const struct conf *conf, struct mc *mc, struct span url, char key[PAGE_KEY_BYTES],
	struct fail *f);

/* The address of the page with that key, added to `url`. Fails: FAIL_MISSING. */
int page_find(
	const struct conf *conf, struct mc *mc, const char *key, struct buf *url, struct fail *f);

#endif
