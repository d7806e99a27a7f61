/* fcgi-app/processes/media_once.c - one job of sluice-media, started for it alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/media_once.h"

#include <poll.h>

#include "fcgi-app/processes/media_link.h"
#include "lib/base/clock.h"

enum { OVERTIME_MS = 5000 };

static int await(struct media_link *link, int64_t wait_ms, struct fail *f)
{
	int64_t until_ms = clock_mono_ms() + wait_ms, left_ms;
	struct media_answer a;
	bool some = false;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		struct pollfd wake = {link->socket, POLLIN, 0};

		poll(&wake, 1, (int)left_ms);
		if (!media_link_take(link, &a, &some))
			return fail_set(f, FAIL_UPSTREAM, "What reads media has died over this");
		if (some)
			break;
	}
	if (!some)
		return fail_set(f, FAIL_TIMEOUT, "This took too long to be made");
	if (a.outcome == MEDIA_DONE)
		return 0;
	return fail_set(f, a.outcome == MEDIA_FAILED ? (enum fail_kind)a.kind : FAIL_UPSTREAM, "%s",
		a.text);
}

int media_once(const char *program, struct media_job *job, const int fds[MEDIA_FDS], struct fail *f)
{
	static const int64_t as_bytes = 3LL << 29, output_bytes = 256LL << 20;
	struct media_link link;
	int result = -1;

	job->version = MEDIA_VERSION;
	job->id = 1;
	job->as_bytes = as_bytes;
	job->fsize_bytes = output_bytes;
	job->cpu_s = job->wall_ms / 1000 + 1;
	media_link_init(&link, program);
	if (media_link_start(&link, clock_mono_us(), f) == 0) {
		if (media_link_send(&link, job, fds))
			result = await(&link, job->wall_ms + OVERTIME_MS, f);
		else
			fail_set(f, FAIL_BUSY, "What reads media cannot be asked");
	}
	media_link_close(&link);
	return result;
}
