/* lib/http/wish.c - what to give for a quality: that one, or else the next one down.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/wish.h"

#include <limits.h>

#include "lib/base/must.h"
#include "lib/base/span.h"

static const struct wish_step sounds[] = {
	{"high", 0, INT64_MAX}, {"medium", 0, 128}, {"low", 0, 64}};

static const struct wish_step pictures[] = {{"source", INT_MAX, INT64_MAX}, {"1080p", 1080, 5000},
	{"720p", 720, 2800}, {"480p", 480, 1400}, {"360p", 360, 800}, {"240p", 240, 400},
	{"144p", 144, 150}};

enum {
	SOUNDS = sizeof(sounds) / sizeof(sounds[0]),
	PICTURES = sizeof(pictures) / sizeof(pictures[0])
};

static size_t find(const struct wish_step *steps, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (span_is(span_of(word), steps[i].word))
			return i;
	}
	return 0;
}

const struct wish_step *wish_step(const char *word)
{
	const struct wish_step *sound = &sounds[find(sounds, SOUNDS, word)];
	const struct wish_step *picture = &pictures[find(pictures, PICTURES, word)];

	if (span_is(span_of(word), sound->word))
		return sound;
	return span_is(span_of(word), picture->word) ? picture : NULL;
}

/* The first from `from` on that leaves a fifth of the link free, or the last. */
static size_t fitting(const struct wish_step *steps, size_t count, size_t from, int64_t kbps)
{
	while (from + 1 < count && steps[from].kbps > kbps - kbps / 5)
		from++;
	return from;
}

static size_t with_height(int height)
{
	size_t i = 0;

	while (i + 1 < PICTURES && pictures[i].height > height)
		i++;
	return i;
}

static struct wish sounds_from(size_t i)
{
	return (struct wish){sounds + i, SOUNDS - i};
}

static struct wish pictures_from(size_t i, const struct wish_usual *usual)
{
	size_t most = find(pictures, PICTURES, usual->most);

	i = i < most ? most : i;
	return (struct wish){pictures + i, PICTURES - i};
}

static struct wish usual_from(const struct wish_usual *usual)
{
	if (!usual->video)
		return sounds_from(find(sounds, SOUNDS, usual->sound_word));
	return pictures_from(find(pictures, PICTURES, usual->video_word), usual);
}

/* A link that carries the best sound with room to spare does so at 320 kb/s. */
static struct wish hinted_from(const struct wish_usual *usual, int64_t kbps)
{
	const int64_t best_kbps = 320;

	if (kbps == INT64_MAX)
		return usual_from(usual);
	if (usual->video)
		return pictures_from(fitting(pictures, PICTURES, 1, kbps), usual);
	return sounds_from(kbps - kbps / 5 >= best_kbps ? 0 : fitting(sounds, SOUNDS, 1, kbps));
}

/* A quarter more than what each step takes: one fits exactly from there on. */
const int64_t wish_hints[WISH_HINTS] = {INT64_MAX, 6250, 3500, 1750, 1000, 500, 400, 160, 1};

int64_t wish_hint(int64_t kbps)
{
	size_t i = 0;

	while (i + 1 < WISH_HINTS && wish_hints[i] > kbps)
		i++;
	return wish_hints[i];
}

struct wish wish_for(const struct quality *q, const struct wish_usual *usual, int64_t hinted_kbps)
{
	switch (q->kind) {
	case QUALITY_AUTO:
		return hinted_from(usual, hinted_kbps);
	case QUALITY_AUDIO:
		return sounds_from(find(sounds, SOUNDS, usual->sound_word));
	case QUALITY_HIGH:
		return sounds_from(0);
	case QUALITY_MEDIUM:
		return sounds_from(1);
	case QUALITY_LOW:
		return sounds_from(2);
	case QUALITY_HEIGHT:
		return pictures_from(with_height(q->height), usual);
	case QUALITY_SOURCE:
		return (struct wish){pictures, PICTURES};
	case QUALITY_UNSAID:
		break;
	}
	return usual_from(usual);
}
