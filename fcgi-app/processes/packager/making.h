/* fcgi-app/processes/packager/making.h - from a part that is asked for to what is published.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PACKAGER_MAKING_H
#define SLUICE_PROCESSES_PACKAGER_MAKING_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/packager/feeding.h"
#include "fcgi-app/processes/packager/parts.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/io/media_job.h"
#include "lib/io/sign.h"
#include "lib/svc/claim.h"

struct board;
struct catalog;
struct conf;
struct mc;
struct publisher;

enum { MAKING_KNOWN_MAX = 32 };

/* A film's record, kept because its parts are asked for one after the other. */
struct known {
	char id[IDENT_MAX]; /* "": free */
	int fd;		    /* the encoded record, in memory */
	struct buf bytes;
	struct arena arena;
	struct record record;
	uint64_t used; /* when last, in turns */
};

struct making {
	const struct conf *conf;
	struct board *board;
	struct catalog *catalog;
	struct mc *mc;
	struct publisher *publisher;
	unsigned char key[SIGN_SIZE];
	int processors;
	struct known known[MAKING_KNOWN_MAX];
	uint64_t turn;
	struct feeding feeding;
	struct claims claims;
	int64_t promised; /* bytes: of the files that are being written, about */
};

/* Fails: FAIL_INTERNAL. */
int making_open(struct making *m, const struct conf *conf, struct board *board, struct fail *f);
void making_close(struct making *m);

enum making_result {
	MAKING_JOB,   /* *job and fds[] go to sluice-media; the caller closes all but the record */
	MAKING_READY, /* nothing needs to be made: it is published, or part->output holds it */
	MAKING_UNKNOWN, /* the film's index has to be made first */
	MAKING_LATER,	/* the film is being looked at: begin again in a moment */
	MAKING_CHANGED, /* the film is another one now: *f says so */
	MAKING_FAILED	/* *f says why */
};

/* `*segments` is how many the film has. */
enum making_result making_begin(struct making *m, struct part *part, struct media_job *job,
	int fds[MEDIA_FDS], uint32_t *segments, struct fail *f);

/* Closes what is made of `part`, if it is open: what is published stays. */
void making_close_output(struct making *m, struct part *part);

/* What sluice-media has made of `part` is complete in part->output. The index is taken
 * in, anything else published. True when the waiters need the descriptor: for the index, and for
 * what could not be kept. Fails (-1 in *result): what came out is none. */
int making_end(struct making *m, struct part *part, bool *hand_over, struct fail *f);

/* Keeps the index that making_end() has taken in, for later and for other hosts. */
void making_keep_index(struct making *m, const char *id);

/* Whether no other host that shares our store encodes the part just now: then it is ours to make,
 * until making_unclaim(). Parts that are not heavy are made by whoever wants them. */
bool making_claim(struct making *m, struct part *part);
void making_unclaim(struct making *m, struct part *part);

/* To be called at least every second. */
void making_renew_claims(struct making *m, struct parts *p);

/* The record of a film that was read just now; NULL when it is not at hand. */
const struct record *making_record(const struct making *m, const char *id);

/* Whether the part is published already. */
bool making_is_there(const struct making *m, const struct package_request *rq);

#endif
