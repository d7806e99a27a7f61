/* fcgi-app/processes/live/slate.c - when a channel shows why it has nothing else to show.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/slate.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hls/recipe.h"
#include "lib/io/conf.h"

enum {
	FIRST_MS = 250,	   /* a source that has sent nothing in this time is slow */
	HOPEFUL_MS = 1500, /* one that has gets this much */
	SILENT_MS = 9000,  /* a source may be away for 4 s and nobody needs to be told */
	REFUSED_MS = 5000, /* unless it is sure that nothing comes */
	AHEAD_MS = 700,	   /* a slate comes so much before the one before it has ended */
	LENGTH_MS = RECIPE_SLATE_US / 1000,
	AGAIN_MS = 5000 /* when there are no files */
};

static bool is_sure(enum live_reason reason)
{
	return reason != LIVE_WELL && reason != LIVE_BEGINS && reason != LIVE_SOURCE_DOWN;
}

/* By the monotonic clock; INT64_MAX: never. */
static int64_t due_ms(const struct slate *s, const struct playout *p, enum live_reason reason,
	int64_t since_ms, bool hopeful)
{
	if (s->shown != LIVE_WELL || s->missing)
		return s->due_ms + (hopeful && !s->missing ? AHEAD_MS : 0); /* the last one */
	if (p->state.window.count)
		return p->listed_ms ? p->listed_ms + (is_sure(reason) ? REFUSED_MS : SILENT_MS)
				    : INT64_MAX;
	if (is_sure(reason))
		return since_ms;
	return since_ms + (hopeful ? HOPEFUL_MS : FIRST_MS);
}

int slate_wait(const struct slate *s, const struct playout *p, enum live_reason reason,
	int64_t since_ms, bool hopeful, int most_ms)
{
	int64_t wait_ms = due_ms(s, p, reason, since_ms, hopeful) - clock_mono_ms();

	if (!*p->conf->slate_dir)
		return most_ms;
	return wait_ms < 0 ? 0 : wait_ms < most_ms ? (int)wait_ms : most_ms;
}

void slate_step(
	struct slate *s, struct playout *p, enum live_reason reason, int64_t since_ms, bool hopeful)
{
	int64_t now_ms = clock_mono_ms();
	struct fail f = {0};

	if (!*p->conf->slate_dir || now_ms < due_ms(s, p, reason, since_ms, hopeful))
		return;
	if (reason == LIVE_WELL || (reason == LIVE_BEGINS && hopeful))
		reason = s->shown != LIVE_WELL ? s->shown : LIVE_BEGINS;
	if (reason != s->shown)
		s->times = 0;
	if (playout_add_slate(p, reason, s->times, &f) < 0) {
		if (!s->missing)
			log_warn("no_slate", LOG_STR("channel", p->id), LOG_STR("why", f.text));
		s->missing = true;
		s->due_ms = now_ms + AGAIN_MS;
		return;
	}
	if (reason != s->shown)
		log_info("slate", LOG_STR("channel", p->id),
			LOG_STR("reason", live_reason_name(reason)));
	s->missing = false;
	if (s->times && s->due_ms + AHEAD_MS > now_ms)
		s->due_ms += LENGTH_MS;
	else
		s->due_ms = now_ms + LENGTH_MS - AHEAD_MS;
	s->times++;
	s->shown = reason;
}

void slate_end(struct slate *s)
{
	s->shown = LIVE_WELL;
	s->times = 0;
}
