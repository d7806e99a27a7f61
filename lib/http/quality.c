/* lib/http/quality.c - the words of ?quality= and what a client's network hints say.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/quality.h"

#include "lib/base/must.h"
#include "lib/base/num.h"

enum {
	SAVE_DATA_KBPS = 800, /* asks for less, not for the least */
	MEDIUM_HEIGHT = 480,
};

bool quality_parse(struct span word, struct quality *q)
{
	static const struct {
		const char *word;
		struct quality quality;
	} words[] = {
		{"", {QUALITY_UNSAID, 0}},
		{"auto", {QUALITY_AUTO, 0}},
		{"audio", {QUALITY_AUDIO, 0}},
		{"low", {QUALITY_LOW, 0}},
		{"medium", {QUALITY_MEDIUM, 0}},
		{"high", {QUALITY_HIGH, 0}},
		{"source", {QUALITY_SOURCE, 0}},
		{"144p", {QUALITY_HEIGHT, 144}},
		{"240p", {QUALITY_HEIGHT, 240}},
		{"360p", {QUALITY_HEIGHT, 360}},
		{"480p", {QUALITY_HEIGHT, 480}},
		{"720p", {QUALITY_HEIGHT, 720}},
		{"1080p", {QUALITY_HEIGHT, 1080}},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is(word, words[i].word)) {
			*q = words[i].quality;
			return true;
		}
	}
	return false;
}

bool quality_is_picture(const struct quality *q)
{
	return q->kind == QUALITY_HEIGHT || q->kind == QUALITY_SOURCE;
}

static int64_t less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Effective connection types stand for round-trip classes; the figures are their upper bounds. */
static int64_t ect_kbps(struct span ect)
{
	if (span_is(ect, "slow-2g") || span_is(ect, "2g"))
		return 70;
	if (span_is(ect, "3g"))
		return 700;
	return INT64_MAX;
}

/* "1.35" megabits a second; browsers say at most 10, which means "10 or more". */
static int64_t downlink_kbps(struct span text)
{
	struct span whole;
	int64_t mbps = 0, tenths = 0;

	if (!span_next(&text, '.', &whole) || !num_parse(whole, 0, 100000, &mbps))
		return INT64_MAX;
	if (text.len && !num_parse(span_make(text.ptr, 1), 0, 9, &tenths))
		return INT64_MAX;
	return mbps >= 10 ? INT64_MAX : mbps * 1000 + tenths * 100;
}

/* mtp=25400 among "bl=21300,mtp=25400,…"; the measured throughput, rounded by the player. */
static int64_t cmcd_kbps(struct span text)
{
	struct span item, name;
	int64_t kbps;

	while (span_next(&text, ',', &item)) {
		span_next(&item, '=', &name);
		if (span_is(span_trim(name), "mtp") &&
			num_parse(span_trim(item), 1, 10000000, &kbps))
			return kbps;
	}
	return INT64_MAX;
}

int64_t quality_hinted_kbps(
	const char *save_data, const char *ect, const char *downlink, const char *cmcd)
{
	int64_t kbps = INT64_MAX;

	if (span_is_nocase(span_trim(span_of(save_data)), "on"))
		kbps = SAVE_DATA_KBPS;
	kbps = less(kbps, ect_kbps(span_trim(span_of(ect))));
	kbps = less(kbps, downlink_kbps(span_trim(span_of(downlink))));
	return less(kbps, cmcd_kbps(span_of(cmcd)));
}

static size_t at_most(const struct quality_rung *rungs, size_t count, int height)
{
	size_t i = 0;

	while (i + 1 < count && rungs[i].height > height)
		i++;
	return i;
}

/* The highest that leaves a fifth of the link free. */
static size_t that_fits(const struct quality_rung *rungs, size_t count, int64_t kbps)
{
	size_t i = 0;

	while (i + 1 < count && rungs[i].kbps > kbps - kbps / 5)
		i++;
	return i;
}

size_t quality_pick(const struct quality *q, const struct quality_rung *rungs, size_t count,
	int unsaid_height, int64_t kbps)
{
	must(count > 0);
	switch (q->kind) {
	case QUALITY_UNSAID:
		return at_most(rungs, count, unsaid_height);
	case QUALITY_AUTO:
		return that_fits(rungs, count, kbps);
	case QUALITY_AUDIO:
	case QUALITY_LOW:
		return count - 1;
	case QUALITY_MEDIUM:
		return at_most(rungs, count, MEDIUM_HEIGHT);
	case QUALITY_HEIGHT:
		return at_most(rungs, count, q->height);
	case QUALITY_HIGH:
	case QUALITY_SOURCE:
		break;
	}
	return 0;
}
