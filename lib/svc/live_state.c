/* lib/svc/live_state.c - the record of a channel that is on, as text and back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/svc/live.h"

/* live 1
 * status on
 * run 6f0c… | base https://… | why 7 sentence | reason source_down
 * updated 1763… | slate 0 | audio 1 | picture 1280 720 25000
 * encodes 720p 480p audio
 * next 880123 0
 * column 880115 0 1763… slate=1 720p=960000 audio=960000
 * column 880116 1 1763… 720p=2000000 audio=2005333, of a segment that is missing =0 */
static const char *const status_words[] = {"off", "starting", "on", "elsewhere"};

void live_state_print(const struct live_state *s, const struct ladder *l, struct buf *to)
{
	buf_printf(to, "live 1\nstatus %s\nrun %s\nbase %s\nwhy %d %s\nreason %s\nupdated %lld\n",
		status_words[s->status], s->run, s->base, (int)s->why.kind, s->why.text,
		live_reason_name(s->reason), (long long)s->updated_ms);
	buf_printf(to, "slate %d\naudio %d\npicture %d %d %lld\nencodes", s->slate, s->has_audio,
		s->width, s->height, (long long)s->rate_milli);
	for (size_t r = 0; r < l->count; r++) {
		if (s->encodes[r])
			buf_printf(to, " %s", l->rungs[r]->name);
	}
	buf_printf(to, "\norigin %lld %s\nnext %lld %lld\n", (long long)s->origin_ms, s->origin,
		(long long)s->window.next_n, (long long)s->window.period);
	for (size_t i = 0; i < s->window.count; i++) {
		const struct window_column *c = &s->window.columns[i];

		buf_printf(to, "column %lld %lld %lld%s", (long long)c->n, (long long)c->period,
			(long long)c->date_ms, c->slate ? " slate=1" : "");
		for (size_t r = 0; r < l->count; r++) {
			int64_t us = c->duration_us[r];
			if (us)
				buf_printf(to, " %s=%lld", l->rungs[r]->name,
					us == WINDOW_MISSING ? 0LL : (long long)us);
		}
		buf_putc(to, '\n');
	}
}

static bool take_number(struct span *rest, int64_t max, int64_t *out)
{
	struct span word;

	return span_next(rest, ' ', &word) && num_parse(word, 0, max, out);
}

/* Index of the rung in `l`; l->count for one that this ladder has not. */
static size_t rung_index(const struct ladder *l, struct span name)
{
	size_t r = 0;

	while (r < l->count && !span_is(name, l->rungs[r]->name))
		r++;
	return r;
}

static bool read_column(struct span rest, const struct ladder *l, struct window *w)
{
	struct window_column c = {0};
	struct span word, name;
	int64_t us;

	if (w->count == WINDOW_COLUMNS || !take_number(&rest, INT64_MAX / 2, &c.n) ||
		!take_number(&rest, INT64_MAX / 2, &c.period) ||
		!take_number(&rest, INT64_MAX / 2, &c.date_ms))
		return false;
	if (w->count && c.n != w->columns[w->count - 1].n + 1)
		return false;
	while (span_next(&rest, ' ', &word)) {
		size_t r;

		span_next(&word, '=', &name);
		r = rung_index(l, name);
		if (!num_parse(word, 0, 3600000000LL, &us))
			return false;
		if (span_is(name, "slate"))
			c.slate = us > 0;
		if (r < l->count)
			c.duration_us[r] = us ? us : WINDOW_MISSING;
	}
	w->columns[w->count++] = c;
	return true;
}

static void read_encodes(struct span rest, const struct ladder *l, struct live_state *s)
{
	struct span name;

	while (span_next(&rest, ' ', &name)) {
		size_t r = rung_index(l, name);
		if (r < l->count)
			s->encodes[r] = true;
	}
}

static bool read_status(struct span rest, struct live_state *s)
{
	for (int i = LIVE_OFF; i <= LIVE_ELSEWHERE; i++) {
		if (span_is(rest, status_words[i])) {
			s->status = (enum live_status)i;
			return true;
		}
	}
	return false;
}

static bool read_picture(struct span rest, struct live_state *s)
{
	int64_t width, height;

	if (!take_number(&rest, 65535, &width) || !take_number(&rest, 65535, &height) ||
		!take_number(&rest, 1000000000, &s->rate_milli))
		return false;
	s->width = (int)width;
	s->height = (int)height;
	return true;
}

static bool read_why(struct span rest, struct fail *why)
{
	int64_t kind;

	if (!take_number(&rest, FAIL_INTERNAL, &kind) ||
		!span_copy(rest, why->text, sizeof(why->text)))
		return false;
	why->kind = (enum fail_kind)kind;
	return true;
}

static bool read_flag(struct span rest, bool *out)
{
	int64_t flag;
	bool good = num_parse(rest, 0, 1, &flag);

	*out = good && flag;
	return good;
}

static bool read_line(
	struct span word, struct span rest, const struct ladder *l, struct live_state *s)
{
	if (span_is(word, "status"))
		return read_status(rest, s);
	if (span_is(word, "run"))
		return (rest.len == 0 || rest.len == LIVE_RUN_BYTES - 1) &&
		       span_copy(rest, s->run, sizeof(s->run));
	if (span_is(word, "base"))
		return span_copy(rest, s->base, sizeof(s->base));
	if (span_is(word, "why"))
		return read_why(rest, &s->why);
	if (span_is(word, "origin"))
		return take_number(&rest, INT64_MAX / 2, &s->origin_ms) &&
		       span_copy(rest, s->origin, sizeof(s->origin));
	if (span_is(word, "reason"))
		return live_reason_parse(rest, &s->reason);
	if (span_is(word, "updated"))
		return num_parse(rest, 0, INT64_MAX / 2, &s->updated_ms);
	if (span_is(word, "slate"))
		return read_flag(rest, &s->slate);
	if (span_is(word, "audio"))
		return read_flag(rest, &s->has_audio);
	if (span_is(word, "picture"))
		return read_picture(rest, s);
	if (span_is(word, "encodes")) {
		read_encodes(rest, l, s);
		return true;
	}
	if (span_is(word, "next"))
		return take_number(&rest, INT64_MAX / 2, &s->window.next_n) &&
		       take_number(&rest, INT64_MAX / 2, &s->window.period);
	return span_is(word, "column") && read_column(rest, l, &s->window);
}

bool live_state_parse(struct span text, const struct ladder *l, struct live_state *out)
{
	struct span line, word;

	*out = (struct live_state){0};
	if (!span_next(&text, '\n', &line) || !span_is(line, "live 1"))
		return false;
	while (span_next(&text, '\n', &line)) {
		if (line.len == 0)
			continue;
		span_next(&line, ' ', &word);
		if (!read_line(word, line, l, out)) {
			*out = (struct live_state){0};
			return false;
		}
	}
	return true;
}
