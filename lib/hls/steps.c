/* lib/hls/steps.c - brings the renditions of a channel into step.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/steps.h"

#include <string.h>

#include "lib/base/must.h"

void steps_init(struct steps *s, const struct recipe *r)
{
	*s = (struct steps){.next_n = r->first_n};
	for (size_t i = 0; i < r->ladder->count; i++)
		s->encodes[i] = r->encodes[i];
}

static bool is_empty(const struct step *step)
{
	for (size_t i = 0; i < LADDER_MAX; i++) {
		if (step->duration_us[i])
			return false;
	}
	return true;
}

bool steps_add(struct steps *s, const struct recipe_segment *seg, int64_t now_ms)
{
	struct step *step;

	must(seg->rung < LADDER_MAX);
	if (!s->encodes[seg->rung] || seg->n < s->next_n || seg->n >= s->next_n + STEPS_AHEAD)
		return false;
	step = &s->ahead[seg->n - s->next_n];
	if (step->duration_us[seg->rung])
		return false;
	if (is_empty(step))
		step->came_ms = now_ms;
	s->came_ms[seg->rung] = now_ms;
	step->duration_us[seg->rung] = seg->end_us - seg->start_us;
	if (!step->start_us || seg->start_us < step->start_us)
		step->start_us = seg->start_us;
	return true;
}

/* Whether all have the next one that will. */
static bool is_whole(const struct steps *s, int64_t now_ms)
{
	const struct step *past = &s->ahead[2];
	bool is_over = !is_empty(past) && now_ms - past->came_ms >= STEPS_WAIT_MS;

	for (size_t i = 0; i < LADDER_MAX; i++) {
		if (s->encodes[i] && !s->ahead[0].duration_us[i] &&
			!(is_over && now_ms - s->came_ms[i] >= STEPS_WAIT_MS))
			return false;
	}
	return is_over || !is_empty(&s->ahead[0]);
}

bool steps_take(struct steps *s, int64_t now_ms, struct window_column *c, int64_t *start_us)
{
	if (!is_whole(s, now_ms))
		return false;
	*c = (struct window_column){.n = s->next_n++};
	for (size_t i = 0; i < LADDER_MAX; i++) {
		int64_t us = s->ahead[0].duration_us[i];
		c->duration_us[i] = us || !s->encodes[i] ? us : WINDOW_MISSING;
	}
	*start_us = s->ahead[0].start_us;
	memmove(s->ahead, s->ahead + 1, sizeof(s->ahead) - sizeof(s->ahead[0]));
	s->ahead[STEPS_AHEAD - 1] = (struct step){0};
	return true;
}
