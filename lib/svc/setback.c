/* lib/svc/setback.c - what has failed is left alone for a while, longer each time.
 * SPDX-License-Identifier: BSD-2-Clause
 * "UNTIL TIMES KIND SENTENCE", UNTIL in milliseconds since the epoch. */
#include "lib/svc/setback.h"

#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/svc/memo.h"

enum { TIMES_MAX = 30, VALUE_MAX = 400 };

static const char family[] = "neg";

struct setback {
	int64_t until_ms, times;
	struct fail why;
};

static bool next_number(struct span *text, int64_t max, int64_t *out)
{
	struct span word;

	return span_next(text, ' ', &word) && num_parse(word, 0, max, out);
}

static bool read_text(struct span text, struct setback *out)
{
	struct setback s = {0};
	int64_t kind = 0;

	if (!next_number(&text, INT64_MAX, &s.until_ms) ||
		!next_number(&text, TIMES_MAX, &s.times) ||
		!next_number(&text, FAIL_INTERNAL, &kind) || !kind ||
		!span_copy(text, s.why.text, sizeof(s.why.text)))
		return false;
	s.why.kind = (enum fail_kind)kind;
	*out = s;
	return true;
}

static bool holds(const struct setback *s)
{
	int64_t now_ms = clock_real_ms();

	return s->until_ms > now_ms && s->until_ms <= now_ms + SETBACK_MAX_MS;
}

/* What this host knows, or, where that is over, what another one has found since. */
static bool look(const struct conf *conf, struct mc *mc, const char *key, struct setback *out)
{
	struct setback other;
	struct buf value;
	bool found;

	buf_init(&value, VALUE_MAX);
	found = memo_get(conf, NULL, family, key, &value, NULL) && read_text(buf_span(&value), out);
	buf_clear(&value);
	if ((!found || !holds(out)) && memo_get_shared(mc, family, key, &value, NULL) &&
		read_text(buf_span(&value), &other) && (!found || other.until_ms > out->until_ms)) {
		*out = other;
		found = true;
	}
	buf_release(&value);
	return found;
}

bool setback_holds(
	const struct conf *conf, struct mc *mc, const char *key, struct fail *why, int64_t *retry_s)
{
	struct setback s;

	if (!look(conf, mc, key, &s) || !holds(&s))
		return false;
	*why = s.why;
	*retry_s = (s.until_ms - clock_real_ms() + 999) / 1000;
	return true;
}

void setback_add(const struct conf *conf, struct mc *mc, const char *key, const struct fail *why)
{
	struct setback s = {0};
	int64_t hold_ms = SETBACK_MS;
	struct buf value;

	look(conf, mc, key, &s);
	for (int64_t i = 0; i < s.times && hold_ms < SETBACK_MAX_MS; i++)
		hold_ms = hold_ms * 2 < SETBACK_MAX_MS ? hold_ms * 2 : SETBACK_MAX_MS;
	s.until_ms = clock_real_ms() + hold_ms;
	buf_init(&value, VALUE_MAX);
	buf_printf(&value, "%lld %lld %d %s", (long long)s.until_ms,
		(long long)(s.times < TIMES_MAX ? s.times + 1 : TIMES_MAX), (int)why->kind,
		why->text);
	memo_put(conf, mc, family, key, buf_span(&value), s.until_ms + SETBACK_MEMORY_MS);
	buf_release(&value);
}

void setback_clear(const struct conf *conf, struct mc *mc, const char *key)
{
	struct setback s;

	if (look(conf, mc, key, &s))
		memo_drop(conf, mc, family, key);
}
