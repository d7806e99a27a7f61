/* fcgi-app/processes/packager/feeding.h - the packager's feeders: one for each film at a gateway.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PACKAGER_FEEDING_H
#define SLUICE_PROCESSES_PACKAGER_FEEDING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/io/child.h"
#include "lib/svc/title.h"

struct board;
struct conf;

enum {
	FEEDING_MAX = 16,
	FEEDING_REFUSAL_US = 2000000,
	FEEDING_TURNS = 12,	 /* so often others are asked for their connection, */
	FEEDING_TURN_US = 100000 /* so much apart */
};

struct feeding_film {
	char id[IDENT_MAX]; /* "": free */
	struct child child;
	const struct conf_source *source;
	int control;
	int turns;  /* how often it was refused a connection, since it last had one */
	bool known; /* it has said what the film is */
	struct record_validator film;
	struct fail why;  /* kind other than FAIL_NONE: why it cannot be had, */
	int64_t until_us; /* until it is tried again */
};

struct feeding {
	const struct conf *conf;
	struct board *board;
	struct feeding_film films[FEEDING_MAX];
};

/* Borrows both. */
void feeding_init(struct feeding *f, const struct conf *conf, struct board *board);
void feeding_close(struct feeding *f);

enum feeding_result {
	FEEDING_READY, /* *socket, the caller's, reads the film, which is *film */
	FEEDING_LATER, /* its feeder has just begun: ask again in a moment */
	FEEDING_FAILED /* *why says why */
};

struct feeding_want {
	uint64_t viewer; /* lib/svc/viewers.h; 0: not known */
	uint64_t first;	 /* where in the film reading will begin, as far as one can tell */
	bool note;	 /* what is read are the container's tables: see feeding_keep() */
};

/* A new reader of the film. */
enum feeding_result feeding_read(struct feeding *f, const struct title *t,
	const struct feeding_want *want, int *socket, struct record_validator *film,
	struct fail *why);

/* Jobs will read again what those have read that it was noted of. */
void feeding_keep(struct feeding *f, const char *id);

/* Takes note of what feeders have said, and of those that have ended. */
void feeding_look(struct feeding *f);

#endif
