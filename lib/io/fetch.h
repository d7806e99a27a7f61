/* lib/io/fetch.h - HTTP from upstreams that may be awkward or hostile: libcurl.   RFC 9110, 9112
 * SPDX-License-Identifier: BSD-2-Clause
 * Only http and https, no proxy, no cookies. Addresses that are not public are refused when the
 * connection is made, whatever the host was called and wherever a redirect led, unless the policy
 * allows them. No message, log line or result of a failure holds a secret of the URL. */
#ifndef SLUICE_IO_FETCH_H
#define SLUICE_IO_FETCH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"

struct row;

enum { FETCH_URL_BYTES = 4096 };

struct fetch_policy {
	const char *const *allow; /* "CIDR[:port[-port]]": private addresses that may be reached */
	size_t allow_count;
};

/* FETCH_HOLD, of on_data in a fetcher: these bytes are not taken and come again, with the rest,
 * after transfer_resume(). */
enum fetch_verdict { FETCH_GO_ON, FETCH_STOP, FETCH_HOLD };

/* What an answer begins with. Texts are good during the call, or as long as the result. */
struct fetch_head {
	int status;		  /* any number an upstream sent, 884 included */
	const char *content_type; /* "" when it said none */
	const char *url;	  /* that answered, after redirects; holds secrets */
	/* absolute, for a 3xx with Location that was not followed; or "" */
	const char *redirect_url;
	/* For on_head alone; elsewhere "". */
	const char *content_range;
	/* the value of ETag, or else of Last-Modified; "" when there is none */
	const char *validator;
	const char *encoding; /* the value of Content-Encoding */
	int64_t length;	      /* of the body, as it says; -1 when it does not */
};

struct fetch_request {
	const char *url;
	struct fetch_policy policy;
	const char *user_agent; /* NULL: "sluice" */
	const char *referrer;	/* NULL: none */
	const char *egress;	/* the address of ours to connect from; NULL: any */
	int64_t offset, length; /* bytes of it to ask for; length 0: all */
	int follow;		/* redirects to follow, 0 to 8 */
	bool compressed;	/* ask for gzip */
	int64_t max_bytes;	/* of the decoded body; 0: without limit, for streams */
	int64_t connect_ms;	/* to a connection */
	int64_t total_ms;	/* to the end; 0: without limit */
	int64_t stall_ms;	/* without the head, or a byte after it; 0: without limit */
	struct row *row; /* counts as of a source (lib/io/rows.h); NULL: nothing is counted */
	/* Streams: the head once, before its data; then pieces of the body; then the end, once.
	 * Where `on_head` or `on_data` says FETCH_STOP the transfer ends with FAIL_GONE. May be
	 * NULL. */
	enum fetch_verdict (*on_head)(void *ctx, const struct fetch_head *head);
	enum fetch_verdict (*on_data)(void *ctx, const void *bytes, size_t len);
	void (*on_done)(void *ctx, const struct fail *f); /* f->kind FAIL_NONE: a clean end */
	void *ctx;
};

struct fetch_result {
	struct fetch_head head;
	char content_type[128];
	char redirect_url[4096];
	struct buf body;
};

/* Gets it whole. A status is no failure: look at res->head.status. With `head_only` the connection
 * is closed when the head has come. The caller releases res->body, also after a failure.
 * Fails: FAIL_INPUT (no URL that can be fetched), FAIL_FORBIDDEN (a private address),
 * FAIL_UPSTREAM (no connection, nonsense, cut, too large), FAIL_TIMEOUT. */
int fetch_get(
	const struct fetch_request *rq, bool head_only, struct fetch_result *res, struct fail *f);

/* Runs one transfer to its end, calling back as in a loop of one's own; `on_done` is not called.
 * Fails: as fetch_get(); FAIL_GONE where a callback said FETCH_STOP. */
int fetch_run(const struct fetch_request *rq, struct fail *f);

/* Transfers in the caller's own poll loop. One thread. */
struct fetcher;
struct transfer;

int fetcher_open(struct fetcher **out, struct fail *f);
void fetcher_close(struct fetcher **fetcher); /* stops what runs, without on_done */

/* Begins a transfer; what `rq` points to is copied, but for ctx. Fails as fetch_get() for the URL.
 * Not to be called from within on_head and on_data. */
int fetcher_start(struct fetcher *fetcher, const struct fetch_request *rq, struct transfer **out,
	struct fail *f);

/* Closes its connection now, without on_done, and sets *t to NULL. Accepts NULL there. Not to be
 * called from within its on_head and on_data. After on_done the transfer is gone by itself. */
void transfer_stop(struct transfer **t);

/* Goes on after FETCH_HOLD, and at no other time. May call on_data. Not to be called from within
 * callbacks. */
void transfer_resume(struct transfer *t);

/* Waits at most `wait_ms` for transfers and for the caller's own descriptors, at most
 * FETCHER_OWN_MAX, whose revents are set, and lets transfers go on. */
enum { FETCHER_OWN_MAX = 16 };
void fetcher_poll(struct fetcher *fetcher, struct pollfd *own, unsigned count, int wait_ms);

/* What `reference` means where it stands in what came from `base` (RFC 3986 section 5), into `to`
 * without what was there. Fails: FAIL_UPSTREAM for what is no http or https address. */
int fetch_url_join(const char *base, struct span reference, struct buf *to, struct fail *f);

/* Adds a percent-encoded path segment to `to`. */
void fetch_url_escape(const char *text, struct buf *to);

#endif
