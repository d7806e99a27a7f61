/* fcgi-app/processes/packager/refusals.h - parts of films that could not be made just now, and why.
 * SPDX-License-Identifier: BSD-2-Clause
 * A few of them, for a few seconds: players ask again at once. */
#ifndef SLUICE_PROCESSES_PACKAGER_REFUSALS_H
#define SLUICE_PROCESSES_PACKAGER_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/package.h"

enum { REFUSALS_MAX = 64, REFUSAL_US = 5000000 /* so long such a part is not tried again */ };

struct refusal {
	struct package_request rq;
	struct fail why;
	int64_t until_us; /* by the machine's own clock */
};

struct refusals {
	struct refusal list[REFUSALS_MAX];
	size_t next;
};

/* The part could not be made; the oldest of all is forgotten. */
void refusals_note(struct refusals *r, const struct package_request *rq, const struct fail *why);

/* Why it could not be made just now; NULL where nothing is known of it. */
const struct fail *refusals_find(const struct refusals *r, const struct package_request *rq);

#endif
