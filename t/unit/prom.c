/* t/unit/prom.c - figures as Prometheus reads them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/prom.h"
#include "t/unit/tap.h"

static void accepts(void)
{
	static const struct {
		const char *accept;
		bool open;
	} cases[] = {
		{NULL, false},
		{"", false},
		{"*/*", false},
		{"text/html,application/xhtml+xml,*/*;q=0.8", false},
		{"text/plain;version=0.0.4", false},
		{"application/openmetrics-text", true},
		{"Application/OpenMetrics-Text; version=1.0.0", true},
		{"application/openmetrics-text;version=1.0.0;q=0.5,"
		 "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,"
		 "*/*;q=0.1",
			true},
		{"application/openmetrics-text;q=0.3, text/plain;q=0.5", false},
		{"application/openmetrics-text;q=0.5, text/plain;q=0.5", false},
		{"application/openmetrics-text;q=0", false},
		{"application/openmetrics-text;q=0.000", false},
		{"application/openmetrics-text;q=0.001", true},
		{"application/openmetrics-text;q=what", false},
		{"xapplication/openmetrics-text", false},
		{";;,,;q=,application/openmetrics-text;", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(prom_wants_open(cases[i].accept), cases[i].open, "Accept: %s",
			cases[i].accept ? cases[i].accept : "(none)");
}

static void numbers(void)
{
	static const struct {
		int64_t value, divisor;
		const char *want;
	} cases[] = {
		{0, 1, "m 0\n"},
		{INT64_MAX, 1, "m 9223372036854775807\n"},
		{-5, 1, "m -5\n"},
		{-5, 1000, "m -0.005\n"},
		{INT64_MIN, 1000, "m -9223372036854775.808\n"},
		{1234567, 1000000, "m 1.234567\n"},
		{1000000, 1000000, "m 1.000000\n"},
		{7, 1000000, "m 0.000007\n"},
	};
	struct prom p;
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prom_begin(&p, &b, false);
		prom_metric(&p, "m", PROM_GAUGE, cases[i].divisor, "A help.");
		buf_clear(&b);
		prom_sample(&p, NULL, 0, cases[i].value);
		is_str(buf_str(&b), cases[i].want, "%lld by %lld", (long long)cases[i].value,
			(long long)cases[i].divisor);
	}
	buf_release(&b);
}

static void labels(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{"plain", "m{x=\"plain\"} 1\n"},
		{"", "m{x=\"\"} 1\n"},
		{"a \"b\" c", "m{x=\"a \\\"b\\\" c\"} 1\n"},
		{"back\\slash", "m{x=\"back\\\\slash\"} 1\n"},
		{"two\nlines", "m{x=\"two\\nlines\"} 1\n"},
		{"\\\"\n", "m{x=\"\\\\\\\"\\n\"} 1\n"},
		{"{},=# \t\xc3\xa9", "m{x=\"{},=# \t\xc3\xa9\"} 1\n"},
	};
	struct prom p;
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prom_label label = {"x", cases[i].value};

		prom_begin(&p, &b, false);
		prom_metric(&p, "m", PROM_GAUGE, 1, "A help.");
		buf_clear(&b);
		prom_sample(&p, &label, 1, 1);
		is_str(buf_str(&b), cases[i].want, "a label of %zu", i);
	}
	buf_release(&b);
}

static void whole(void)
{
	static const char *const bounds[] = {"0.5", "1.0"};
	static const int64_t counts[] = {3, 0, 2};
	static const char *const want[] = {
		"# HELP a_total How many.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 5\n"
		"# HELP d_seconds How long.\n# TYPE d_seconds histogram\n"
		"d_seconds_bucket{x=\"1\",le=\"0.5\"} 3\nd_seconds_bucket{x=\"1\",le=\"1.0\"} 3\n"
		"d_seconds_bucket{x=\"1\",le=\"+Inf\"} 5\nd_seconds_count{x=\"1\"} 5\n"
		"d_seconds_sum{x=\"1\"} 2.500\n",
		"# HELP a How many.\n# TYPE a counter\na_total{x=\"1\",y=\"2\"} 5\n"
		"# HELP d_seconds How long.\n# TYPE d_seconds histogram\n"
		"d_seconds_bucket{x=\"1\",le=\"0.5\"} 3\nd_seconds_bucket{x=\"1\",le=\"1.0\"} 3\n"
		"d_seconds_bucket{x=\"1\",le=\"+Inf\"} 5\nd_seconds_count{x=\"1\"} 5\n"
		"d_seconds_sum{x=\"1\"} 2.500\n# EOF\n",
	};
	struct prom_label two[] = {{"x", "1"}, {"y", "2"}};
	struct prom p;
	struct buf b;

	buf_init(&b, 4096);
	for (int open = 0; open < 2; open++) {
		buf_clear(&b);
		prom_begin(&p, &b, open);
		prom_metric(&p, "a", PROM_COUNTER, 1, "How many.");
		prom_sample(&p, two, 2, 5);
		prom_metric(&p, "d_seconds", PROM_HISTOGRAM, 1000, "How long.");
		prom_histogram(&p, two, 1, bounds, counts, 3, 2500);
		prom_end(&p);
		is_str(buf_str(&b), want[open], "%s", open ? "OpenMetrics" : "text");
	}
	buf_release(&b);
}

int main(void)
{
	accepts();
	numbers();
	labels();
	whole();
	return tap_done();
}
