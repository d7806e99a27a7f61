/* lib/hls/follow.c - a live playlist of somebody else's, followed.
 * SPDX-License-Identifier: BSD-2-Clause
 * Section numbers are those of RFC 8216. */
#include "lib/hls/follow.h"

enum { POLL_LEAST_MS = 500, FROZEN_LEAST_MS = 6000, BACK_MOST = 3 /* segments */ };

static int64_t target_ms(const struct follow *f)
{
	return f->target_us / 1000;
}

void follow_join(struct follow *f, int64_t now_ms)
{
	f->asked_ms = now_ms;
	f->news_ms = now_ms;
	f->behind_ms = 0;
}

void follow_asked(struct follow *f, int64_t now_ms)
{
	f->asked_ms = now_ms;
}

/* Section 6.3.3: three target durations from the end, or as far as the list reaches. */
static int64_t choose_first(const struct playlist *p)
{
	int64_t us = 0;

	for (size_t i = p->count; i > 0; i--) {
		us += p->segments[i - 1].duration_us;
		if (us >= FOLLOW_BEHIND * p->target_us)
			return p->segments[i - 1].n;
	}
	return p->segments[0].n;
}

static enum follow_news begin(struct follow *f, const struct playlist *p, enum follow_news news)
{
	f->begun = true;
	f->next_n = choose_first(p);
	f->behind_ms = 0;
	return news;
}

/* Lists that end before what was read already: from a cache that is behind, or counting anew. */
static bool counts_anew(struct follow *f, int64_t last_n, int64_t now_ms)
{
	if (last_n >= f->next_n - 1) {
		f->behind_ms = 0;
		return false;
	}
	if (!f->behind_ms)
		f->behind_ms = now_ms;
	return last_n < f->next_n - 1 - BACK_MOST ||
	       now_ms - f->behind_ms > FOLLOW_STALE * target_ms(f);
}

enum follow_news follow_list(struct follow *f, const struct playlist *p, int64_t now_ms)
{
	int64_t last_n;

	f->target_us = p->target_us;
	f->changed = false;
	if (p->count == 0)
		return FOLLOW_ON;
	last_n = p->segments[p->count - 1].n;
	f->changed = !f->begun || last_n != f->last_n;
	f->last_n = last_n;
	if (f->changed)
		f->news_ms = now_ms;
	if (!f->begun)
		return begin(f, p, FOLLOW_BEGUN);
	if (counts_anew(f, last_n, now_ms))
		return begin(f, p, FOLLOW_ANEW);
	if (f->next_n < p->segments[0].n ||
		follow_ahead_us(f, p) > FOLLOW_LATE * p->target_us + p->target_us / 2)
		return begin(f, p, FOLLOW_MISSED);
	return FOLLOW_ON;
}

const struct playlist_segment *follow_next(struct follow *f, const struct playlist *p)
{
	for (size_t i = 0; f->begun && i < p->count; i++) {
		const struct playlist_segment *s = &p->segments[i];
		if (s->n != f->next_n)
			continue;
		if (!s->gap)
			return s;
		f->next_n++;
	}
	return NULL;
}

int64_t follow_ahead_us(const struct follow *f, const struct playlist *p)
{
	int64_t us = 0;

	for (size_t i = 0; i < p->count; i++)
		us += p->segments[i].n >= f->next_n ? p->segments[i].duration_us : 0;
	return us;
}

/* Section 6.3.4: a target duration after a change, half of one when there was none. */
int64_t follow_wait_ms(const struct follow *f, int64_t now_ms)
{
	int64_t pause_ms = f->changed ? target_ms(f) : target_ms(f) / 2;
	int64_t wait_ms;

	if (pause_ms < POLL_LEAST_MS)
		pause_ms = POLL_LEAST_MS;
	wait_ms = f->asked_ms + pause_ms - now_ms;
	if (wait_ms > pause_ms) /* the clock went back */
		return pause_ms;
	return wait_ms > 0 ? wait_ms : 0;
}

bool follow_is_frozen(const struct follow *f, int64_t now_ms)
{
	int64_t most_ms = FOLLOW_FROZEN * target_ms(f);

	return now_ms - f->news_ms > (most_ms > FROZEN_LEAST_MS ? most_ms : FROZEN_LEAST_MS);
}
