/* fcgi-app/door/reply.h - the answer: status, headers and body, sent in one place for every
 * handler. SPDX-License-Identifier: BSD-2-Clause A handler fills a reply or returns -1 with a
 * failure; only here a failure becomes a status and the JSON of the contract. HEAD, CORS,
 * X-Request-Id and the escaping of what stands in headers are done here, once. The header block
 * stays below the 4 KiB that nginx takes. */
#ifndef SLUICE_DOOR_REPLY_H
#define SLUICE_DOOR_REPLY_H

#include "fcgi-app/door/request.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"

struct reply {
	struct request *rq;
	int status;
	struct buf headers; /* "Name: value\r\n"… */
	struct buf body;
	int retry_after_s;	/* for a failure: 0 picks what suits its kind */
	const char *error_code; /* for a failure: NULL picks what suits its kind */
	bool private_cors;	/* no CORS header: admin answers */
};

void reply_open(struct reply *r, struct request *rq);
void reply_close(struct reply *r);

/* Adds a header. A value with control bytes is left out: it cannot be said. */
void reply_header(struct reply *r, const char *name, const char *value);

/* Cache-Control, a header like others, named because every answer should have an honest one. */
void reply_cache(struct reply *r, const char *value);

/* Sets status, Content-Type and body (copied; at most 8 MiB, else the reply fails when sent). */
void reply_text(struct reply *r, int status, const char *type, struct span body);

/* An answer of 302 or 307 to `location` (made by us: a path, or an URL from the configuration). */
void reply_redirect(struct reply *r, int status, const char *location);

/* Turns the reply into the JSON of `f`: status by its kind, `error_code` and `retry_after_s` where
 * the handler set them. */
void reply_fail(struct reply *r, const struct fail *f);

/* Sends it with `cors_origin` ("" for none). -1 when the client is gone. */
int reply_send(struct reply *r, const char *cors_origin);

#endif
