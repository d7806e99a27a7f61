/* t/unit/conf.c - the configuration: what is read, and the sentence for each mistake.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/settings.h"
#include "t/unit/tap.h"

struct place {
	char dir[100], path[120];
};

static int load(const struct place *p, const char *text, struct conf **c, struct fail *f)
{
	*f = (struct fail){0};
	*c = NULL;
	file_replace(p->path, span_of(text), 0600, f);
	return conf_load(c, p->path, NULL, f);
}

static void good(const struct place *p)
{
	struct conf *c;
	struct fail f;

	ok(load(p, "", &c, &f) == 0, "an empty file is a configuration");
	is_int(c->api_threads, 8, "of defaults");
	is_int(c->free_floor, (int64_t)512 << 20, "bytes among them");
	ok(c->access == ACCESS_OPEN && c->log_level == LOG_INFO, "and words");
	ok(*c->host_name, "the host has a name");
	is_str(c->path, p->path, "and the file's path is known");
	conf_close(&c);
	ok(!c, "closing takes the pointer");

	ok(load(p,
		   "# a comment\nstate_dir = /srv/sluice/\nlive_idle = 2min\nbytes_quota = \"3 "
		   "G\"\n"
		   "access = password\nlog_level = debug\nsite_name = \"Ours \\\"here\\\"\"\n"
		   "web_dir = pages\nmax_quality = 480p\n"
		   "source \"demo\" {\n  url = \"http://gw:8080\"\n  user = me\n  password = "
		   "secret\n"
		   "  connections = 3\n  allow = { \"127.0.0.1/32:8081-8082\", \"10.0.0.0/8\" "
		   "}\n}\n"
		   "source \"two\" { url = https://x group = g user_agent = \"VLC/3\" output = "
		   "m3u8\n"
		   "  account \"b\" { user = other password = pass connections = 2 } }\n"
		   "source \"three\" { type = m3u url = /etc/list.m3u }\n"
		   "channel \"live-8\" { ladder = \"1080p 480p\" }\n"
		   "category \"Radio\" { ladder = audio }\n",
		   &c, &f) == 0,
		"every type is read: %s", f.text);
	is_str(c->state_dir, "/srv/sluice", "a path, without the slash at its end");
	is_str(c->www_dir, "/srv/sluice/www", "and what follows from it");
	is_str(c->live_dir, "/srv/sluice/live", "unless it is set");
	is_int(c->live_idle_s, 120, "a time");
	is_int(c->bytes_quota, (int64_t)3 << 30, "bytes, with a blank before the unit");
	ok(c->access == ACCESS_PASSWORD && c->log_level == LOG_DEBUG, "words");
	is_str(c->site_name, "Ours \"here\"", "a text with quotes");
	ok(strncmp(c->web_dir, p->dir, strlen(p->dir)) == 0, "a path beside the file");
	is_int(c->source_count, 3, "and sources");
	is_int(c->sources[1].account_count, 2, "with further accounts");
	is_str(c->sources[1].accounts[1].name, "b", "that have names");
	is_int(c->sources[1].accounts[1].connections, 2, "and limits");
	is_int(c->sources[1].accounts[0].connections, 1, "a gateway's account has one connection");
	is_int(c->sources[2].accounts[0].connections, 0, "a list has no limit");
	is_str(c->sources[1].group, "g", "a group");
	is_str(c->sources[1].user_agent, "VLC/3", "a name of our own");
	is_str(c->sources[1].output, "m3u8", "what a gateway is asked for");
	is_str(c->sources[0].output, "ts", "which has a default");
	is_str(c->sources[0].accounts[0].password, "secret", "with a password");
	is_int(c->sources[0].allow_count, 2, "a list");
	is_str(c->sources[0].allow[1], "10.0.0.0/8", "in its order");
	is_int(c->sources[0].accounts[0].connections, 3, "a number");
	ok(conf_source(c, "two") == &c->sources[1] && !conf_source(c, "four"), "found by name");
	is_str(c->sources[1].type, "xtream", "the type has a default");
	is_str(conf_ladder(c, "live-8", "radio"), "1080p 480p", "a channel has its own ladder");
	is_str(conf_ladder(c, "live-9", "radio"), "audio", "or that of its category, in any case");
	is_str(conf_ladder(c, "live-9", ""), c->ladder, "or the usual one");
	is_str(c->all_rungs, "720p 480p 360p 240p audio 1080p",
		"a rung that one of them has is known");
	conf_close(&c);
}

static void mistakes(const struct place *p)
{
	static const struct {
		const char *text;
		int line;
		const char *want;
	} cases[] = {
		{"api_thread = 3\n", 1, "There is no setting api_thread; do you mean api_threads?"},
		{"\n\nlive_idle_s = 3\n", 3,
			"There is no setting live_idle_s; do you mean live_idle?"},
		{"qqqqqqqqqqqq = 3\n", 1, "There is no setting qqqqqqqqqqqq"},
		{"api_threads = 4\n\napi_threads = 5\n", 3,
			"api_threads is set twice, first in line 1"},
		{"api_threads = many\n", 1, "api_threads takes a number, not \"many\""},
		{"api_threads = 1.5\n", 1, "api_threads takes a number, not \"1.5\""},
		{"api_threads = -4\n", 1, "api_threads lies between 2 and 256, which -4 does not"},
		{"api_threads = 7s\n", 1, "api_threads takes a number, not \"7s\""},
		{"api_threads = 99999999999999999999\n", 1,
			"api_threads takes a number, not "
			"\"99999999999999999999\""},
		{"api_threads = \"\"\n", 1, "api_threads takes a number, not \"\""},
		{"live_idle = 30m\n", 1,
			"live_idle takes a number of seconds (or with s, min, h, d), not \"30m\""},
		{"live_idle = 1s\n", 1, "live_idle lies between 5 and 86400, which 1s does not"},
		{"live_idle = 9000000000000000000d\n", 1,
			"live_idle lies between 5 and 86400, which 9000000000000000000d does not"},
		{"bytes_quota = 10GB\n", 1,
			"bytes_quota takes a number of bytes (with k, M, G or T), not \"10GB\""},
		{"log_level = loud\n", 1,
			"log_level is one of: error warn info debug; not \"loud\""},
		{"default_quality = 721p\n", 1,
			"default_quality is one of: 144p 240p 360p 480p 720p 1080p source; not "
			"\"721p\""},
		{"site_name = \"a\\nb\"\n", 1, "site_name holds a control character"},
		{"site_colour = red\n", 1, "site_colour is written #rrggbb, not \"red\""},
		{"\nladder = \"720p 9p\"\n", 2,
			"The ladder names '9p'; there are 1080p, 720p, 480p, 360p, 240p and audio"},
		{"trusted_proxies = \"10.0.0.0/8 proxy\"\n", 1,
			"trusted_proxies takes ADDRESS or ADDRESS/BITS, not \"proxy\""},
		{"rate_factor = 0.0001\n", 1,
			"rate_factor takes a number with at most three digits behind the point, "
			"not "
			"\"0.0001\""},
		{"rate_factor = 0\n", 1,
			"rate_factor lies between 0.001 and 1000, which 0 does not"},
		{"public_url = \"ftp://x\"\n", 1,
			"public_url begins with http:// or https:// and ends without a slash, not "
			"\"ftp://x\""},
		{"source \"a\" { url = http://x }\nsource \"a\" { url = http://y }\n", 2,
			"There are two sources named a"},
		{"source { url = http://x }\n", 1,
			"A source needs a name: source \"NAME\" { ... }"},
		{"source \"a\" {\n ulr = http://x\n}\n", 2,
			"A source has no setting ulr; do you mean url?"},
		{"source \"a\" {\n url = http://x\nsite_name = x\n", 3,
			"A source has no setting site_name; is the } missing that ends the source "
			"before it?"},
		{"\xef\xbb\xbfsite_name = x\n", 1,
			"The file begins with a byte order mark; save it without one"},
		{"source \"a\" { }\n", 1, "Source a: url begins with http:// or https://"},
		{"source \"a\" { url = http://x\n type = tape }\n", 2,
			"Source a: there is no type \"tape\"; there are xtream, m3u, files, http "
			"and command"},
		{"source \"a\" { url = http://x\n output = rtmp }\n", 2,
			"Source a: there is no output \"rtmp\"; there are ts and m3u8"},
		{"source \"a\" { url = http://x connections = 0 }\n", 1,
			"Source a: connections lies between 1 and 1000"},
		{"source \"a\" { url = list.m3u type = m3u }\n", 1,
			"Source a: url begins with http:// or https://, or is the path of a file"},
		{"source \"a\" { url = http://x\n account \"b\" { connections = 2000 } }\n", 2,
			"Source a: connections lies between 1 and 1000"},
		{"source \"a\" { url = http://x\n account \"b/c\" { user = u } }\n", 2,
			"Source a: \"b/c\" cannot be an account's name"},
		{"source \"a\" { url = http://x\n account \"b\" { }\n account \"b\" { }\n}\n", 3,
			"There are two accounts named b"},
		{"source \"a\" { url = http://x allow = { 10.0.0.0/99 } }\n", 1,
			"Source a: allow takes ADDRESS/BITS, with :PORT or :PORT-PORT, not "
			"\"10.0.0.0/99\""},
		{"\nchannel \"vod-1\" { ladder = audio }\n", 2,
			"'vod-1' is no channel, such as live-8"},
		{"category \"Radio\" { ladder = loud }\n", 1,
			"The ladder names 'loud'; there are 1080p, 720p, 480p, 360p, 240p and "
			"audio"},
		{"source \"live-1\" { url = http://x }\n", 1,
			"\"live-1\" cannot be a source's name: 1 to 31 letters, digits, '-' and "
			"'_', "
			"and not like an id (live-)"},
		{"= 4\n", 1, "unexpected token '='"},
		{"site_name = \"never ends\n", 2, "premature end of file"},
	};
	struct conf *c;
	struct fail f;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[400];
		int result = load(p, cases[i].text, &c, &f);

		file_path(want, sizeof(want), "%s:%d: %s", p->path, cases[i].line, cases[i].want);
		want[sizeof(f.text) - 1] = '\0'; /* as every sentence is cut */
		ok(result == -1 && f.kind == FAIL_INPUT, "refused: %s", cases[i].want);
		is_str(f.text, want, "in a sentence with file and line");
		conf_close(&c);
	}
	ok(load(p, "\001\002binary\377", &c, &f) == -1 && *f.text, "bytes that are no text: %s",
		f.text);
}

