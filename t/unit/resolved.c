/* t/unit/resolved.c - from ids to addresses, what is kept of them, and what is left alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/resolved.h"

#include "lib/base/arena.h"
#include "lib/svc/catalog.h"
#include "lib/svc/memo.h"
#include "lib/svc/setback.h"
#include "lib/svc/wanted.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static volatile int64_t *moved_ms;

static const struct conf_source sources[] = {
	{.name = "home",
		.type = "xtream",
		.url = "http://gw.example",
		.user_agent = "",
		.referrer = "",
		.egress = "",
		.media = "audio"},
	{.name = "tunes",
		.type = "http",
		.url = "https://m.example/get/{id}.mp3?q={quality}&id={id}",
		.user_agent = "player/1",
		.referrer = "https://m.example/",
		.egress = "",
		.media = "audio"},
	{.name = "clips",
		.type = "http",
		.url = "https://c.example/{id}?expires=1763000000",
		.user_agent = "",
		.referrer = "",
		.egress = "",
		.media = "video"},
};

static void set_up(struct conf *conf)
{
	conf->sources = sources;
	conf->source_count = sizeof(sources) / sizeof(sources[0]);
	conf->default_quality = "720p";
	conf->default_audio_quality = "high";
	conf->max_quality = "1080p";
	conf->url_ttl_s = 14400;
}

/* --- ids --- */

static const struct {
	const char *text;
	int want; /* enum wanted_kind, or minus enum fail_kind */
	const char *source, *key;
} ids[] = {
	{"dQw4w9WgXcQ", WANTED_OWN, "tunes", "dQw4w9WgXcQ"},
	{"-_abc", WANTED_OWN, "tunes", "-_abc"},
	{"clips.a-b_c", WANTED_OWN, "clips", "a-b_c"},
	{"tunes.-x", WANTED_OWN, "tunes", "-x"},
	{"home.x", -FAIL_MISSING, NULL, NULL},
	{"nobody.x", -FAIL_MISSING, NULL, NULL},
	{"vod-7", WANTED_TITLE, NULL, NULL},
	{"home.vod-7", WANTED_TITLE, NULL, NULL},
	{"url-00112233", -FAIL_MISSING, NULL, NULL},
	{"", -FAIL_INPUT, NULL, NULL},
	{"tunes.", -FAIL_INPUT, NULL, NULL},
	{"a b", -FAIL_INPUT, NULL, NULL},
	{"a.b.c", -FAIL_INPUT, NULL, NULL},
	{"a/b", -FAIL_INPUT, NULL, NULL},
	{"$(reboot)", -FAIL_INPUT, NULL, NULL},
	{"0123456789012345678901234567890123456789012345678901234567890123", WANTED_OWN, "tunes",
		"0123456789012345678901234567890123456789012345678901234567890123"},
	{"01234567890123456789012345678901234567890123456789012345678901234", -FAIL_INPUT, NULL,
		NULL},
};

static void parsed(const struct conf *conf)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char back[WANTED_ID_MAX];
		struct fail f = {0};
		struct wanted w, again;

		if (wanted_parse(conf, ids[i].text, &w, &f) < 0) {
			is_int(-(int)f.kind, ids[i].want, "'%s' is none: %s", ids[i].text, f.text);
			continue;
		}
		is_int((int)w.kind, ids[i].want, "'%s' is one", ids[i].text);
		wanted_print(conf, &w, back);
		ok(wanted_parse(conf, back, &again, &f) == 0 && again.kind == w.kind &&
				strcmp(again.key, w.key) == 0 && again.source == w.source,
			"and is read back from '%s'", back);
		if (w.kind != WANTED_OWN)
			continue;
		is_str(w.source->name, ids[i].source, "of that source");
		is_str(w.key, ids[i].key, "with that key");
	}
}

/* --- addresses --- */

static enum resolved_result find(const struct resolved_at *at, const char *id, const char *quality,
	struct arena *arena, struct resolved *r, int64_t *retry_s, struct fail *f)
{
	struct resolved_ask ask = {.id = id, .hinted_kbps = INT64_MAX};

	quality_parse(span_of(quality), &ask.quality);
	return resolved_find(at, &ask, arena, r, retry_s, f);
}

