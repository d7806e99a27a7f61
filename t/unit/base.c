/* t/unit/base.c - text, numbers, memory, failures, clock and log.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fail.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/span.h"
#include "t/unit/tap.h"

static void numbers(void)
{
	static const struct {
		const char *text;
		int64_t min, max;
		bool good;
		int64_t want;
	} cases[] = {
		{"0", 0, 9, true, 0},
		{"007", 0, 9, true, 7},
		{"10", 0, 9, false, 0},
		{"-1", 0, 9, false, 0},
		{"-1", -1, 9, true, -1},
		{"", 0, 9, false, 0},
		{"-", -9, 9, false, 0},
		{"+1", 0, 9, false, 0},
		{" 1", 0, 9, false, 0},
		{"1x", 0, 9, false, 0},
		{"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
		{"9223372036854775808", 0, INT64_MAX, false, 0},
		{"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
		{"99999999999999999999999", 0, INT64_MAX, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = 77;
		bool good = num_parse(span_of(cases[i].text), cases[i].min, cases[i].max, &got);
		ok(good == cases[i].good, "number '%s' is %s", cases[i].text,
			cases[i].good ? "read" : "refused");
		is_int(got, cases[i].good ? cases[i].want : 77,
			"number '%s' gives its value or nothing", cases[i].text);
	}

	int64_t sum = 5;
	ok(!num_add(INT64_MAX, 1, &sum) && sum == 5, "a sum that would wrap is refused");
	ok(!num_mul(INT64_MAX, 2, &sum) && sum == 5, "a product that would wrap is refused");

	char hex[9];
	num_print_hex("\x00\xff\x1a\xb2", 4, hex);
	is_str(hex, "00ff1ab2", "bytes are printed as hexadecimal digits");
	uint64_t value = 0;
	ok(num_parse_hex(span_of("Ff1a"), UINT64_MAX, &value) && value == 0xff1a,
		"hexadecimal digits of either case are read");
	ok(!num_parse_hex(span_of("11112222333344445"), UINT64_MAX, &value),
		"more than 64 bits of them are refused");
}

static void texts(void)
{
	struct span rest = span_of("a,,b"), part;
	char small[3];

	ok(span_next(&rest, ',', &part) && span_is(part, "a"), "the first part");
	ok(span_next(&rest, ',', &part) && part.len == 0, "an empty part is a part");
	ok(span_next(&rest, ',', &part) && span_is(part, "b"), "the last part");
	ok(!span_next(&rest, ',', &part), "then there is none");
	ok(span_is(span_trim(span_of(" \t x y\t ")), "x y"), "blanks at the ends go");
	ok(span_is_nocase(span_of("BeArer"), "bearer"), "case may be folded");
	ok(span_starts(span_of("live-8"), "live-") && !span_starts(span_of("li"), "live-"),
		"prefix");
	ok(span_ends(span_of("1.ts"), ".ts") && !span_ends(span_of("s"), ".ts"), "suffix");
	ok(span_copy(span_of("ab"), small, sizeof(small)), "what fits is copied");
	ok(!span_copy(span_of("abc"), small, sizeof(small)) && !*small, "what does not fit is not");
	ok(!span_copy(span_make("a\0", 2), small, sizeof(small)), "a NUL inside is refused");
}

static void memory(void)
{
	struct arena a;
	struct buf b;

	arena_init(&a, 20000);
	is_str(arena_printf(&a, "%s-%d", "live", 8), "live-8", "an arena prints");
	ok(arena_alloc(&a, 15000) != NULL, "a piece above the block size fits");
	ok(arena_alloc(&a, 15000) == NULL && a.full,
		"past its maximum it gives nothing and says so");
	arena_reset(&a);
	ok(!a.full && a.used == 0, "after a reset it is empty");
	ok(arena_copy(&a, span_of("x")) != NULL, "and gives again");
	arena_release(&a);

	buf_init(&b, 10);
	is_str(buf_str(&b), "", "an empty buffer is the empty string");
	ok(buf_printf(&b, "%d", 12345) && buf_puts(&b, "67890"),
		"a buffer takes up to its maximum");
	ok(!buf_putc(&b, 'x') && b.failed, "and no byte more");
	is_str(buf_str(&b), "1234567890", "what was there stays");
	buf_drop(&b, 4);
	is_str(buf_str(&b), "567890", "the front can be dropped");
	buf_release(&b);
}

static void failures(void)
{
	struct fail f;
	char longest[500];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	is_int(fail_set(&f, FAIL_BUSY, "%s", longest), -1, "setting a failure gives -1");
	is_int(strlen(f.text), sizeof(f.text) - 1, "a long sentence is cut");
	is_int(fail_set(NULL, FAIL_BUSY, "x"), -1, "nobody need listen");
	fail_errno(&f, FAIL_INTERNAL, 2, "%s", longest);
	ok(strstr(f.text, ": No such file or directory") != NULL, "the system's words are kept");
	is_str(fail_name(FAIL_UPSTREAM), "upstream", "kinds have names");
}

static void moved_clock(void)
{
	char path[] = "/tmp/sluice-clock-XXXXXX";
	int fd = mkstemp(path);
	int64_t ms = 3600000, before = clock_real_ms();

	ok(write(fd, &ms, sizeof(ms)) == sizeof(ms), "a clock file can be written");
	setenv("SLUICE_CLOCK", path, 1);
	clock_init();
	ok(clock_real_ms() - before >= 3600000, "the clock is moved");
	ms = 7200000;
	ok(pwrite(fd, &ms, sizeof(ms), 0) == sizeof(ms), "and moved again");
	ok(clock_real_ms() - before >= 7200000, "which is seen at once");
	close(fd);
	unlink(path);
}

static void log_lines(void)
{
	char path[] = "/tmp/sluice-log-XXXXXX", text[8192] = "";
	int fd = mkstemp(path);
	char longest[6000];
	struct fail f;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	is_int(log_open(path, LOG_INFO, &f), 0, "a log file opens");
	log_role("unit");
	log_info("went", LOG_STR("name", "a\nb \"c\""), LOG_INT("n", -5), LOG_STR("none", NULL));
	log_debug("hidden", LOG_INT("n", 1));
	ok(read(fd, text, sizeof(text) - 1) > 0, "a line was written");
	ok(strstr(text, " went name=\"a\\x0ab \\\"c\\\"\" n=-5 none=-\n") != NULL,
		"values are escaped, so that none can forge a line");
	ok(strstr(text, "hidden") == NULL, "what lies below the level is dropped");
	log_info("seen", LOG_STR("a", "Zo\xc3\xab-\xe4\xb8\xad"),
		LOG_STR("b", "x\xc2\x9b"
			     "31m"),
		LOG_STR("c", "y\x9b"
			     "31m\x1b[0m\xc3"));
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	ok(strstr(text, " a=Zo\xc3\xab-\xe4\xb8\xad b=\"x\\xc2\\x9b31m\" "
			"c=\"y\\x9b31m\\x1b[0m\\xc3\"\n") != NULL,
		"letters stay, what would give orders to a terminal does not");
	log_info("long", LOG_STR("x", longest));
	n = read(fd, text, sizeof(text) - 1);
	ok(n > 0 && n <= 4096 && text[n - 1] == '\n', "a long line is cut and still ends");
	is_int(log_open("/dev/null/x", LOG_INFO, &f), -1, "a log that cannot be opened is said");
	close(fd);
	unlink(path);
}

int main(void)
{
	numbers();
	texts();
	memory();
	failures();
	moved_clock();
	log_lines();
	return tap_done();
}
