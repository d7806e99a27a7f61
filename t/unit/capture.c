/* t/unit/capture.c - programs that are run for what they print, however they behave.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/capture.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
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
	{"one that never ends", "echo begun; exec sleep 960.$1", 300, FAIL_TIMEOUT, "begun\n", ""},
	{"one that never ends to print", "exec yes", 5000, FAIL_UPSTREAM, NULL, ""},
	{"one that never ends to complain", "while :; do echo no >&2; done", 300, FAIL_TIMEOUT, "",
		NULL},
	{"one that complains as fast as it can", "exec yes no >&2", 300, FAIL_TIMEOUT, "", NULL},
	{"one whose child holds its output", "sleep 961.$1 & echo done", 5000, FAIL_NONE, "done\n",
		""},
	{"one whose child hides in a session", "setsid sleep 962.$1 & echo done", 5000, FAIL_NONE,
		"done\n", ""},
	{"one that ignores what is polite", "trap '' TERM INT; while :; do sleep 963.$1; done", 300,
		FAIL_TIMEOUT, "", ""},
#ifndef SANITIZED /* where memory is not limited */
	{"one that eats memory", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x$x$x; done", 10000,
		FAIL_UPSTREAM, "", NULL},
#endif
	{"one that reads", "cat; echo end", 5000, FAIL_NONE, "end\n", ""},
	{"one that looks around", "ls /proc/self/fd | wc -l; env | grep -c SECRET", 5000,
		FAIL_UPSTREAM, "4\n0\n", ""},
};

static char mark[24]; /* of what this run starts */

static bool is_running(int seconds)
{
	char command[100];

	snprintf(command, sizeof(command), "pgrep -f '^sleep 9%d.%s$' >/dev/null", seconds, mark);
	return system(command) == 0;
}

static bool await(bool (*is)(int arg), int arg, bool want)
{
	for (int i = 0; i < 1000 && is(arg) != want; i++)
		poll(NULL, 0, 10);
	return is(arg) == want;
}

static void run(size_t i, struct buf *out)
{
	const char *const argv[] = {"sh", "-c", cases[i].script, "sh", mark, NULL};
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

/* As a program that runs JavaScript does before it begins. */
static int reserve(void)
{
	void *room = mmap(NULL, (size_t)64 << 30, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	puts(room == MAP_FAILED ? "no room" : "reserved");
	return 0;
}

static void reserving(const char *self, struct buf *out)
{
	const char *const argv[] = {self, "reserve", NULL};
	struct capture c = {.argv = argv, .wait_ms = 5000, .memory_bytes = MEMORY, .out = out};
	struct fail f = {0};

	buf_clear(out);
	is_int(capture_run(&c, &f), 0, "one that reserves far more than it may use");
	is_str(buf_str(out), "reserved\n", "may do so: %s", f.text);
}

/* Who asked for it, or what leads it for them, is killed in the middle, as any process of ours may
 * be. */
static void killed(bool leader, struct buf *out)
{
	static const char script[] =
		"sleep 964.$1 & setsid sleep 965.$1 & (setsid sleep 966.$1 &); exec sleep 967.$1";
	const char *const argv[] = {"sh", "-c", script, "sh", mark, NULL};
	struct capture c = {.argv = argv, .wait_ms = 60000, .memory_bytes = MEMORY, .out = out};
	pid_t pid = fork();
	char command[100];
	int status;

	if (pid == 0)
		_exit(capture_run(&c, NULL) == 0);
	for (int s = 64; s <= 67; s++)
		ok(await(is_running, s, true), "sleep %d is started", s);
	snprintf(command, sizeof(command), "kill -KILL $(pgrep -P %d)", (int)pid);
	if (leader)
		is_int(system(command), 0, "what leads it is killed");
	else
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	is_int(status, leader ? 0 : SIGKILL, "who asked for it %s",
		leader ? "is told" : "is killed");
	for (int s = 64; s <= 67; s++)
		ok(await(is_running, s, false), "and all that it started ends: %d", s);
}

int main(int argc, char **argv)
{
	struct buf out;

	if (argc == 2 && strcmp(argv[1], "reserve") == 0)
		return reserve();

	snprintf(mark, sizeof(mark), "%d", (int)getpid());
	setenv("SECRET", "x", 1);
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(i, &out);
	words(&out);
	reserving(argv[0], &out);
	for (int s = 60; s <= 63; s++)
		ok(!is_running(s), "nothing is left of sleep %d", s);
	killed(false, &out);
	killed(true, &out);
	buf_release(&out);
	return tap_done();
}