static void templates(const struct resolved_at *at, struct arena *arena)
{
	struct resolved r, lower;
	struct fail f = {0};
	int64_t retry_s;

	is_int(find(at, "a_1", "high", arena, &r, &retry_s, &f), RESOLVED_FOUND,
		"an id has an address");
	is_str(r.url, "https://m.example/get/a_1.mp3?q=high&id=a_1", "made from the template");
	is_str(r.agent, "player/1", "with what is to be sent");
	is_str(r.referrer, "https://m.example/", "both of it");
	is_str(r.quality, "high", "and the quality that is given");
	is_int(r.expires_ms - r.resolved_ms, 14400000, "good for as long as addresses usually are");
	ok(!r.video && r.keep_s == 4 * 3600, "it is music, kept so long");
	fail_set(&f, FAIL_UPSTREAM, "There is no such file");
	resolved_drop(at, &r, 404, &f);
	is_int(find(at, "a_1", "high", arena, &lower, &retry_s, &f), RESOLVED_FOUND,
		"where it fails");
	is_str(lower.quality, "medium", "the next quality down is given");
	ok(strcmp(lower.object, r.object) != 0, "which is another object");
	resolved_drop(at, &lower, 404, NULL);
	find(at, "a_1", "", arena, &lower, &retry_s, &f);
	is_str(lower.quality, "low", "and the next");
	resolved_drop(at, &lower, 404, NULL);
	is_int(find(at, "a_1", "high", arena, &lower, &retry_s, &f), RESOLVED_FAILED,
		"until there is none");
	ok(f.kind == FAIL_UPSTREAM && retry_s > 5 && retry_s <= 10, "and when to come back");
	is_str(f.text, "There is no such file", "and why the first was not given");
	is_int(find(at, "a_2", "high", arena, &lower, &retry_s, &f), RESOLVED_FOUND,
		"others are not touched by that");
	*moved_ms += SETBACK_MS + 1000;
	find(at, "a_1", "high", arena, &lower, &retry_s, &f);
	is_str(lower.quality, "high", "after a while it is tried again");
	resolved_drop(at, &lower, 0, NULL);
	find(at, "a_1", "low", arena, &lower, &retry_s, &f);
	is_str(lower.quality, "low", "what was lower is well again");
	*moved_ms += SETBACK_MS + 1000;
	find(at, "a_1", "high", arena, &lower, &retry_s, &f);
	is_str(lower.quality, "medium", "a second failure lasts longer");
	is_int(find(at, "clips.x", "", arena, &r, &retry_s, &f), RESOLVED_FOUND,
		"a source without qualities");
	ok(r.video && r.keep_s == 300, "is what it is said to be");
	is_str(r.quality, "720p", "in its usual quality");
	resolved_drop(at, &r, 404, NULL);
	is_int(find(at, "clips.x", "144p", arena, &lower, &retry_s, &f), RESOLVED_FAILED,
		"has no lower one");
}

static void refused(const struct resolved_at *at, struct arena *arena)
{
	struct resolved_ask ask = {.id = "a_1", .hinted_kbps = INT64_MAX, .format = "wav"};
	struct resolved r;
	struct fail f = {0};
	int64_t retry_s;

	is_int(resolved_find(at, &ask, arena, &r, &retry_s, &f), RESOLVED_FAILED,
		"an unknown format is none");
	is_int(f.kind, FAIL_INPUT, "by whoever asks");
	ask = (struct resolved_ask){.id = "vod-7", .hinted_kbps = INT64_MAX};
	is_int(resolved_find(at, &ask, arena, &r, &retry_s, &f), RESOLVED_FAILED,
		"nor is a film that nobody has");
	is_int(f.kind, FAIL_MISSING, "there");
}

/* --- memos --- */

static void kept(struct conf *conf)
{
	int64_t now_ms = clock_real_ms(), ends_ms = 0;
	size_t removed = 0;
	struct buf value;

	buf_init(&value, MEMO_VALUE_MAX);
	ok(!memo_get(conf, NULL, "url", "a", &value, NULL), "nothing is known at first");
	ok(memo_put(conf, NULL, "url", "a", span_of("one\ntwo\n"), now_ms + 60000), "it is kept");
	ok(memo_get(conf, NULL, "url", "a", &value, &ends_ms), "and found");
	is_str(buf_str(&value), "one\ntwo\n", "as it was");
	is_int(ends_ms, now_ms + 60000, "until then");
	ok(!memo_get(conf, NULL, "neg", "a", &value, NULL), "but not as another thing");
	ok(!memo_put(conf, NULL, "url", "b", span_of("x"), now_ms - 1), "what is over is not kept");
	*moved_ms -= 30000;
	ok(!memo_get(conf, NULL, "url", "a", &value, NULL),
		"what comes from the future is not believed");
	*moved_ms += 30000 + 61000;
	ok(!memo_get(conf, NULL, "url", "a", &value, NULL), "it ends");
	memo_put(conf, NULL, "url", "c", span_of("y"), clock_real_ms() + 60000);
	for (int part = 0; part < MEMO_PARTS; part++)
		removed += memo_sweep(conf, part);
	ok(removed >= 1, "and is swept away");
	ok(memo_get(conf, NULL, "url", "c", &value, NULL), "which what is good is not");
	memo_drop(conf, NULL, "url", "c");
	ok(!memo_get(conf, NULL, "url", "c", &value, NULL), "until it is dropped");
	memo_put(conf, NULL, "url", "d", span_of("z"), clock_real_ms() + 60000);
	is_int(shell("test -n \"$(find memo -type f)\" && test -z \"$(find memo -type f ! -perm "
		     "600)\"",
		       conf->state_dir),
		0, "nobody else can read them");
	buf_release(&value);
}

int main(void)
{
	char dir[] = "/tmp/sluice-resolved-XXXXXX";
	struct resolved_at at = {0};
	struct arena arena;
	struct place place;
	struct fail f = {0};

	if (!mkdtemp(dir))
		return 99;
	moved_ms = clock_open(dir);
	place_open(&place, dir);
	set_up(&place.conf);
	at.conf = &place.conf;
	arena_init(&arena, 1 << 20);
	catalog_open(&at.catalog, &place.conf, &f);
	parsed(&place.conf);
	templates(&at, &arena);
	refused(&at, &arena);
	kept(&place.conf);
	catalog_close(&at.catalog);
	arena_release(&arena);
	place_close(&place);
	shell("rm -rf \"$PWD\"", dir);
	return tap_done();
}
