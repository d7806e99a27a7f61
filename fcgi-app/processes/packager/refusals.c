/* fcgi-app/processes/packager/refusals.c - parts of films that could not be made just now, and why.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/refusals.h"

#include "fcgi-app/processes/packager/parts.h"
#include "lib/base/clock.h"

void refusals_note(struct refusals *r, const struct package_request *rq, const struct fail *why)
{
	r->list[r->next] = (struct refusal){*rq, *why, clock_mono_us() + REFUSAL_US};
	r->next = (r->next + 1) % REFUSALS_MAX;
}

const struct fail *refusals_find(const struct refusals *r, const struct package_request *rq)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		if (r->list[i].until_us > clock_mono_us() && part_is_same(&r->list[i].rq, rq))
			return &r->list[i].why;
	}
	return NULL;
}
