/* lib/svc/info.c - what a program says of a title: asked once an hour.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/info.h"

#include <time.h>

#include "lib/base/clock.h"
#include "lib/svc/jobs.h"
#include "lib/svc/setback.h"

enum { PAUSE_NS = 20000000, SHARED_EVERY = 10, TELL_MS = 500 };

static enum resolved_result look(const struct resolved_at *at, const struct resolve *what,
	struct arena *arena, struct offer *out, int64_t *retry_s, struct fail *f)
{
	char name[RESOLVE_NAME_MAX];

	if (resolve_look(at->conf, at->mc, what, arena, out) &&
		clock_real_ms() - out->made_ms < RESOLVE_INFO_MS)
		return RESOLVED_FOUND;
	resolve_name(what, name);
	if (setback_holds(at->conf, at->mc, name, f, retry_s))
		return RESOLVED_FAILED;
	*retry_s = 1;
	fail_set(f, FAIL_TIMEOUT, "The source has not answered yet");
	return RESOLVED_WAIT;
}

enum resolved_result info_await(const struct resolved_at *at, const struct resolve *what,
	int64_t wait_ms, struct arena *arena, struct offer *out, int64_t *retry_s, struct fail *f)
{
	int64_t now_ms = clock_mono_ms(), until_ms = now_ms + wait_ms, told_ms = 0;
	struct timespec pause = {0, PAUSE_NS};
	struct resolved_at here = *at;
	char line[JOBS_LINE_MAX];

	jobs_resolve_line(what, line);
	for (int tries = 0;; tries++) {
		enum resolved_result result;

		here.mc = tries % SHARED_EVERY == 0 ? at->mc : NULL;
		result = look(&here, what, arena, out, retry_s, f);
		now_ms = clock_mono_ms();
		if (result != RESOLVED_WAIT || now_ms >= until_ms)
			return result;
		if ((!told_ms || now_ms - told_ms >= TELL_MS) &&
			jobs_tell(at->conf, at->client, line))
			told_ms = now_ms;
		nanosleep(&pause, NULL);
	}
}
