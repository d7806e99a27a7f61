/* t/unit/supply.c - origins that fail, accounts that are full, viewers who change channel.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/breaker.h"
#include "lib/svc/live.h"
#include "lib/svc/origin.h"
#include "lib/svc/slot.h"
#include "lib/svc/viewers.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

/* --- breakers --------------------------------------------------------------------------------- */

static const struct {
	bool of_source;
	int64_t failures;
	enum live_reason reason;
	int64_t ms;
} openings[] = {
	{false, 1, LIVE_SOURCE_DOWN, 0},
	{false, 2, LIVE_SOURCE_DOWN, 5000},
	{false, 3, LIVE_SOURCE_DOWN, 10000},
	{false, 6, LIVE_SOURCE_DOWN, 80000},
	{false, 7, LIVE_SOURCE_DOWN, 120000},
	{false, INT64_MAX, LIVE_SOURCE_DOWN, 120000},
	{true, 2, LIVE_SOURCE_DOWN, 0},
	{true, 3, LIVE_SOURCE_DOWN, 5000},
	{false, 1, LIVE_LIMIT, 5000},
	{false, 9, LIVE_LIMIT, 5000},
};

static void breakers(const struct conf *conf)
{
	struct breaker_key of = {conf, NULL, "live-8", "star"};
	struct breaker_key other = {conf, NULL, "live-8", "star/second"};
	struct breaker_key source = {conf, NULL, NULL, "star"};
	struct fail why = {0};
	struct breaker b, back;
	struct buf text;
	char dir[LIVE_PATH_BYTES];

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		is_int(breaker_open_ms(
			       openings[i].of_source, openings[i].failures, openings[i].reason),
			openings[i].ms, "%lld failures %s open it for %lld ms",
			(long long)openings[i].failures, openings[i].of_source ? "of a source" : "",
			(long long)openings[i].ms);
	live_path(conf, "live-8", NULL, dir);
	file_mkdirs(dir, 0700, &why);
	breaker_look(&of, &b);
	ok(b.failures == 0 && !breaker_is_open(&b, clock_real_ms()), "at first all is well");
	fail_set(&why, FAIL_TIMEOUT, "nothing came");
	breaker_failed(&of, LIVE_SOURCE_DOWN, &why);
	breaker_look(&of, &b);
	ok(b.failures == 1 && !breaker_is_open(&b, clock_real_ms()), "one failure is none yet");
	breaker_failed(&of, LIVE_SOURCE_DOWN, &why);
	breaker_look(&of, &b);
	ok(breaker_is_open(&b, clock_real_ms()), "two are");
	ok(!breaker_is_open(&b, clock_real_ms() + 6000), "for a while");
	ok(!breaker_is_open(&b, clock_real_ms() - 3600000), "and not for ever when clocks go back");
	is_str(b.why.text, "nothing came", "with the reason");
	breaker_look(&other, &back);
	is_int(back.failures, 0, "another origin is another matter");
	breaker_look(&source, &back);
	is_int(back.failures, 0, "and so is the source as a whole");
	buf_init(&text, 4096);
	breaker_print(&b, &text);
	ok(breaker_parse(buf_span(&text), &back) && back.failures == 2 &&
			back.reason == LIVE_SOURCE_DOWN && back.open_until_ms == b.open_until_ms,
		"a record is read back");
	for (size_t len = 0; len < text.len; len++) {
		if (breaker_parse(span_make(text.ptr, len), &back) && len < text.len - 1)
			ok(false, "a record cut at %zu is none", len);
	}
	buf_release(&text);
	breaker_well(&of);
	breaker_look(&of, &b);
	is_int(b.failures, 0, "a success forgets it");
}

/* --- connections ------------------------------------------------------------------------------ */

