/* fcgi-app/processes/filler/fill_object.h - one object that the filler gets.
 * SPDX-License-Identifier: BSD-2-Clause
 * It is resolved, then known (size, validator), then filled block by block as readers want it. What
 * is too large for the store, or finds no room there, is passed to each reader instead. */
#ifndef SLUICE_PROCESSES_FILLER_FILL_OBJECT_H
#define SLUICE_PROCESSES_FILLER_FILL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/io/fetch.h"
#include "lib/io/lease.h"
#include "lib/svc/fill.h"
#include "lib/svc/resolved.h"

struct board;
struct conf;
struct row;

enum { FILL_PULLS_MAX = 128, FILL_OBJECT_PULLS_MAX = 64 };

/* What all objects share. */
struct fill_env {
	const struct conf *conf;
	struct board *board;
	struct resolved_at at;
	struct lease_env lease;
	struct fetcher *fetcher;
	char boot[BLOCK_MAP_BOOT_BYTES];
	unsigned char key[SIGN_SIZE];
	struct fill_object *objects;
	size_t pulls;
};

/* Who wants bytes: a connection. */
struct fill_reader {
	int fd;			    /* -1: free */
	struct fill_object *object; /* NULL: it has not said what it wants */
	struct fill_reader *next;   /* of the same object */
	int64_t first, last;	    /* wanted, or passed so far; last -1: to the end */
	struct fill_pull *pull;	    /* what is passed to it; NULL: nothing now */
	bool told;		    /* it knows the object */
	bool joined;		    /* others had asked for it before */
	bool full;		    /* its socket takes no more now */
};

struct fill_object {
	struct fill_env *env;
	struct fill_object *next;
	struct object_ask ask;
	char name[OBJECT_NAME_BYTES];	       /* of what is asked for */
	char resolved_name[OBJECT_NAME_BYTES]; /* of what it was resolved to */

	struct arena arena; /* what `resolved` lives in */
	struct resolved resolved;
	bool is_resolved;
	struct row *row;
	struct lease *slot;
	int64_t slot_ms; /* monotonic: last renewed, or needed */

	struct block_map_info info; /* once it is known */
	bool known, passed;
	bool no_parts; /* the source sends all or nothing */
	struct block_map *map;
	int fd;		 /* its bytes */
	int64_t missing; /* no block before it is */
	int64_t after_s; /* an older one was of that time */
	/* what it was when there was no room to keep it; size 0: not */
	struct block_map_info before;

	struct fill_reader *readers;
	struct fill_pull *pulls;
	int refusals;		   /* of an address that had ended, in a row */
	int tries;		   /* that brought nothing, in a row */
	int64_t due_ms, needed_ms; /* monotonic: nothing before; when somebody last wanted it */
	struct fail why;	   /* why it cannot be had, until `failed_ms` */
	int64_t failed_ms, retry_s;
};

/* Finds the object that is asked for, or makes one. NULL without memory. */
struct fill_object *fill_object_get(struct fill_env *env, const struct object_ask *ask);
void fill_object_free(struct fill_object *o); /* it has no readers */

/* Does what is due, but for pulls: resolving, connections, telling. */
void fill_object_step(struct fill_object *o);

void fill_object_join(struct fill_object *o, struct fill_reader *r);
void fill_object_leave(struct fill_reader *r);

/* The source has answered: what it has is what the object is from here on. False when it is another
 * one than before: fill_object_renew() is to follow, once no callback of a transfer is under
 * way. */
bool fill_object_meet(struct fill_object *o, int64_t size, const char *validator, const char *type);
void fill_object_renew(struct fill_object *o); /* what was there is gone, and it begins anew */

/* It cannot be had: all who wait are told. */
void fill_object_fail(struct fill_object *o, const struct fail *why, int64_t retry_s);

/* The same after a source that sends all or nothing has broken off at one place again and again: it
 * may have said another size than it has, so nothing of it is kept. */
void fill_object_give_up(struct fill_object *o, const struct fail *why, int64_t retry_s);

/* The address has ended, as the upstream says by `status`. */
void fill_object_refused(struct fill_object *o, int status);

/* No room for more of it: from here on it is passed. */
void fill_object_pass(struct fill_object *o);

/* Blocks have become whole: publishes it when all are. */
void fill_object_grown(struct fill_object *o);

#endif
