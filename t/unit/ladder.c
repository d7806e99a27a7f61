/* t/unit/ladder.c - the rungs of the ladder and their order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/buf.h"
#include "lib/hls/ladder.h"
#include "t/unit/tap.h"

static const char *names(const struct ladder *l, struct buf *b)
{
	buf_clear(b);
	for (size_t i = 0; i < l->count; i++)
		buf_printf(b, "%s%s", i ? " " : "", l->rungs[i]->name);
	return buf_str(b);
}

static void parsing(void)
{
	static const struct {
		const char *text, *max, *first, *want; /* want NULL: refused */
	} cases[] = {
		{"720p 480p 360p 240p audio", "1080p", "720p", "720p 480p 360p 240p audio"},
		{"720p,480p,\t audio ", NULL, NULL, "720p 480p audio"},
		{"1080p 720p 480p audio", "1080p", "720p", "720p 1080p 480p audio"},
		{"720p 480p 360p audio", "source", "360p", "360p 720p 480p audio"},
		{"720p 480p 360p audio", "480p", "720p", "480p 360p audio"},
		{"720p 480p 360p audio", "144p", "720p", "360p audio"},
		{"720p 480p 360p audio", "audio", "720p", "audio"},
		{"720p 480p", "audio", "720p", "720p 480p"},
		{"720p audio", "1080p", "audio", "audio 720p"},
		{"720p 360p", "1080p", "audio", "360p 720p"},
		{"audio", "1080p", "720p", "audio"},
		{"360p 1080p 480p", "1080p", "500p", "480p 360p 1080p"},
		{"360p 1080p 480p", "1080p", "auto", "1080p 360p 480p"},
		{"", "1080p", "720p", NULL},
		{" , ", "1080p", "720p", NULL},
		{"720p 720p", "1080p", "720p", NULL},
		{"999p", "1080p", "720p", NULL},
		{"720P", "1080p", "720p", NULL},
		{"720p", "best", "720p", NULL},
		{"720p", "1080p", "p", NULL},
		{"720p", "1080p", "-1p", NULL},
	};
	struct buf b;

	buf_init(&b, 200);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ladder l = {.count = 99};
		struct fail f = {0};
		int got = ladder_parse(cases[i].text, cases[i].max, cases[i].first, &l, &f);
		if (!cases[i].want) {
			ok(got == -1 && f.kind == FAIL_INPUT && *f.text && l.count == 99,
				"ladder '%s' (max %s, default %s) is refused with a sentence",
				cases[i].text, cases[i].max, cases[i].first);
			continue;
		}
		is_int(got, 0, "ladder '%s' is read", cases[i].text);
		is_str(names(&l, &b), cases[i].want, "max %s and default %s give %s", cases[i].max,
			cases[i].first, cases[i].want);
	}
	buf_release(&b);
}

static void nearest(void)
{
	static const struct {
		const char *ladder;
		int height;
		const char *want;
	} cases[] = {
		{"720p 480p 360p audio", 720, "720p"},
		{"720p 480p 360p audio", 719, "480p"},
		{"720p 480p 360p audio", 9999, "720p"},
		{"720p 480p 360p audio", 144, "360p"},
		{"360p 720p", 500, "360p"},
		{"audio", 720, "audio"},
	};
	struct ladder l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ladder_parse(cases[i].ladder, NULL, NULL, &l, NULL);
		is_str(ladder_nearest(&l, cases[i].height)->name, cases[i].want,
			"of '%s' %d lines get %s", cases[i].ladder, cases[i].height, cases[i].want);
	}
	ok(ladder_find(&l, span_of("audio")) && !ladder_find(&l, span_of("720p")),
		"a rung is found by its name if the ladder has it");
}

/* What two seconds may hold at most must not pass the total, nor the usual rate the average. */
static void sums(void)
{
	struct ladder l;

	ladder_parse("1080p 720p 480p 360p 240p audio", NULL, NULL, &l, NULL);
	for (size_t i = 0; i < l.count; i++) {
		const struct rung *r = l.rungs[i];
		int sound = r->audio_kbps + r->audio_kbps / 30 + 5;
		int peak = r->video_kbps + r->video_buffer_kbit / 2;
		int frames = r->height ? 60 * 111 * 8 / 1000 : 0;
		int most = peak + peak * 4 / 184 + 1 + frames + sound + (r->height ? 5 : 0);
		int usual = r->video_kbps + r->video_kbps * 4 / 184 + frames / 2 + sound;
		ok(most <= r->total_kbps, "two seconds of %s stay within its total (%d <= %d)",
			r->name, most, r->total_kbps);
		ok(usual <= r->average_kbps && r->average_kbps < r->total_kbps,
			"the average of %s is no less than its usual rate (%d <= %d)", r->name,
			usual, r->average_kbps);
		ok((r->height == 0) == (r->video_codec == NULL),
			"%s names a picture codec if it has a picture", r->name);
	}
}

int main(void)
{
	parsing();
	nearest();
	sums();
	return tap_done();
}
