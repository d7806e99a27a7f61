/* fcgi-app/processes/packager/parts.h - the parts of films that are to be made, and for how many.
 * SPDX-License-Identifier: BSD-2-Clause
 * A table without any I/O. Who asks for what is there already joins it. Parts that must be encoded
 * are heavy: only so many are made at once, those that somebody waits for first, and each viewer
 * can want only a few of a film at a time. */
#ifndef SLUICE_PROCESSES_PACKAGER_PARTS_H
#define SLUICE_PROCESSES_PACKAGER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/svc/package.h"

enum {
	PARTS_MAX = 512,
	PARTS_LIGHT_MAX = 48,	  /* made at once; */
	PARTS_LIGHT_AHEAD_MAX = 2 /* or nothing more is begun that nobody waits for */
};

enum part_state { PART_FREE, PART_QUEUED, PART_RUNNING };

struct part {
	enum part_state state;
	struct package_request rq; /* `viewer` is the one who asked first */
	bool heavy;
	bool in_memory; /* its output is no file of the store: the disk is full, or was */
	bool fed;	/* read by a feeder, which may go at any moment, */
	bool noted;	/* and takes note of what is read */
	int priority;	/* 0: somebody waits, or waited, for it; n: the n-th ahead of such a one */
	int waiters;
	int passed; /* those of them whose viewer has asked for another place of the film since */
	int tries;  /* begun so often */
	uint32_t segments;	  /* that its rendition has, once it was begun */
	int output;		  /* descriptor of what is made; -1 */
	uint64_t id;		  /* never used again; in the order of asking */
	int64_t promised;	  /* bytes of the store's room, while its output is a file there */
	int64_t begun_us, due_us; /* not to be begun before `due_us` */
	int64_t claimed_us; /* when other hosts were last told that it is ours; 0: they were not */
};

struct parts {
	struct part list[PARTS_MAX];
	uint64_t ids;
};

/* Whether `rq` asks for a part that has to be encoded. */
bool part_is_heavy(const struct package_request *rq);

/* 0; or what `rq` asks for is nice to have, and waits for what plays. */
int part_priority(const struct package_request *rq);

/* Whether both ask for the same. */
bool part_is_same(const struct package_request *a, const struct package_request *b);

/* The part that `rq` asks for: the one that is there, made more urgent where `priority` is, and
 * then due at once, or a new one. NULL when the table is full; what is only queued ahead gives way
 * to what somebody waits for. Waiters are counted by the caller. */
struct part *parts_ask(struct parts *p, const struct package_request *rq, int priority);

struct part *parts_find(struct parts *p, uint64_t id);

/* The part to begin now, when so many heavy ones may be made at once; NULL: none. What somebody
 * waits for does not wait for what is made ahead, and goes before what its viewers have passed
 * by; of several that of the client for whom the fewest are made. */
struct part *parts_next(struct parts *p, int heavy_max, int64_t now_us);

/* Whether all who wait for it have asked for another place of the film since. */
bool part_is_passed_by(const struct part *part);

/* A running part that all its viewers have passed by, when one that somebody waits for finds no
 * room; else NULL. */
struct part *parts_in_the_way(struct parts *p, int heavy_max, int64_t now_us);

/* Drops what is queued ahead for the viewer in the rendition that `rq` asks for, unless it is one
 * of the `ahead` segments after it: they have gone elsewhere. */
void parts_forget_ahead(struct parts *p, const struct package_request *rq, uint32_t ahead);

/* What is queued ahead for the viewer in the rendition of `rq` is not begun before `due_us`. */
void parts_hold_ahead(struct parts *p, const struct package_request *rq, int64_t due_us);

/* The caller has closed `output` and given back a claim. */
void parts_drop(struct part *part);

/* How many are in that state. */
size_t parts_count(const struct parts *p, enum part_state state);

#endif
