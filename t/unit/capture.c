/* t/unit/capture.c - programs that are run for what they print, however they behave.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/capture.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/clock.h"
#include "lib/base/span.h"
#include "t/unit/tap.h"

enum { OUT_MAX = 100000, MEMORY = 512 << 20 };

static const struct {
	const char *name, *script;
	int64_t wait_ms;
	int want; /* enum fail_kind */
	const char *out, *said;
} cases[] = {
	{"one that says something", "echo hello", 5000, FAIL_NONE, "hello\n", ""},
	{"one that says it on both", "echo hello; echo warning >&2", 5000, FAIL_NONE, "hello\n",
		"warning"},
	{"one that says nothing", "exit 0", 5000, FAIL_NONE, "", ""},
	{"one that fails", "echo half; echo 'ERROR: no such video' >&2; exit 1", 5000,
		FAIL_UPSTREAM, "half\n", "ERROR: no such video"},
	{"one whose words hold addresses",
		"echo 'cannot get https://u:p@h/x of u@h now' >&2; exit 1", 5000, FAIL_UPSTREAM, "",
		"cannot get of now"},
	{"one that dies as Perl does", "exit 255", 5000, FAIL_UPSTREAM, "", ""},
	{"one that crashes", "kill -SEGV $$", 5000, FAIL_UPSTREAM, "", ""},
	{"one that never ends", "echo begun; exec sleep 60", 300, FAIL_TIMEOUT, "begun\n", ""},
	{"one that never ends to print", "exec yes", 5000, FAIL_UPSTREAM, NULL, ""},
	{"one that never ends to complain", "while :; do echo no >&2; done", 300, FAIL_TIMEOUT, "",
		NULL},
	{"one whose child holds its output", "sleep 61 & echo done", 5000, FAIL_NONE, "done\n", ""},
	{"one whose child hides in a session", "setsid sleep 62 & echo done", 5000, FAIL_NONE,
		"done\n", ""},
	{"one that ignores what is polite", "trap '' TERM INT; while :; do sleep 63; done", 300,
		FAIL_TIMEOUT, "", ""},
#ifndef SANITIZED /* where memory is not limited */
	{"one that eats memory", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x$x$x; done", 10000,
		FAIL_UPSTREAM, "", NULL},
#endif
	{"one that reads", "cat; echo end", 5000, FAIL_NONE, "end\n", ""},
	{"one that looks around", "ls /proc/self/fd | wc -l; env | grep -c SECRET", 5000,
		FAIL_UPSTREAM, "4\n0\n", ""},
};

static bool is_running(const char *seconds)
{
	char command[100];

	snprintf(command, sizeof(command), "pgrep -f '^sleep %s$' >/dev/null", seconds);
	return system(command) == 0;
}

static void run(size_t i, struct buf *out)
{
	const char *const argv[] = {"sh", "-c", cases[i].script, NULL};
	struct capture c = {
		.argv = argv, .wait_ms = cases[i].wait_ms, .memory_bytes = MEMORY, .out = out};
	int64_t began_ms = clock_mono_ms();
	struct fail f = {0};

	buf_clear(out);
	is_int(capture_run(&c, &f), cases[i].want ? -1 : 0, "%s", cases[i].name);
	is_int(f.kind, cases[i].want, "is what it is: %s", f.text);
	if (cases[i].out)
		is_str(buf_str(out), cases[i].out, "what it printed is had");
	else
		ok(out->len <= OUT_MAX, "and it is stopped");
	if (cases[i].said)
		is_str(c.said, cases[i].said, "and what it said beside");
	ok(clock_mono_ms() - began_ms < cases[i].wait_ms + 5000, "in time");
}

static void words(struct buf *out)
{
	const char *const argv[] = {
		"printf", "[%s]", "--", "a b", "$(id)", "`id`", ";id", "'\"", "*", NULL};
	const char *const missing[] = {"/no/such/program", NULL};
	struct capture c = {.argv = argv, .wait_ms = 5000, .memory_bytes = MEMORY, .out = out};
	struct fail f = {0};

	buf_clear(out);
	is_int(capture_run(&c, &f), 0, "no shell looks at the words");
	is_str(buf_str(out), "[--][a b][$(id)][`id`][;id]['\"][*]", "they arrive as they are");
	c.argv = missing;
	is_int(capture_run(&c, &f), -1, "one that is not there");
	is_int(f.kind, FAIL_UPSTREAM, "is an upstream that fails: %s", f.text);
}

int main(void)
{
	struct buf out;

	setenv("SECRET", "x", 1);
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(i, &out);
	words(&out);
	for (int s = 60; s <= 63; s++) {
		char seconds[8];

		snprintf(seconds, sizeof(seconds), "%d", s);
		ok(!is_running(seconds), "nothing is left of sleep %s", seconds);
	}
	buf_release(&out);
	return tap_done();
}
