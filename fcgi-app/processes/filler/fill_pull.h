/* fcgi-app/processes/filler/fill_pull.h - one request to an upstream, and where its bytes go.
 * SPDX-License-Identifier: BSD-2-Clause
 * Nothing is used of an answer that is not exactly what was asked for (RFC 9110 section 15.3.7):
 * the part, the size and the validator are compared before its first byte. */
#ifndef SLUICE_PROCESSES_FILLER_FILL_PULL_H
#define SLUICE_PROCESSES_FILLER_FILL_PULL_H

#include "fcgi-app/processes/filler/fill_object.h"

struct fill_pull {
	struct fill_object *object;
	struct fill_pull *next;
	struct transfer *transfer;
	struct fill_reader *reader; /* whom it is passed to; NULL: it fills blocks */
	int64_t from, at, end;	    /* bytes: the first, the next that comes, that after the last */
	int64_t taken;		    /* the block that is ours; -1: none */
	int64_t written, told;	    /* where in the object bytes are written, and told of, up to */
	int64_t told_us;
	int64_t held_ms; /* monotonic: nobody has wanted more since; 0: it goes on */
	struct fail why; /* what is wrong with the answer */
	int status;	 /* with which the upstream refused, or 0 */
	int64_t gained;	 /* bytes of it that had not been there */
};

/* Begins to get bytes `from` to `end`. False when it cannot. */
bool fill_pull_start(struct fill_object *o, struct fill_reader *reader, int64_t from, int64_t end);
void fill_pull_stop(struct fill_pull *p); /* and frees it */

/* Tells those who wait of what has come since they were last told, where it is worth their while.
 * To be called now and then, for the source may pause in the middle of a block. */
void fill_pull_tell(struct fill_pull *p);

/* Resumes and ends the pulls of an object as its readers want, and starts more where that `may`
 * be. */
void fill_plan(struct fill_object *o, bool may);

/* Whether nothing has to be done until a reader goes on: each has what it is about to read. */
bool fill_plan_rests(const struct fill_object *o);

/* Whether a reader wants block `n` soon. */
bool fill_plan_wants(const struct fill_object *o, int64_t n);

#endif
