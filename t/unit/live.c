/* t/unit/live.c - the records that a live process, the resolver and the workers share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/live.h"
#include "lib/svc/token.h"
#include "t/unit/tap.h"

static const char run[] = "0123456789abcdef0123456789abcdef";

static void make_state(struct live_state *s)
{
	*s = (struct live_state){.status = LIVE_ON,
		.updated_ms = clock_real_ms(),
		.encodes = {true, false, true},
		.has_audio = true,
		.width = 1024,
		.height = 576,
		.rate_milli = 25000};
	memcpy(s->run, run, sizeof(run));
	fail_set(&s->why, FAIL_UPSTREAM, "The source ended = the \"stream\"");
	s->reason = LIVE_SOURCE_DOWN;
	s->window.period = 2;
	for (int64_t n = 100; n < 103; n++) {
		struct window_column c;
		memset(&c, 0, sizeof(c)); /* what is between its members is compared, too */
		c.n = n;
		c.date_ms = 1763690981123 + n;
		c.slate = n == 101;
		c.duration_us[0] = 2000000;
		c.duration_us[2] = n == 100 ? WINDOW_MISSING : 2005333;
		window_add(&s->window, &c);
	}
}

static void states(void)
{
	struct live_state s, back;
	struct ladder l, other;
	struct buf text;

	ladder_parse("720p 480p audio", NULL, NULL, &l, NULL);
	ladder_parse("audio 360p 720p", NULL, "360p", &other, NULL);
	buf_init(&text, 16384);
	make_state(&s);
	live_state_print(&s, &l, &text);
	ok(live_state_parse(buf_span(&text), &l, &back), "a record is read back");
	ok(back.status == s.status && strcmp(back.run, s.run) == 0 && back.has_audio &&
			back.updated_ms == s.updated_ms && back.width == 1024,
		"with what it said");
	is_str(back.why.text, s.why.text, "and why");
	ok(back.reason == LIVE_SOURCE_DOWN, "in a word too");
	ok(memcmp(&back.window, &s.window, sizeof(s.window)) == 0, "and the whole window");
	ok(memcmp(back.encodes, s.encodes, sizeof(s.encodes)) == 0, "and what is encoded");
	ok(live_state_parse(buf_span(&text), &other, &back), "another ladder reads it too");
	is_str(other.rungs[2]->name, "720p", "with its rungs elsewhere");
	ok(back.encodes[2] && back.encodes[1] && !back.encodes[0] &&
			back.window.columns[1].duration_us[2] == 2000000 &&
			back.window.columns[1].duration_us[1] == 2005333,
		"and each rendition keeps its own");
	for (size_t len = 0; len < text.len; len++) {
		if (live_state_parse(span_make(text.ptr, len), &l, &back))
			ok(len == text.len - 1 || text.ptr[len] == '\n' ||
					text.ptr[len - 1] == '\n' || back.window.count < 4,
				"a record cut at %zu is read in part at most", len);
	}
	ok(!live_state_parse(span_of(""), &l, &back) && back.status == LIVE_OFF, "nothing is off");
	ok(!live_state_parse(span_of("live 1\nfoo bar\n"), &l, &back), "nonsense is no record");
	ok(!live_state_parse(span_of("live 1\nrun abc\n"), &l, &back), "nor is a short run");
	buf_release(&text);
}

/* As a worker does it: what the channel's files say, then what that means for who asks. */
static enum live_answer show(const struct conf *conf, const struct ladder *l, const char *rendition,
	struct live_state *s, struct buf *to)
{
	struct fail f = {0};

	live_look(conf, l, "live-8", s);
	return live_tell(l, "live-8", span_of(rendition), s, to, &f);
}

