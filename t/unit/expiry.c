/* t/unit/expiry.c - when URLs say that they end, and what is given for a quality.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/expiry.h"
#include "lib/http/wish.h"
#include "t/unit/tap.h"

static const struct {
	const char *name, *url;
	int64_t want_s;
} ends[] = {
	{"a parameter", "https://r4.example/videoplayback?id=1&expire=1763000000&sig=x",
		1763000000},
	{"another name", "http://a/x?Expires=1763000001&Key-Pair-Id=K", 1763000001},
	{"a short one", "http://a/x?st=abc&e=1763000002", 1763000002},
	{"in milliseconds", "http://a/x?exp=1763000003000", 1763000003},
	{"the soonest of two", "http://a/x?expires=1763000005&expire=1763000004", 1763000004},
	{"parts of the path", "https://m.example/api/manifest/expire/1763000006/ei/x/file/seg.ts",
		1763000006},
	{"Amazon's",
		"https://b.example/"
		"k?X-Amz-Algorithm=A&X-Amz-Date=20251113T021320Z&X-Amz-Expires=900",
		1763000000 + 900},
	{"Google's", "https://b.example/k?X-Goog-Expires=60&X-Goog-Date=20251113T021320Z",
		1763000060},
	{"Azure's, escaped", "https://b.example/k?sv=2&se=2025-11-13T02%3A13%3A20Z&sp=r",
		1763000000},
	{"Azure's, a day", "https://b.example/k?se=2025-11-13", 1762992000},
	{"Akamai's", "https://b.example/k?hdnts=st=1~exp=1763000007~acl=/*~hmac=ff", 1763000007},
	{"Akamai's, escaped", "https://b.example/k?token=exp%3D1763000008~hmac%3Dff", 1763000008},
	{"a leap day", "http://a/x?se=2024-02-29T00:00:00Z", 1709164800},
	{"one that is over", "http://a/x?expires=1000000000", 1000000000},
	{"behind a fragment nothing counts", "http://a/x#?expires=1763000000", 0},
	{"a short name for something else", "http://a/x?e=5", 0},
	{"a word", "http://a/x?expires=never", 0},
	{"a number too large", "http://a/x?expires=99999999999999999999999", 0},
	{"the next century", "http://a/x?expires=4102444800", 0},
	{"a life without a moment", "http://a/x?X-Amz-Expires=900", 0},
	{"a moment without a life", "http://a/x?X-Amz-Date=20251113T021320Z", 0},
	{"a negative life", "http://a/x?X-Amz-Date=20251113T021320Z&X-Amz-Expires=-900", 0},
	{"no such month", "http://a/x?se=2025-13-01", 0},
	{"a path that ends there", "http://a/expire/", 0},
	{"in the host's place", "http://expire/1763000000x/", 0},
	{"nothing", "", 0},
};

static const struct {
	const char *name;
	int64_t now_s, end_s, usual_s, want_s;
} margins[] = {
	{"what does not say lasts as usual", 1000, 0, 14400, 15400},
	{"what lasts longer too", 1000, 100000, 14400, 15400},
	{"an hour loses 3 min", 1000, 4600, 14400, 4420},
	{"a minute loses 5 s", 1000, 1060, 14400, 1055},
	{"a day loses 5 min at most", 0, 86400, 100000, 86100},
	{"3 s are too short", 1000, 1003, 14400, 1000},
	{"what is over is over", 1000, 900, 14400, 1000},
};

static const struct {
	const char *word, *usual_media;
	int64_t kbps;
	const char *want; /* all steps */
} wishes[] = {
	{"low", "audio", INT64_MAX, "low"},
	{"high", "video", INT64_MAX, "high medium low"},
	{"audio", "video", INT64_MAX, "medium low"},
	{"", "audio", INT64_MAX, "medium low"},
	{"", "video", INT64_MAX, "480p 360p 240p 144p"},
	{"1080p", "audio", INT64_MAX, "720p 480p 360p 240p 144p"},
	{"240p", "audio", INT64_MAX, "240p 144p"},
	{"source", "audio", INT64_MAX, "source 1080p 720p 480p 360p 240p 144p"},
	{"auto", "video", INT64_MAX, "480p 360p 240p 144p"},
	{"auto", "video", 100000, "720p 480p 360p 240p 144p"},
	{"auto", "video", 1000, "360p 240p 144p"},
	{"auto", "video", 10, "144p"},
	{"auto", "audio", 1000, "high medium low"},
	{"auto", "audio", 200, "medium low"},
	{"auto", "audio", 20, "low"},
};

static void wished(void)
{
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish_usual usual = {
			wishes[i].usual_media[0] == 'v', "480p", "medium", "720p"};
		struct quality q;
		struct wish wish;
		char text[100] = "";

		ok(quality_parse(span_of(wishes[i].word), &q), "'%s' is a quality", wishes[i].word);
		wish = wish_for(&q, &usual, wishes[i].kbps);
		for (size_t k = 0; k < wish.count; k++) {
			strcat(text, k ? " " : "");
			strcat(text, wish.steps[k].word);
		}
		is_str(text, wishes[i].want, "'%s' of %s over %lld kb/s", wishes[i].word,
			wishes[i].usual_media, (long long)wishes[i].kbps);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		is_int(expiry_of_url(span_of(ends[i].url)), ends[i].want_s * 1000, "%s",
			ends[i].name);
	for (size_t i = 0; i < sizeof(margins) / sizeof(margins[0]); i++)
		is_int(expiry_with_margin(margins[i].now_s * 1000, margins[i].end_s * 1000,
			       margins[i].usual_s * 1000),
			margins[i].want_s * 1000, "%s", margins[i].name);
	wished();
	return tap_done();
}
