/* fcgi-app/processes/packager/askers.h - who waits for the packager: a connection and a wish each.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PACKAGER_ASKERS_H
#define SLUICE_PROCESSES_PACKAGER_ASKERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/package.h"

enum {
	ASKERS_MAX = 1024,
	ASKERS_NEAR = 4,      /* segments: players ask for as many before the first has come */
	ASKERS_PLACES_MAX = 6 /* of a film, that one viewer waits for at once; several people behind
			       * one address, with the same player, are one viewer to us */
};

struct part;
struct parts;

struct asker {
	int fd; /* -1: free */
	struct package_request rq;
	size_t got;    /* bytes of it */
	uint64_t part; /* what it waits for; 0 until it has asked */
	bool passed;   /* its viewer has asked for another place of the film since */
};

struct askers {
	struct asker list[ASKERS_MAX];
};

void askers_init(struct askers *a);

/* Takes one more connection; NULL when nobody waits at the door, or, with *rest, when there is no
 * room for who may (sock_accept()). */
struct asker *askers_accept(struct askers *a, int listen_fd, bool *rest);

/* Puts what poll() is to watch for them into wake[], and whose that is into who[], both of at least
 * ASKERS_MAX; gives how many. */
size_t askers_watch(struct askers *a, struct pollfd *wake, struct asker **who);

enum asker_says {
	ASKER_NOTHING, /* not yet all of it */
	ASKER_WISH,    /* asker->rq is complete, and one of ours */
	ASKER_GONE     /* closed, or no client of ours; asker_forget() follows */
};
enum asker_says asker_read(struct asker *asker);

/* Answers, and forgets: `why` NULL when the part is there; `output` -1 where it is published. */
void asker_answer(struct asker *asker, const struct fail *why, bool changed, int output);
void asker_forget(struct asker *asker);

/* The oldest part that the viewer waits for elsewhere, when `rq` is one place too many; else 0.
 * What players ask for at one place - picture in several qualities, sound, subtitles, thumbnails -
 * is never too much. */
uint64_t askers_oldest_place(const struct askers *a, const struct package_request *rq);

/* The viewer who sent `rq` is there now: what they wait for elsewhere counts as passed by, and who
 * waits at one place too many is answered. Gives the part that nobody waits for any more, or NULL.
 * Front servers that say when a client is gone need no such guess; not all do. */
struct part *askers_pass_by(struct askers *a, struct parts *p, const struct package_request *rq);

#endif