static void answers(const struct conf *conf)
{
	struct live_state s, seen;
	struct fail f = {0};
	struct ladder l;
	struct buf text;
	char path[LIVE_PATH_BYTES];

	ladder_parse("720p 480p audio", NULL, NULL, &l, NULL);
	buf_init(&text, 65536);
	is_int(show(conf, &l, "720p", &seen, &text), LIVE_NOT_YET,
		"a channel that is off has no playlist yet");
	make_state(&s);
	live_state_print(&s, &l, &text);
	live_path(conf, "live-8", NULL, path);
	file_mkdirs(path, 0700, &f);
	live_path(conf, "live-8", "state", path);
	file_replace(path, buf_span(&text), 0600, &f);
	buf_clear(&text);
	is_int(show(conf, &l, "720p", &seen, &text), LIVE_READY, "one that is on has");
	ok(strstr(buf_str(&text), "\n/tv/live-8/0123456789abcdef0123456789abcdef/720p/102.ts\n"),
		"with the segments of its run");
	is_int(show(conf, &l, "480p", &seen, &text), LIVE_READY,
		"a rendition that is not encoded goes on with the nearest");
	is_int(show(conf, &l, "99p", &seen, &text), LIVE_NO_SUCH,
		"nor does one that nobody has heard of");
	buf_clear(&text);
	is_int(show(conf, &l, "", &seen, &text), LIVE_READY, "there is a master");
	ok(strstr(buf_str(&text), "720p.m3u8") && strstr(buf_str(&text), "audio.m3u8") &&
			!strstr(buf_str(&text), "480p"),
		"of what is encoded");
	ok(strstr(buf_str(&text), "RESOLUTION=1280x720,FRAME-RATE=25.000"), "at its size and rate");
	s.width = 720;
	s.height = 540;
	buf_clear(&text);
	live_state_print(&s, &l, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	buf_clear(&text);
	show(conf, &l, "", &seen, &text);
	ok(strstr(buf_str(&text), "RESOLUTION=960x720"), "a narrow picture is as high as its rung");
	s.width = 1280;
	s.height = 536;
	buf_clear(&text);
	live_state_print(&s, &l, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	buf_clear(&text);
	show(conf, &l, "", &seen, &text);
	ok(strstr(buf_str(&text), "RESOLUTION=1280x536"), "a wide one as wide");
	s.updated_ms -= LIVE_STALE_MS + 1000;
	buf_clear(&text);
	live_state_print(&s, &l, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	live_look(conf, &l, "live-8", &seen);
	is_int(seen.status, LIVE_OFF, "a record that is not renewed counts as off");
	s = (struct live_state){.status = LIVE_ELSEWHERE,
		.base = "https://b.example",
		.updated_ms = clock_real_ms()};
	buf_clear(&text);
	live_state_print(&s, &l, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	is_int(show(conf, &l, "", &seen, &text), LIVE_AT, "another host's channel is there");
	is_str(seen.base, "https://b.example", "which the record names");
	buf_release(&text);
}

/* What a gateway has said no to is asked again, less and less often. */
static void refusals(void)
{
	static const int64_t lives_ms[] = {1000, 2000, 4000, 8000, 10000, 10000};
	struct token t = {.resolved_ms = 1000000, .expires_ms = 1300000};

	for (size_t i = 0; i < sizeof(lives_ms) / sizeof(lives_ms[0]); i++) {
		int64_t now_ms = t.expires_ms + 500, life_ms = token_refusal_ms(&t, now_ms);

		is_int(life_ms, lives_ms[i], "refusal %zu in a row is kept %lld ms", i + 1,
			(long long)lives_ms[i]);
		t.resolved_ms = now_ms;
		t.expires_ms = now_ms + life_ms;
		fail_set(&t.why, FAIL_BUSY, "full");
	}
	is_int(token_refusal_ms(&t, t.expires_ms + 60000), 1000, "after a minute it is the first");
	t.expires_ms = t.resolved_ms + TOKEN_FULL_MS;
	is_int(token_refusal_ms(&t, t.expires_ms), 1000, "and after one of our own");
}

static void tokens(const struct conf *conf)
{
	struct token t = {.url = "http://edge/auth/abc", .resolved_ms = clock_real_ms()}, back;
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};
	struct buf text;

	t.expires_ms = t.resolved_ms + 300000;
	t.before_ms = t.resolved_ms - 10000;
	buf_init(&text, 8192);
	token_print(&t, &text);
	ok(token_parse(buf_span(&text), &back) && strcmp(back.url, t.url) == 0 &&
			back.expires_ms == t.expires_ms && back.before_ms == t.before_ms &&
			back.why.kind == FAIL_NONE,
		"a token is read back");
	ok(!token_parse(span_make(text.ptr, text.len - 2), &back), "one that was cut is none");
	live_path(conf, "live-9", NULL, path);
	file_mkdirs(path, 0700, &f);
	live_path(conf, "live-9", "token", path);
	is_int(token_look(conf, NULL, "live-9", &back), TOKEN_NONE, "at first there is none");
	file_replace(path, buf_span(&text), 0600, &f);
	is_int(token_look(conf, NULL, "live-9", &back), TOKEN_GOOD, "then it is good");
	ok(!token_refresh_due(&t, t.resolved_ms + 4999) &&
			token_refresh_due(&t, t.resolved_ms + 5000),
		"it may be refreshed after 5 s");
	ok(!token_replace_due(&t, t.resolved_ms + 999) &&
			token_replace_due(&t, t.resolved_ms + 1000),
		"and replaced after 1 s");
	t.before_ms = t.resolved_ms - 9999;
	ok(!token_replace_due(&t, t.resolved_ms + 4999) &&
			token_replace_due(&t, t.resolved_ms + 5000),
		"but once in 10 s");
	*t.url = '\0';
	fail_set(&t.why, FAIL_BUSY, "The account's limit is reached");
	buf_clear(&text);
	token_print(&t, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	is_int(token_look(conf, NULL, "live-9", &back), TOKEN_REFUSED, "a refusal is one");
	is_str(back.why.text, t.why.text, "with its reason");
	t.expires_ms = t.resolved_ms - 1;
	buf_clear(&text);
	token_print(&t, &text);
	file_replace(path, buf_span(&text), 0600, &f);
	is_int(token_look(conf, NULL, "live-9", &back), TOKEN_NONE, "until it ends");
	refusals();
	buf_release(&text);
}

int main(void)
{
	char dir[] = "/tmp/sluice-live-XXXXXX";
	struct conf conf = {.live_dir = mkdtemp(dir), .run_dir = dir};
	char command[64];

	states();
	answers(&conf);
	tokens(&conf);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(system(command) == 0, "cleared up");
	return tap_done();
}
