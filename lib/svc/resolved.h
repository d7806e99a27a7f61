/* lib/svc/resolved.h - from an id and a quality to the address where its bytes are now.
 * SPDX-License-Identifier: BSD-2-Clause
 * An id is a public one ("vod-1906", "url-…"), or a source's own ([A-Za-z0-9_-]{1,64}) at the first
 * source that makes addresses (types http and command), or at the one named before a dot:
 * "tube.dQw4w9WgXcQ".
 *
 * Addresses are kept (lib/svc/memo.h, key family `url`) under source, id, quality and egress
 * address until they end by themselves, or for url_ttl. They are secrets: no answer and no log
 * shows one. Nothing here asks an upstream or waits for one: what takes a program or a request is
 * done by the `jobs` process, which is told; ask again then. Where a quality cannot be had the next
 * one down is given, and said. Sources of type http and lists need no asking at all. */
#ifndef SLUICE_SVC_RESOLVED_H
#define SLUICE_SVC_RESOLVED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/fail.h"
#include "lib/http/quality.h"
#include "lib/svc/offer.h"

struct board;
struct catalog;
struct conf;
struct conf_account;
struct conf_source;
struct mc;

/* What every call needs; all borrowed. `mc` and `board` may be NULL. */
struct resolved_at {
	const struct conf *conf;
	struct mc *mc;
	struct catalog *catalog;
	struct board *board;
	uint64_t client; /* for whom: a number; 0: not known, this host, or nobody */
};

struct resolved_ask {
	const char *id;
	struct quality quality; /* QUALITY_UNSAID: as the source's `media` and the settings say */
	int64_t hinted_kbps;	/* for QUALITY_AUTO: quality_hinted_kbps() */
	const char *format;	/* "mp3", "aac", "opus", "flac", RESOLVED_PICTURE; NULL, "" or
				 * "auto": any */
};

/* Of what a program has found: a picture alone, in MP4. */
#define RESOLVED_PICTURE OFFER_PICTURE_ALONE

enum resolved_where {
	RESOLVED_HTTP, /* `url` is fetched */
	RESOLVED_FILE  /* a file of ours: `url` is its path below source->url (title_open()) */
};

/* Texts are never NULL, and live in the arena or the configuration. */
struct resolved {
	enum resolved_where where;
	const struct conf_source *source;   /* its allow list, egress and user agent hold */
	const struct conf_account *account; /* whose connection it takes (slot.h); NULL: nobody's */
	const char *url;		    /* a secret */
	const char *agent, *referrer;	    /* to be sent; "": our own, and none */
	const char *object;  /* names the bytes: the same whenever and wherever they are resolved */
	const char *quality; /* that is given, as a request would say it: "medium", "720p" */
	const char *format;  /* the container by its file's ending, "webm"; "" when not known */
	const char *codecs;  /* what is in it, "avc1.64001f"; "" when not known */
	const char *type;    /* its media type; "" when not known: the upstream says it */
	const char *title;   /* "" when not known */
	bool video;	     /* with a picture */
	bool has_others;     /* where this fails, another quality may be given */
	int64_t kbps, height, width, duration_s, bytes; /* 0: not known */
	int64_t resolved_ms, expires_ms;		/* since the epoch; good until then */
	const char *program; /* the name of what a program has found (resolve.h); NULL: none did */
	int64_t keep_s;	     /* how long its bytes are kept after they were last used */
};

enum resolved_result {
	RESOLVED_FOUND,
	RESOLVED_WAIT, /* it is being found out: *f (FAIL_BUSY) is the answer for who cannot wait */
	RESOLVED_FAILED /* *f says why not, for at least *retry_s seconds (0: for good) */
};

/* What is known now; the jobs process is told of what is not. Never waits.
 * RESOLVED_FAILED: FAIL_INPUT for what is no id or format, FAIL_MISSING for what there is none of,
 * or what the source said (FAIL_UPSTREAM, FAIL_TIMEOUT, FAIL_BUSY, FAIL_FORBIDDEN). */
enum resolved_result resolved_find(const struct resolved_at *at, const struct resolved_ask *ask,
	struct arena *arena, struct resolved *out, int64_t *retry_s, struct fail *f);

/* The same, asked again until it is not RESOLVED_WAIT, for at most `wait_ms`. */
enum resolved_result resolved_await(const struct resolved_at *at, const struct resolved_ask *ask,
	int64_t wait_ms, struct arena *arena, struct resolved *out, int64_t *retry_s,
	struct fail *f);

/* The upstream answered the address in `r` with `status` (401, 403 and 410: it has ended), or with
 * nonsense or silence (0). The next resolved_find() resolves again, but not an address that is
 * younger than 5 s; what fails so soon, or fails otherwise, is left alone for 10 s, longer each
 * time up to 5 min, and the next quality down is given meanwhile. `why` may be NULL. */
void resolved_drop(
	const struct resolved_at *at, const struct resolved *r, int status, const struct fail *why);

#endif
