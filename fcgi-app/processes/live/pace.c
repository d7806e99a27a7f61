/* fcgi-app/processes/live/pace.c - segments are given on as time goes by.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/pace.h"

#include "lib/base/clock.h"

#define US 1000

enum {
	APART_MS = 1000, /* the most that one track is given before the other has come */
	MUCH = 9	 /* half target durations that wait, from which on it goes faster */
};

/* The one that was given less, if it has something. */
static struct track *choose(struct track tracks[PACE_TRACKS], size_t count)
{
	struct track *a = &tracks[0], *b = &tracks[1];

	if (!b->queue.count && count < PACE_TRACKS)
		return a->queue.count ? a : NULL;
	if (b->given_us < a->given_us) {
		a = &tracks[1];
		b = &tracks[0];
	}
	if (a->queue.count)
		return a;
	return b->queue.count && b->given_us - a->given_us < APART_MS * US ? b : NULL;
}

/* Real time, or a little less when too much waits. */
static int64_t time_of(const struct track *t, int64_t us)
{
	int64_t waits_us = reservoir_left_us(&t->queue);

	if (t->has_list)
		waits_us += follow_ahead_us(&t->follow, t->list);
	return waits_us > MUCH * t->follow.target_us / 2 ? us * 4 / 5 : us;
}

static bool give_one(struct track *t, const struct reservoir_feed *feed, int64_t *us)
{
	bool wanted;

	*us = reservoir_give(&t->queue, PACE_MS * US, feed, &wanted);
	t->given_us += *us;
	return wanted;
}

bool pace_give(struct pace *p, struct track tracks[PACE_TRACKS], size_t count,
	const struct reservoir_feed *feed)
{
	int64_t us, now_us = clock_mono_ms() * US;
	bool wanted = true;
	struct track *t;

	if (p->clock_us < now_us - PACE_BURST_MS * US || p->clock_us > now_us + PACE_BURST_MS * US)
		p->clock_us = now_us - PACE_BURST_MS * US;
	while (wanted && p->clock_us < now_us && (t = choose(tracks, count))) {
		wanted = give_one(t, feed, &us);
		if (t == tracks)
			p->clock_us += time_of(t, us);
	}
	return wanted;
}

bool pace_waits(struct track tracks[PACE_TRACKS], size_t count)
{
	return choose(tracks, count) != NULL;
}

void pace_flush(struct track tracks[PACE_TRACKS], const struct reservoir_feed *feed)
{
	bool wanted = true;
	struct track *t;
	int64_t us;

	while (wanted && (t = choose(tracks, PACE_TRACKS)))
		wanted = give_one(t, feed, &us);
	for (int i = 0; i < PACE_TRACKS; i++)
		reservoir_release(&tracks[i].queue);
}
