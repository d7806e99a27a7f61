/* fcgi-app/door/route.h - which handler answers which method and path: the whole site map.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_DOOR_ROUTE_H
#define SLUICE_DOOR_ROUTE_H

#include "fcgi-app/door/reply.h"
#include "fcgi-app/door/request.h"

struct app;

enum pool { POOL_API, POOL_RELAY };

struct sharing {
	const char *parameters; /* that the answer depends on, apart by blanks */
	/* Notes who asks, however they are answered. Not needed by all: may be NULL. */
	void (*note)(struct app *app, struct request *rq);
};

struct route {
	enum method method;  /* METHOD_GET answers HEAD too */
	const char *pattern; /* parts: a word, or {name}, which may have a suffix: {name}.m3u8 */
	/* Fills the reply, or returns -1 with *f set. */
	int (*handle)(struct app *app, struct request *rq, struct reply *r, struct fail *f);
	enum pool pool;	  /* where the front server sends it */
	const char *name; /* in logs */
	/* Where its answer may serve others who ask the same (shelf.h); NULL: it may not. */
	const struct sharing *sharing;
};

enum route_result {
	ROUTE_OK,      /* *out is set, and rq->args */
	ROUTE_MISSING, /* no such path: 404 */
	ROUTE_METHOD   /* the path has other methods: 405; `allow` lists them */
};

/* Looks up the request's method and path. `allow` holds at least 64 bytes; it lists the methods of
 * the path, OPTIONS included, whenever the path exists. */
enum route_result route_find(
	struct request *rq, const struct route **out, char *allow, size_t size);

/* Writes what the answer of `route` depends on, so that the same text means the same answer. False
 * when it may not be kept: the route does not allow it, the request says who asks, or it is too
 * long. */
bool route_key(const struct route *route, struct request *rq, struct buf *to);

/* The table, for those who compare it with what else names routes; ends with a NULL pattern. */
const struct route *route_table(void);

#endif
