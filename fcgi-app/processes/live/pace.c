/* fcgi-app/processes/live/pace.c - segments are given on as time goes by.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/pace.h"

#include "lib/base/clock.h"

#define US 1000

enum {
	APART_MS = 1000, /* the most that one playlist is given before the other has come */
	MUCH = 9	 /* half target durations that wait, from which on it goes faster */
};

/* The one that was given less, if it has something. */
static struct media_playlist *choose(struct media_playlist playlists[PACE_PLAYLISTS], size_t count)
{
	struct media_playlist *a = &playlists[0], *b = &playlists[1];

	if (!b->queue.count && count < PACE_PLAYLISTS)
		return a->queue.count ? a : NULL;
	if (b->given_us < a->given_us) {
		a = &playlists[1];
		b = &playlists[0];
	}
	if (a->queue.count)
		return a;
	return b->queue.count && b->given_us - a->given_us < APART_MS * US ? b : NULL;
}

/* Real time, or a little less when too much waits. */
static int64_t time_of(const struct media_playlist *m, int64_t us)
{
	int64_t waits_us = reservoir_left_us(&m->queue);

	if (m->has_list)
		waits_us += follow_ahead_us(&m->follow, m->list);
	return waits_us > MUCH * m->follow.target_us / 2 ? us * 4 / 5 : us;
}

static bool give_one(struct media_playlist *m, const struct reservoir_feed *feed, int64_t *us)
{
	bool wanted;

	*us = reservoir_give(&m->queue, PACE_MS * US, feed, &wanted);
	m->given_us += *us;
	return wanted;
}

bool pace_give(struct pace *p, struct media_playlist playlists[PACE_PLAYLISTS], size_t count,
	const struct reservoir_feed *feed)
{
	int64_t us, now_us = clock_mono_ms() * US;
	bool wanted = true;
	struct media_playlist *m;

	if (p->clock_us < now_us - PACE_BURST_MS * US || p->clock_us > now_us + PACE_BURST_MS * US)
		p->clock_us = now_us - PACE_BURST_MS * US;
	while (wanted && p->clock_us < now_us && (m = choose(playlists, count))) {
		wanted = give_one(m, feed, &us);
		if (m == playlists)
			p->clock_us += time_of(m, us);
	}
	return wanted;
}

bool pace_waits(struct media_playlist playlists[PACE_PLAYLISTS], size_t count)
{
	return choose(playlists, count) != NULL;
}

void pace_flush(struct media_playlist playlists[PACE_PLAYLISTS], const struct reservoir_feed *feed)
{
	bool wanted = true;
	struct media_playlist *m;
	int64_t us;

	while (wanted && (m = choose(playlists, PACE_PLAYLISTS)))
		wanted = give_one(m, feed, &us);
	for (int i = 0; i < PACE_PLAYLISTS; i++)
		reservoir_release(&playlists[i].queue);
}
