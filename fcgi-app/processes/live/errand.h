/* fcgi-app/processes/live/errand.h - one thing that a playlist names, fetched whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_LIVE_ERRAND_H
#define SLUICE_PROCESSES_LIVE_ERRAND_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/playlist.h"
#include "lib/io/fetch.h"

/* How a connection to a source ended. */
struct upstream_end {
	struct fail why; /* FAIL_NONE: cleanly, as live television does not */
	int status;	 /* with which the source refused, or 0 */
	bool dead;	 /* the same address will do no better */
};

enum errand_what { ERRAND_NONE, ERRAND_LIST, ERRAND_KEY, ERRAND_MAP, ERRAND_SEGMENT };

/* "playlist", "segment", … for a sentence. */
const char *errand_name(enum errand_what what);

struct errand {
	struct fetcher *fetcher;
	struct fetch_request like; /* how to ask */
	/* Not called after errand_stop(). The body stays until the next errand. */
	void (*on_done)(void *ctx, const struct upstream_end *how);
	void *ctx;

	enum errand_what what; /* that is being fetched, or was fetched last */
	struct transfer *transfer;
	struct buf url, body;
	char answered[FETCH_URL_BYTES]; /* after redirects */
	struct upstream_end end;
};

void errand_init(struct errand *e, struct fetcher *fetcher);
void errand_stop(struct errand *e);    /* and forgets the body */
void errand_release(struct errand *e); /* accepts a zeroed one */

/* Fetches `part` of a list that came from `base`; NULL: what is at `base` itself. Fails:
 * FAIL_UPSTREAM (no address that is fetched), or as fetcher_start(). */
int errand_start(struct errand *e, enum errand_what what, const struct playlist_part *part,
	const char *base, struct fail *f);

/* Leaves of the body what was asked for: the source may have sent the whole of it. False when that
 * is not there. */
bool errand_cut(struct errand *e, const struct playlist_part *part);

#endif
