/* t/unit/publish.c - what is published is whole, never changed, and ends when its life does.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"
#include "t/unit/tap.h"

static char top[] = "/tmp/sluice-publish-XXXXXX";

static void names(void)
{
	static const struct {
		const char *name;
		bool good;
	} cases[] = {
		{"a", true},	   {"a/b.ts", true}, {"tv/live-8/0123/720p/12.ts", true},
		{"", false},	   {"/a", false},    {"a/", false},
		{"a//b", false},   {".", false},     {"..", false},
		{"a/../b", false}, {".a", false},    {"a/.tmp", false},
		{"a b", false},	   {"a%2fb", false}, {"\xc3\xa9", false},
		{"a\nb", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(publish_name_ok(span_of(cases[i].name)) == cases[i].good, "'%s' is %s",
			cases[i].name, cases[i].good ? "a name" : "none");
}

static const char *content(const char *path)
{
	static struct buf text;

	buf_release(&text);
	buf_init(&text, 4096);
	return file_read(path, &text, NULL) == 0 ? buf_str(&text) : NULL;
}

static void files(struct publisher *p, struct board *b, const struct conf *conf)
{
	char path[4200], lives[4200];
	int64_t now_s = clock_real_ms() / 1000;
	struct fail f = {0};
	struct stat st;

	is_int(publish_bytes(p, PUBLISH_WWW, "a/b/c.txt", span_of("first"), 100, 0, &f), PUBLISH_OK,
		"a file is published");
	file_path(path, sizeof(path), "%s/a/b/c.txt", conf->www_dir);
	is_str(content(path), "first", "with its bytes");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0644, "readable for all");
	ok(st.st_mtim.tv_nsec == 0 && st.st_mtim.tv_sec <= now_s + 1, "changed in a whole second of the past");
	ok(st.st_atim.tv_sec >= now_s + 100, "its life stands in its access time");
	file_path(lives, sizeof(lives), "%s/lives/%lld", conf->state_dir,
		(long long)((now_s + 159) / 60));
	ok(content(lives) && strstr(content(lives), "www\ta/b/c.txt\n"), "and among the lives that end");
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 5, "its bytes are counted");

	is_int(publish_bytes(p, PUBLISH_WWW, "a/b/c.txt", span_of("second"), 500, 0, &f), PUBLISH_OK,
		"published again it is fine");
	is_str(content(path), "first", "but never changed");
	ok(stat(path, &st) == 0 && st.st_atim.tv_sec >= now_s + 500, "its life is longer now");
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 5, "and it counts once");
	ok(!publish_remove(p, PUBLISH_WWW, "a/b/c.txt", now_s + 200), "it does not end before that");
	ok(publish_remove(p, PUBLISH_WWW, "a/b/c.txt", now_s + 501), "it ends then");
	file_path(path, sizeof(path), "%s/a", conf->www_dir);
	ok(stat(path, &st) < 0, "with the directories that it leaves empty");
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 0, "and counts no longer");
	ok(publish_remove(p, PUBLISH_WWW, "a/b/c.txt", 0), "what is gone is gone");
}

static void links(struct publisher *p, const struct conf *conf)
{
	char from[4200], to[4200];
	struct fail f = {0};
	struct stat st;

	file_path(from, sizeof(from), "%s/work/seg.ts", conf->live_dir);
	file_path(to, sizeof(to), "%s/work", conf->live_dir);
	file_mkdirs(to, 0700, &f);
	file_replace(from, span_of("segment"), 0600, &f);
	is_int(publish_link(p, PUBLISH_LIVE, from, "live-1/r/1.ts", 60, &f), PUBLISH_OK,
		"a finished file is published by a link");
	file_path(to, sizeof(to), "%s/pub/live-1/r/1.ts", conf->live_dir);
	is_str(content(to), "segment", "with its bytes");
	ok(stat(to, &st) == 0 && st.st_nlink == 2, "which are not copied");
	is_int(publish_link(p, PUBLISH_LIVE, "/nonexistent", "live-1/r/2.ts", 60, &f), PUBLISH_FAILED,
		"one that is not there is a failure");
}

static void attacks(struct publisher *p, const struct conf *conf)
{
	char path[4200], outside[4200];
	struct fail f = {0};
	struct stat st;

	file_path(outside, sizeof(outside), "%s/outside", top);
	mkdir(outside, 0755);
	file_path(path, sizeof(path), "%s/evil", conf->www_dir);
	ok(symlink(outside, path) == 0, "where a directory's name is a link out of the store");
	is_int(publish_bytes(p, PUBLISH_WWW, "evil/x.txt", span_of("x"), 60, 0, &f), PUBLISH_FAILED,
		"nothing is published through it");
	file_path(path, sizeof(path), "%s/x.txt", outside);
	ok(stat(path, &st) < 0, "and nothing is written there");
	file_replace(path, span_of("mine"), 0644, &f);
	publish_remove(p, PUBLISH_WWW, "evil/x.txt", 0);
	is_str(content(path), "mine", "nor removed");
}

static void full(struct publisher *p, struct board *b, const struct conf *conf)
{
	struct fail f = {0};

	board_set(b, BOARD_PUBLISHED_BYTES, conf->bytes_quota);
	ok(publish_room(conf, b) <= 0, "at the quota there is no room");
	is_int(publish_bytes(p, PUBLISH_WWW, "q.txt", span_of("x"), 60, 0, &f), PUBLISH_FULL,
		"and nothing more is kept");
	is_int(f.kind, FAIL_BUSY, "which is said");
	board_set(b, BOARD_PUBLISHED_BYTES, 0);
}

int main(void)
{
	char conf_path[200], board_path[200], text[400];
	struct publisher *p = NULL;
	struct board *b = NULL;
	struct conf *conf = NULL;
	struct fail f = {0};

	names();
	if (!mkdtemp(top))
		return 1;
	snprintf(conf_path, sizeof(conf_path), "%s/sluice.conf", top);
	snprintf(board_path, sizeof(board_path), "%s/board", top);
	snprintf(text, sizeof(text), "state_dir = \"%s/state\"\nrun_dir = \"%s/run\"\nfree_floor = 0\n", top,
		top);
	file_replace(conf_path, span_of(text), 0600, &f);
	is_int(conf_load(&conf, conf_path, &f), 0, "a configuration is read: %s", f.text);
	is_int(board_open(&b, board_path, &f), 0, "a board is opened: %s", f.text);
	is_int(publish_open(&p, conf, b, &f), 0, "the stores are opened: %s", f.text);
	files(p, b, conf);
	links(p, conf);
	attacks(p, conf);
	full(p, b, conf);
	publish_close(&p);
	board_close(&b);
	conf_close(&conf);
	snprintf(text, sizeof(text), "rm -rf '%s'", top);
	return system(text) == 0 ? tap_done() : 1;
}
