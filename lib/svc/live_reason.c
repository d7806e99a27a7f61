/* lib/svc/live_reason.c - why a channel has nothing to show, as viewers tell it apart.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/live_reason.h"

static const char *const names[] = {"well", "starting", "source_down", "limit_reached",
	"not_allowed", "unknown", "machine_busy"};

const char *live_reason_name(enum live_reason r)
{
	return names[r];
}

bool live_reason_parse(struct span word, enum live_reason *out)
{
	for (int i = 0; i < LIVE_REASONS; i++) {
		if (span_is(word, names[i])) {
			*out = (enum live_reason)i;
			return true;
		}
	}
	return false;
}

enum live_reason live_reason_of(const struct fail *f)
{
	switch (f->kind) {
	case FAIL_NONE:
		return LIVE_WELL;
	case FAIL_BUSY:
		return LIVE_LIMIT;
	case FAIL_FORBIDDEN:
		return LIVE_REFUSED;
	case FAIL_MISSING:
		return LIVE_UNKNOWN;
	default:
		return LIVE_SOURCE_DOWN;
	}
}