/* One is told first, and all of them to who asks. */
static void many_mistakes(const struct place *p)
{
	static const char text[] = "site_colour = red\nlive_idl = 3\nlive_max = many\n"
				   "colour = { a, b }\nladder = 9p\n";
	static const char more[] =
		"site_colour = red\nlive_idl = 3\nlive_max = many\n"
		"source \"a\" {\n ulr = x\n url = y\n}\nladder = 9p\n"
		"source \"b\" { type = tape }\nchannel \"vod-1\" { lader = audio }\n"
		"access = none\nsite_name = x\nlive_max = 5\n";
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{"up to the one that leaves the rest without sense", text,
			":2: There is no setting live_idl; do you mean live_idle?\n"
			":3: live_max takes a number, not \"many\"\n"
			":4: There is no setting colour\n"
			":1: site_colour is written #rrggbb, not \"red\"\n"},
		{"of the file, of its sections, and of what belongs together", more,
			":2: There is no setting live_idl; do you mean live_idle?\n"
			":3: live_max takes a number, not \"many\"\n"
			":5: A source has no setting ulr; do you mean url?\n"
			":10: There is no setting lader; do you mean ladder?\n"
			":11: access is one of: open password; not \"none\"\n"
			":7: Source a: url begins with http:// or https://\n"
			":9: Source b: there is no type \"tape\"; there are xtream, m3u, files, "
			"http and command\n"
			":10: 'vod-1' is no channel, such as live-8\n"
			":8: The ladder names '9p'; there are 1080p, 720p, 480p, 360p, 240p and "
			"audio\n"
			":1: site_colour is written #rrggbb, not \"red\"\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest, line;
		struct buf all, got;
		struct conf *c;
		struct fail f;

		buf_init(&all, 10000);
		buf_init(&got, 10000);
		file_replace(p->path, span_of(cases[i].text), 0600, &f);
		is_int(conf_load(&c, p->path, &all, &f), -1, "all mistakes are told: %s",
			cases[i].name);
		rest = buf_span(&all);
		while (span_next(&rest, '\n', &line) && line.len)
			buf_printf(&got, "%.*s\n", (int)(line.len - strlen(p->path)),
				line.ptr + strlen(p->path));
		is_str(buf_str(&got), cases[i].want, "each in a line of its own");
		ok(span_starts(buf_span(&all), f.text), "the first is the one that counts");
		buf_release(&all);
		buf_release(&got);
	}
}

