/* lib/svc/pair.c - a video whose picture and sound are separate objects at its source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/pair.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/io/conf.h"

struct wish pair_wish(const struct conf *conf, const struct quality *q)
{
	const struct wish_usual usual = {
		true, conf->default_quality, conf->default_audio_quality, conf->max_quality};
	struct wish wish = wish_for(q, &usual, INT64_MAX);

	if (wish.steps[0].height == 0)
		wish.count = 0;
	return wish;
}

bool pair_suits(const char *format)
{
	return !format || !*format || strcmp(format, "auto") == 0 || strcmp(format, "aac") == 0;
}

struct resolved_ask pair_ask(const char *id, const char *word)
{
	struct resolved_ask ask = {
		.id = id, .hinted_kbps = INT64_MAX, .format = word ? RESOLVED_PICTURE : "aac"};

	must(quality_parse(span_of(word ? word : "high"), &ask.quality));
	return ask;
}

bool pair_object(struct object_ask *to, const char *id, const char *word)
{
	const struct resolved_ask ask = pair_ask(id, word);

	return object_ask_make(to, id, &ask.quality, ask.hinted_kbps, ask.format);
}

static bool is_mp4(const struct resolved *r)
{
	return strcmp(r->format, "mp4") == 0 || strcmp(r->format, "m4a") == 0;
}

static enum resolved_result refuse(struct fail *f, enum fail_kind kind, const char *why)
{
	fail_set(f, kind, "%s", why);
	return RESOLVED_FAILED;
}

/* That there is none is no failure; that there is one which cannot be had now is. */
static enum resolved_result judge_sound(
	enum resolved_result result, struct pair *p, int64_t retry_s, struct fail *f)
{
	if (result == RESOLVED_WAIT || (result == RESOLVED_FAILED && retry_s > 0))
		return result;
	p->has_sound = result == RESOLVED_FOUND && !p->sound.video;
	if (p->has_sound && !is_mp4(&p->sound))
		return refuse(f, FAIL_UPSTREAM,
			"The source's sound is in no MP4, and cannot be joined with the picture");
	*f = (struct fail){0};
	return RESOLVED_FOUND;
}

enum resolved_result pair_find(const struct resolved_at *at, const char *id, const char *word,
	int64_t wait_ms, struct arena *arena, struct pair *out, int64_t *retry_s, struct fail *f)
{
	const struct resolved_ask picture = pair_ask(id, word), sound = pair_ask(id, NULL);
	enum resolved_result result =
		resolved_await(at, &picture, wait_ms, arena, &out->picture, retry_s, f);

	if (result != RESOLVED_FOUND)
		return result;
	if (!out->picture.program || !out->picture.video)
		return refuse(f, FAIL_MISSING, "This has no picture apart from its sound");
	result = resolved_await(at, &sound, wait_ms, arena, &out->sound, retry_s, f);
	return judge_sound(result, out, *retry_s, f);
}
