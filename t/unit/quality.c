/* t/unit/quality.c - the words of ?quality= and what hints make of them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/quality.h"
#include "t/unit/tap.h"

static const struct quality_rung rungs[] = {{720, 2500}, {480, 1000}, {360, 600}, {240, 350}};

static const struct {
	const char *word;
	bool known;
	int height; /* of the rung that is picked */
} words[] = {
	{"", true, 720},
	{"low", true, 240},
	{"medium", true, 480},
	{"high", true, 720},
	{"source", true, 720},
	{"audio", true, 240},
	{"144p", true, 240},
	{"240p", true, 240},
	{"360p", true, 360},
	{"480p", true, 480},
	{"720p", true, 720},
	{"1080p", true, 720},
	{"auto", true, 720},
	{"721p", false, 0},
	{"LOW", false, 0},
	{"720", false, 0},
	{"720p ", false, 0},
};

static void read_words(void)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct quality q = {0};
		bool known = quality_parse(span_of(words[i].word), &q);

		ok(known == words[i].known, "'%s' is %s", words[i].word,
			words[i].known ? "a quality" : "none");
		if (known)
			is_int(rungs[quality_pick(&q, rungs, 4, 720, INT64_MAX)].height,
				words[i].height, "'%s' picks %dp", words[i].word, words[i].height);
	}
}

static const struct {
	const char *save_data, *ect, *downlink, *cmcd;
	int64_t kbps;
	int height;
} hints[] = {
	{NULL, NULL, NULL, NULL, INT64_MAX, 720},
	{"on", NULL, NULL, NULL, 800, 360},
	{"off", NULL, NULL, NULL, INT64_MAX, 720},
	{NULL, "2g", NULL, NULL, 70, 240},
	{NULL, "3g", NULL, NULL, 700, 240},
	{NULL, "4g", "10", NULL, INT64_MAX, 720},
	{NULL, NULL, "1.35", NULL, 1300, 480},
	{NULL, NULL, "0.4", NULL, 400, 240},
	{NULL, NULL, "rubbish", NULL, INT64_MAX, 720},
	{NULL, NULL, NULL, "bl=2000,mtp=3200,ot=v", 3200, 720},
	{NULL, NULL, NULL, "mtp=900", 900, 360},
	{NULL, NULL, NULL, "mtp=x", INT64_MAX, 720},
	{"on", "3g", "9", "mtp=5000", 700, 240},
};

static void read_hints(void)
{
	const struct quality q = {QUALITY_AUTO, 0};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		int64_t kbps = quality_hinted_kbps(
			hints[i].save_data, hints[i].ect, hints[i].downlink, hints[i].cmcd);
		is_int(kbps, hints[i].kbps, "hints of row %zu say this much", i);
		is_int(rungs[quality_pick(&q, rungs, 4, 720, kbps)].height, hints[i].height,
			"and auto picks %dp", hints[i].height);
	}
}

int main(void)
{
	read_words();
	read_hints();
	return tap_done();
}