static void unreadable(const struct place *p)
{
	char path[200];
	struct conf *c = NULL;
	struct fail f;

	file_path(path, sizeof(path), "%s/none", p->dir);
	is_int(conf_load(&c, path, NULL, &f), -1, "a file that is missing is refused");
	ok(f.kind == FAIL_MISSING && strstr(f.text, "/none cannot be read: No such file"),
		"with the reason: %s", f.text);
	is_int(conf_load(&c, p->dir, NULL, &f), -1, "a directory too");
	ok(strstr(f.text, "is no file") != NULL, "with the reason: %s", f.text);
}

static void environment(const struct place *p)
{
	struct conf *c;
	struct fail f;
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	setenv("SLUICE_API_THREADS", "9", 1);
	setenv("SLUICE_LIVE_IDLE", "1h", 1);
	ok(load(p,
		   "api_threads = 4\nlive_max = 7\nadmin_token = hush\n"
		   "source \"a\" { url = http://x password = hush user = hush\n"
		   " account \"b\" { password = hush user = hush } }\n"
		   "source \"c\" { type = m3u url = \"http://x/get.php?password=hush\" }\n",
		   &c, &f) == 0,
		"variables are read: %s", f.text);
	is_int(c->api_threads, 9, "and win over the file");
	is_int(c->live_idle_s, 3600, "and over a default");
	to = open_memstream(&text, &size);
	conf_print(c, to);
	fclose(to);
	ok(strstr(text, "\napi_threads = 9  # environment\n") != NULL, "it is printed who said so");
	ok(strstr(text, "\nlive_idle = 3600  # seconds, environment\n") != NULL, "with the unit");
	ok(strstr(text, "\nrelay_threads = 64  # default\n") != NULL, "defaults are printed");
	ok(strstr(text, "conf:2\n") && strstr(text, "\nlive_max = 7  # "), "and lines of the file");
	ok(!strstr(text, "hush") && strstr(text, "admin_token = \"********\""), "secrets are not");
	free(text);
	conf_close(&c);
	setenv("SLUICE_API_THREADS", "x", 1);
	is_int(load(p, "", &c, &f), -1, "a bad variable is refused");
	is_str(f.text, "The variable SLUICE_API_THREADS: api_threads takes a number, not \"x\"",
		"by its name");
	unsetenv("SLUICE_API_THREADS");
	unsetenv("SLUICE_LIVE_IDLE");
}

