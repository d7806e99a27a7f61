/* fcgi-app/door/request.h - a request: decoded once, refused here or trusted afterwards.
 * SPDX-License-Identifier: BSD-2-Clause
 * Only REQUEST_URI is looked at for the path: SCRIPT_NAME and PATH_INFO differ on every server. */
#ifndef SLUICE_DOOR_REQUEST_H
#define SLUICE_DOOR_REQUEST_H

#include <stdint.h>

#include "fcgi-app/door/fcgi.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/http/path.h"
#include "lib/http/query.h"

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER
};

struct request {
	struct fcgi_exchange *x;
	struct arena arena; /* what the request needs; given back when it has been answered */
	enum method method;
	char id[17];	 /* X-Request-Id: 16 hexadecimal digits of our own */
	uint64_t client; /* who asks, by address (door/rate.h); 0: nobody knows, or this host */
	struct path path;
	struct query query;
	struct span args[4]; /* what the route's pattern named, in its order; set by route_find */
};

/* Reads the request of `x`. The arena and the id are good even when it fails, so that the failure
 * can be answered. Fails: FAIL_INPUT or FAIL_MISSING. */
int request_open(struct request *rq, struct fcgi_exchange *x, struct fail *f);
void request_close(struct request *rq);

/* The value of a header by its CGI name ("HTTP_ACCEPT"), NULL when there is none, or when it is
 * longer than 8 KiB or holds control bytes (then it says nothing that we could use). */
const char *request_header(const struct request *rq, const char *name);

/* The decoded value of a query parameter as a string, NULL when there is none. */
const char *request_query(struct request *rq, const char *name);

/* Adds the request's body to `to`. Fails: FAIL_INPUT for more than to->max bytes, FAIL_GONE. */
int request_body(struct request *rq, struct buf *to, struct fail *f);

/* The method's name as it is written; "OTHER" for one we do not know. */
const char *method_name(enum method m);

#endif