static void slots(const struct conf *conf)
{
	static const struct conf_account two = {"", "me", "", 2}, any = {"x", "me", "", 0};
	static const struct conf_source source = {
		.name = "star", .url = "http://gw", .accounts = &two};
	static const struct conf_source same = {
		.name = "moon", .url = "http://gw", .accounts = &two};
	struct origin o = {.name = "star", .source = &source, .account = &two};
	struct origin p = {.name = "moon", .source = &same, .account = &two};
	struct origin free = {.name = "star/x", .source = &source, .account = &any};
	struct lease *a = NULL, *b = NULL, *c = NULL;
	struct slot_holders holders;
	struct lease_env s = {.dir = conf->run_dir, .owner_host = conf->host_name};
	struct fail f = {0};
	int status;
	pid_t pid;

	is_int(slot_take(&s, &o, "live-1", SLOT_READER, &a, NULL, &f), SLOT_MINE, "one is free");
	is_int(slot_take(&s, &o, "live-1", SLOT_RESOLVER, &c, NULL, &f), SLOT_SHARED,
		"the channel's resolver needs none of its own");
	is_int(slot_take(&s, &p, "moon.live-2", SLOT_RESOLVER, &b, NULL, &f), SLOT_MINE,
		"there is a second one");
	is_int(slot_take(&s, &o, "live-3", SLOT_READER, &c, &holders, &f), SLOT_FULL,
		"and no third, whichever section names the account");
	ok(holders.count == 2 && strcmp(holders.ids[0], "live-1") == 0 &&
			strcmp(holders.ids[1], "moon.live-2") == 0,
		"it is known who has them");
	is_int(slot_take(&s, &free, "live-3", SLOT_READER, &c, NULL, &f), SLOT_MINE,
		"an account without a limit has always one");
	ok(c == NULL, "which is nothing to hold");
	lease_drop(&b);
	pid = fork();
	if (pid == 0) {
		if (slot_take(&s, &o, "live-4", SLOT_READER, &b, NULL, &f) == SLOT_MINE)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status), "another process gets one");
	is_int(slot_take(&s, &o, "live-3", SLOT_READER, &b, NULL, &f), SLOT_MINE,
		"one that was held by a process that was killed is free at once");
	lease_drop(&a);
	lease_drop(&b);
}

/* --- viewers ---------------------------------------------------------------------------------- */

enum { A = 11, B = 22 };

static const struct {
	const char *what;
	struct viewer old[2];
	size_t old_count;
	struct viewer new[2];
	size_t new_count;
	bool gives_way;
} meetings[] = {
	{"nobody asks for it any more", {{0}}, 0, {{A, 90000, 99000}}, 1, true},
	{"nobody asks for either", {{0}}, 0, {{0}}, 0, false},
	{"another viewer waits", {{A, 50000, 99000}}, 1, {{B, 98000, 99000}}, 1, false},
	{"its only viewer has changed", {{A, 50000, 99000}}, 1, {{A, 99500, 99500}}, 1, true},
	{"so, with others waiting too", {{A, 50000, 99000}}, 1, {{B, 1, 99000}, {A, 99500, 99500}},
		2, true},
	{"one of two viewers has changed", {{A, 50000, 99000}, {B, 1, 99000}}, 2,
		{{A, 99500, 99500}}, 1, false},
	{"the older player of one viewer", {{A, 98000, 99000}}, 1, {{A, 50000, 99500}}, 1, false},
	{"who came back and left it", {{A, 98000, 96000}}, 1, {{A, 50000, 99500}}, 1, true},
};

static void viewers(const struct conf *conf)
{
	struct viewer seen[VIEWERS_MAX];
	uint64_t a = viewer_who(span_of("192.0.2.1"), span_of("VLC"));
	struct fail f = {0};
	char path[LIVE_PATH_BYTES];

	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		is_int(viewers_give_way(meetings[i].old, meetings[i].old_count, meetings[i].new,
			       meetings[i].new_count, 100000),
			meetings[i].gives_way, "%s: it %s", meetings[i].what,
			meetings[i].gives_way ? "ends" : "goes on");
	ok(a && a == viewer_who(span_of("192.0.2.1"), span_of("VLC")),
		"a viewer is the same again");
	ok(a != viewer_who(span_of("192.0.2.1"), span_of("mpv")) &&
			a != viewer_who(span_of("192.0.2.2"), span_of("VLC")),
		"another program or address is another");
	is_int(viewers_read(conf, "live-5", seen), 0, "at first there is nobody");
	viewers_note(conf, "live-5", a);
	viewers_note(conf, "live-5", a);
	is_int(viewers_read(conf, "live-5", seen), 1, "who asks twice is one viewer");
	ok(seen[0].who == a && seen[0].since_ms == seen[0].last_ms, "known since now");
	viewers_note(conf, "live-5", a + VIEWERS_MAX);
	is_int(viewers_read(conf, "live-5", seen), 2, "two that want the same place get two");
	for (uint64_t i = 1; i < 200; i++)
		viewers_note(conf, "live-5", i * 7919);
	is_int(viewers_read(conf, "live-5", seen), VIEWERS_MAX, "there are no more than many");
	live_path(conf, "live-5", "viewers", path);
	file_replace(path, span_of("nonsense"), 0600, &f);
	is_int(viewers_read(conf, "live-5", seen), 0, "a broken table is empty");
}

int main(void)
{
	char dir[] = "/tmp/sluice-supply-XXXXXX";
	struct conf conf = {.host_name = "host.example"};
	char command[64];

	conf.live_dir = conf.run_dir = mkdtemp(dir);
	breakers(&conf);
	slots(&conf);
	viewers(&conf);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(system(command) == 0, "cleared up");
	return tap_done();
}
