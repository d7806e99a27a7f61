/* fcgi-app/door/reply.h - the answer: status, headers and body, sent in one place.
 * SPDX-License-Identifier: BSD-2-Clause
 * A handler fills a reply or returns -1 with a failure; only here a failure becomes a status and
 * the JSON of the contract, or a page for a browser. HEAD, conditions, ranges, CORS, Vary,
 * X-Request-Id and the escaping of what stands in headers are done here, once. The header block
 * stays below the 4 KiB that nginx takes.
 *
 * A published file is sent by the front server where that says how, in the request parameter
 * SLUICE_SEND_FILE: "X-Sendfile" (lighttpd, Apache) or "X-Accel-Redirect" (nginx). Clients cannot
 * set it: what they send arrives as HTTP_…. Without it the file's bytes are sent from here. */
#ifndef SLUICE_DOOR_REPLY_H
#define SLUICE_DOOR_REPLY_H

#include <stdatomic.h>

#include "fcgi-app/door/request.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/svc/blocks.h"
#include "lib/svc/publish.h"

struct conf;

enum { REPLY_HEADERS_MAX = 3500, REPLY_BODY_MAX = 8 * 1024 * 1024, REPLY_VARY_MAX = 160 };

struct app;
struct reply;

/* What is left to do where the answer has to be waited for: makes it, as a handler does, in a
 * thread that may wait. Of the request it may look at headers, method and id. `ctx` lies in the
 * request's arena, `release` frees what it holds. */
struct reply_rest {
	int (*make)(struct app *app, struct request *rq, struct reply *r, void *ctx,
		struct fail *f);    /* NULL: nothing is left */
	void (*release)(void *ctx); /* NULL: it holds nothing */
	void *ctx;
};

/* A body without end, sent by `run` after the head, in a thread of its own. */
struct reply_stream {
	int (*run)(struct reply *r, void *ctx); /* -1: the client is gone. NULL: there is none */
	void (*release)(void *ctx);
	void *ctx;
	bool waits; /* for a reader who pauses; what is live goes on without him */
};

struct reply {
	struct request *rq;
	const struct conf *conf;
	int status;
	const char *type;   /* Content-Type, a literal; NULL: none */
	struct buf headers; /* "Name: value\r\n"…, without those that stand here by themselves */
	char vary[REPLY_VARY_MAX]; /* "Accept, Origin" */
	struct buf body;	   /* in memory, or */
	int fd;			   /* a file, of so many bytes; -1: none */
	int64_t file_bytes;
	struct reply_rest rest;	    /* what of it is not made yet */
	struct reply_stream stream; /* or this, */
	struct blocks *blocks;	    /* or an object of the byte cache, as it comes; NULL: none */
	const char *file;	    /* its path below www_dir, as published; NULL: sent from here */
	int64_t modified_s;	/* Last-Modified, in seconds since the epoch. 0: none, and the body
				 * cannot be asked for in parts or on conditions */
	int retry_after_s;	/* for a failure: 0 picks what suits its kind */
	const char *error_code; /* for a failure: NULL picks what suits its kind; a literal */
	const char *reason;	/* for a failure: the channel's (lib/svc/live_reason.h), or NULL */
	const char *x_cache;	/* X-Cache, a literal; "MISS" unless a handler knows better */
	/* How often this client may ask, how often it still may, and in how many seconds it may
	 * as often again: RateLimit-…; limit 0: it is not said. */
	int64_t rate_limit, rate_remaining, rate_reset_s;
	int64_t keep_ms;     /* how long it may answer the same question of others; 0: not */
	bool private_cors;   /* no CORS header: admin answers */
	atomic_int *waiting; /* counted down when it is closed: its place among those who wait */
	int64_t sent_bytes;  /* of the body, by reply_send(); 0 for what the front server sends */
};

void reply_open(struct reply *r, struct request *rq, const struct conf *conf);
void reply_close(struct reply *r);

/* Adds a header. A value with control bytes is left out: it cannot be said. */
void reply_header(struct reply *r, const char *name, const char *value);

/* Cache-Control, a header like others, named because every answer should have an honest one. */
void reply_cache(struct reply *r, const char *value);

/* The same for everyone, for so long: "public, max-age=…", and it may be kept here too. */
void reply_public(struct reply *r, int64_t max_age_s);

/* Says that the answer depends on these request headers, "Accept" or "Save-Data, ECT". */
void reply_vary(struct reply *r, const char *names);

/* Sets status, Content-Type (a literal) and body (copied; at most REPLY_BODY_MAX, else the reply
 * fails when sent). With r->modified_s set too it can be asked for in parts. */
void reply_text(struct reply *r, int status, const char *type, struct span body);

/* An answer of 200 with what is published under `name`; its type goes by its name.
 * Fails: FAIL_MISSING when there is none (any more), FAIL_INTERNAL. */
int reply_file(struct reply *r, const struct publisher *p, enum publish_store store,
	const char *name, struct fail *f);

/* The same with a file that is not published: its bytes are sent from here. Takes `fd`.
 * `modified_s` as the member says. Fails: FAIL_INTERNAL. */
int reply_descriptor(struct reply *r, int fd, const char *type, int64_t modified_s, struct fail *f);

/* The same with an object of the byte cache, which is taken: sent by the front server where it is
 * whole, else from here as it comes. Its first byte is waited for before anything is said. */
void reply_object(struct reply *r, struct blocks *blocks);

/* An answer of 200 whose body is `stream`, which is taken. Where it is 206 the handler says of
 * what. */
void reply_stream(struct reply *r, const char *type, struct reply_stream stream);

/* Leaves the rest, which is taken, to a thread that may wait; and does it, at most once. */
void reply_later(struct reply *r, struct reply_rest rest);
int reply_make_rest(struct app *app, struct reply *r, struct fail *f);

/* Whether a file may be sent with a Content-Encoding: Apache drops that where it sends the file. */
bool reply_may_code(const struct reply *r);

/* An answer of 302 or 307 to `location` (made by us: a path, or an URL from the configuration,
 * maybe with the query of the request). Fails: FAIL_INPUT for one of more than REPLY_LOCATION_MAX
 * bytes. */
enum { REPLY_LOCATION_MAX = 2048 };
int reply_redirect(struct reply *r, int status, const char *location, struct fail *f);

/* Turns the reply into the words of `f`: status by its kind, `error_code` and `retry_after_s` where
 * the handler set them. JSON, or a page for a browser that opens one of our pages. */
void reply_fail(struct reply *r, const struct fail *f);

/* Drops what a reply holds so far but status and what a failure says: headers, body, file. */
void reply_drop(struct reply *r);

/* Sends it. -1 when the client is gone. */
int reply_send(struct reply *r);

#endif
