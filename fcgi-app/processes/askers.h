/* fcgi-app/processes/askers.h - those who wait for the packager: one connection, one wish each.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_ASKERS_H
#define SLUICE_PROCESSES_ASKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/package.h"

enum {
	ASKERS_MAX = 1024,
	ASKERS_WISHES_MAX = 3 /* heavy parts of a film that one viewer waits for at once */
};

struct asker {
	int fd; /* -1: free */
	struct package_request rq;
	size_t got;    /* bytes of it */
	uint64_t part; /* what it waits for; 0 until it has asked */
};

struct askers {
	struct asker list[ASKERS_MAX];
};

void askers_init(struct askers *a);

/* Takes one more connection, while there is room; NULL when nobody waits at the door. */
struct asker *askers_accept(struct askers *a, int listen_fd);

enum asker_says {
	ASKER_NOTHING, /* not yet all of it */
	ASKER_WISH,    /* asker->rq is complete, and one of ours */
	ASKER_GONE     /* closed, or no client of ours; asker_forget() follows */
};
enum asker_says asker_read(struct asker *asker);

/* Answers, and forgets: `why` NULL when the part is there; `output` -1 where it is published. */
void asker_answer(struct asker *asker, const struct fail *why, bool changed, int output);
void asker_forget(struct asker *asker);

/* Whether this one waits for another heavy part of the same film, for the same viewer. */
bool asker_is_other_wish(const struct asker *asker, const struct package_request *rq);

/* The oldest part that the viewer waits for, when one more would be too many; else 0. */
uint64_t askers_oldest_wish(const struct askers *a, const struct package_request *rq);

#endif