/* The example is a configuration; with all its comments taken away it sets every default. */
static void example(const struct place *p)
{
	char *text = NULL, *man = NULL;
	size_t size = 0, man_size = 0;
	FILE *to = open_memstream(&text, &size);
	struct conf *c;
	struct fail f;
	struct buf bare;
	struct span rest, line;

	conf_print_example(to);
	fclose(to);
	ok(load(p, text, &c, &f) == 0, "the example is a configuration: %s", f.text);
	conf_close(&c);
	buf_init(&bare, 100000);
	rest = span_make(text, size);
	while (span_next(&rest, '\n', &line)) {
		if (line.len > 1 && line.ptr[0] == '#' && line.ptr[1] != ' ')
			line = span_make(line.ptr + 1, line.len - 1);
		if (span_starts(line, "source"))
			break;
		buf_add(&bare, line.ptr, line.len);
		buf_putc(&bare, '\n');
	}
	ok(load(p, buf_str(&bare), &c, &f) == 0, "and so are its settings: %s", f.text);
	is_int(c->api_threads, 8, "with the defaults");
	conf_close(&c);
	to = open_memstream(&man, &man_size);
	conf_print_man(to);
	fclose(to);
	for (size_t i = 0; i < setting_count; i++) {
		char item[80];

		file_path(item, sizeof(item), "\n.It Ic %s\n", settings[i].name);
		ok(strstr(man, item) && strstr(text, settings[i].name), "%s is in page and example",
			settings[i].name);
	}
	buf_release(&bare);
	free(text);
	free(man);
}

int main(void)
{
	struct place p = {"/tmp/sluice-conf-XXXXXX", ""};

	unsetenv("SLUICE_WEB_DIR"); /* the test suite's own */
	if (!mkdtemp(p.dir))
		return 99;
	file_path(p.path, sizeof(p.path), "%s/a.conf", p.dir);
	good(&p);
	mistakes(&p);
	many_mistakes(&p);
	unreadable(&p);
	environment(&p);
	example(&p);
	unlink(p.path);
	rmdir(p.dir);
	return tap_done();
}
