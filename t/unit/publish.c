/* t/unit/publish.c - published files, their lives, and what stands against them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/lives.h"
#include "lib/svc/publish.h"
#include "lib/svc/store.h"
#include "lib/svc/temporary.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

/* How many lists of lives/ or made/ have that line. */
static int lists_with(
	const struct place *at, const char *where, const char *store, const char *name)
{
	struct lives_reader r;
	struct span word, text;
	char path[96];
	int64_t *minutes;
	int found = 0, dir;

	file_path(path, sizeof(path), "%s/%s", at->dir, where);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	size_t count = lives_list(dir, &minutes);
	for (size_t i = 0; i < count; i++) {
		bool has = false;
		if (lives_open(&r, dir, minutes[i]) != LIVES_OPEN)
			continue;
		while (lives_next(&r, &word, &text))
			has |= span_is(word, store) && span_is(text, name);
		lives_close(&r, false);
		found += has;
	}
	free(minutes);
	close(dir);
	return found;
}

/* --- names ------------------------------------------------------------------------------------ */

static void names(void)
{
	static const struct {
		const char *name;
		bool good;
	} cases[] = {
		{"a", true},
		{"web/0123/player.min.js", true},
		{"live-8/0f/720p/12.ts", true},
		{"A-Z_a.z/0-9", true},
		{"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", true},
		{"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", false},
		{"", false},
		{"/", false},
		{"/a", false},
		{"a/", false},
		{"a//b", false},
		{".", false},
		{"..", false},
		{"a/../b", false},
		{"a/./b", false},
		{".hidden", false},
		{"a/.tmp-x", false},
		{"a b", false},
		{"a\tb", false},
		{"a\nb", false},
		{"a%2fb", false},
		{"a\\b", false},
		{"a?b", false},
		{"a:b", false},
		{"a~", false},
		{"\xc3\xa4", false},
	};
	char part[300], longest[1100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(publish_name_ok(span_of(cases[i].name)) == cases[i].good, "the name '%s' is %s",
			cases[i].name, cases[i].good ? "good" : "refused");
	ok(!publish_name_ok(span_make("a\0b", 3)), "a NUL is refused");
	memset(part, 'x', sizeof(part));
	ok(publish_name_ok(span_make(part, 255)), "a part of 255 bytes is good");
	ok(!publish_name_ok(span_make(part, 256)), "one of 256 is refused");
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 100 == 99 ? '/' : 'x';
	ok(publish_name_ok(span_make(longest, 999)), "a name of 999 bytes is good");
	ok(!publish_name_ok(span_make(longest, 1001)), "one of 1001 is refused");
}

/* --- publishing ------------------------------------------------------------------------------- */

static void one_file(struct place *at)
{
	int64_t before_s = clock_real_ms() / 1000;
	struct fail f = {0};
	struct stat st;

	umask(077);
	is_int(put(at, "web/1/a.css", "body {}", 3600), PUBLISH_OK, "bytes are published");
	umask(022);
	is_str(text_of(at, "www/web/1/a.css"), "body {}", "as they were");
	ok(in_www(at, "web/1/a.css", &st), "under their name");
	is_int(st.st_mode & 0777, 0644, "readable by all, whatever the umask is");
	is_int(st.st_nlink, 1, "with one name");
	ok(st.st_mtim.tv_nsec == 0 && st.st_mtim.tv_sec >= before_s &&
			st.st_mtim.tv_sec <= clock_real_ms() / 1000,
		"Last-Modified is a whole second and not in the future");
	ok(publish_end_s(&st) >= before_s + 3600, "the end of its life is known from the file");
	ok(in_www(at, "web/1", &st) && (st.st_mode & 0755) == 0755, "its directories can be read");
	is_int(lists_with(at, "lives", "www", "web/1/a.css"), 1, "its death is on a list");
	is_int(lists_with(at, "made", "www", "web/1/a.css"), 1, "and so is its birth");
	is_int(board_get(at->board, BOARD_PUBLISHED_BYTES), 7, "its bytes are counted");
	is_int(board_get(at->board, BOARD_PUBLISHED_FILES), 1, "and so is the file");

	publish_bytes(at->publisher, PUBLISH_WWW, "b", span_of("x"), 60, 1000000000, &f);
	ok(in_www(at, "b", &st) && st.st_mtim.tv_sec == 1000000000, "a time of old is kept");
	publish_bytes(at->publisher, PUBLISH_WWW, "c", span_of("x"), 60, INT64_C(9999999999), &f);
	ok(in_www(at, "c", &st) && st.st_mtim.tv_sec <= clock_real_ms() / 1000,
		"one in the future becomes now");
	is_int(put(at, "empty", "", 60), PUBLISH_OK, "nothing can be published, too");
	is_int(put(at, "../x", "x", 60), PUBLISH_FAILED, "a bad name is refused");
	is_int(shell("test -z \"$(find . -name '.tmp*')\"", at->dir), 0, "nothing is left over");
}

static void again(struct place *at)
{
	int64_t bytes = board_get(at->board, BOARD_PUBLISHED_BYTES);
	struct stat st, now;

	in_www(at, "web/1/a.css", &st);
	is_int(put(at, "web/1/a.css", "other", 60), PUBLISH_OK, "publishing again is fine");
	is_str(text_of(at, "www/web/1/a.css"), "body {}", "and changes no byte");
	in_www(at, "web/1/a.css", &now);
	ok(now.st_ino == st.st_ino && now.st_mtim.tv_sec == st.st_mtim.tv_sec, "nor the file");
	is_int(publish_end_s(&now), publish_end_s(&st), "a life never becomes shorter");
	is_int(board_get(at->board, BOARD_PUBLISHED_BYTES), bytes, "it is not counted twice");
	put(at, "web/1/a.css", "other", 3650);
	is_int(lists_with(at, "lives", "www", "web/1/a.css"), 1, "a little more life is no matter");
	put(at, "web/1/a.css", "other", 86400);
	in_www(at, "web/1/a.css", &now);
	ok(publish_end_s(&now) >= publish_end_s(&st) + 80000, "much more is given");
	is_int(lists_with(at, "lives", "www", "web/1/a.css"), 2, "with a line of its own");
	ok(!publish_remove(at->publisher, PUBLISH_WWW, "web/1/a.css", publish_end_s(&st)),
		"so the first line's hour does not end it");
	ok(publish_remove(at->publisher, PUBLISH_WWW, "web/1/a.css", publish_end_s(&now)),
		"and the last one's does");
	ok(!in_www(at, "web", &st), "with the directories that it leaves empty");
	ok(in_www(at, "b", &st), "but no others");
	is_int(board_get(at->board, BOARD_PUBLISHED_BYTES), bytes - 7, "and is counted off");
}

static void linking(struct place *at)
{
	char path[128], other[128];
	struct fail f = {0};
	struct stat st, from;

	file_path(path, sizeof(path), "%s/1.ts", at->live);
	file_path(other, sizeof(other), "%s/link", at->live);
	file_replace(path, span_of("GGGG"), 0600, &f);
	is_int(publish_link(at->publisher, PUBLISH_LIVE, path, "live-8/r/720p/1.ts", 60, &f),
		PUBLISH_OK, "a finished file is published by a link");
	stat(path, &from);
	file_path(other, sizeof(other), "%s/pub/live-8/r/720p/1.ts", at->live);
	ok(stat(other, &st) == 0 && st.st_ino == from.st_ino, "which is the same file");
	ok((st.st_mode & 0777) == 0644 && st.st_mtim.tv_nsec == 0, "with mode and time of all");
	is_int(lists_with(at, "lives", "live", "live-8/r/720p/1.ts"), 1, "its death is on a list");
	is_int(lists_with(at, "made", "live", "live-8/r/720p/1.ts"), 0, "it is never evicted");
	is_int(publish_link(at->publisher, PUBLISH_LIVE, path, "live-8/r/720p/1.ts", 60, &f),
		PUBLISH_OK, "again is fine");

	file_path(other, sizeof(other), "%s/link", at->live);
	is_int(symlink("/etc/passwd", other), 0, "an encoder that is not ours any more may link");
	is_int(publish_link(at->publisher, PUBLISH_LIVE, other, "live-8/r/720p/2.ts", 60, &f),
		PUBLISH_FAILED, "but what a link names is not published");
	is_int(f.kind, FAIL_MISSING, "and is said to be missing");
	unlink(other);
	is_int(mkfifo(other, 0600), 0, "nor can it");
	is_int(publish_link(at->publisher, PUBLISH_LIVE, other, "live-8/r/720p/2.ts", 60, &f),
		PUBLISH_FAILED, "make us wait with a pipe");
	is_int(publish_link(at->publisher, PUBLISH_LIVE, at->www, "live-8/r/720p/2.ts", 60, &f),
		PUBLISH_FAILED, "a directory is no file");
}

static void line_before_link(struct place *at)
{
	char path[128];
	struct stat st;

	for (int64_t minute = clock_real_ms() / 60000 + 1000, i = 0; i < 2; i++) {
		file_path(path, sizeof(path), "%s/lives/%lld", at->dir, (long long)(minute + i));
		mkdir(path, 0700);
	}
	is_int(put(at, "no/life", "x", 60000), PUBLISH_FAILED,
		"what cannot be put on the list of its death");
	ok(!in_www(at, "no", &st), "is not published");
	shell("rmdir lives/*/", at->dir);
}

static void attacks(struct place *at)
{
	char outside[128], path[128];
	struct fail f = {0};
	struct stat st;

	file_path(outside, sizeof(outside), "%s/outside", at->dir);
	mkdir(outside, 0755);
	file_path(path, sizeof(path), "%s/outside/precious", at->dir);
	file_replace(path, span_of("precious"), 0644, &f);
	file_path(path, sizeof(path), "%s/api", at->www);
	is_int(symlink(outside, path), 0, "a link out of the store");
	is_int(put(at, "api/precious", "bad", 60), PUBLISH_FAILED, "is not published through");
	is_int(put(at, "api/new", "bad", 60), PUBLISH_FAILED, "by no name");
	is_int(put(at, "api/deeper/new", "bad", 60), PUBLISH_FAILED, "at no depth");
	ok(!publish_remove(at->publisher, PUBLISH_WWW, "api/precious", 0) ||
			strcmp(text_of(at, "outside/precious"), "precious") == 0,
		"is not removed through");
	is_int(put(at, "api", "bad", 60), PUBLISH_FAILED, "and is no file that is there already");
	is_int(publish_drop(at->publisher, PUBLISH_WWW, "api", 0), -1, "nor one to be removed");
	file_path(path, sizeof(path), "%s/api/new", at->www);
	ok(lstat(path, &st) < 0, "nothing came in there");
	ok(publish_remove(at->publisher, PUBLISH_WWW, "b", 0), "a store's own file is removed");
	is_int(put(at, "b/c", "x", 60), PUBLISH_OK, "and may become a directory");
	is_int(put(at, "b", "x", 60), PUBLISH_FAILED, "which is no file");
	is_int(put(at, "b/c/d", "x", 60), PUBLISH_FAILED, "and a file is no directory");
}

/* Of what there is how much. */
static void kinds(struct place *at)
{
	static const struct {
		const char *name;
		int streams, pictures;
	} cases[] = {
		{"api/hls/vod-1/0123456789abcdef0123456789abcdef/720p/1.m4s", 1, 0},
		{"api/hls/vod-1/0123456789abcdef0123456789abcdef/a0/init.mp4", 1, 0},
		{"api/hls/vod-1/0123456789abcdef0123456789abcdef/720p.m3u8", 0, 0},
		{"api/hls/vod-1/0123456789abcdef0123456789abcdef/thumbnails/0.jpg", 0, 1},
		{"cdn/art/trk-1.jpg", 0, 1},
		{"web/0123456789abcdef/base.css", 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t streams = board_get(at->board, BOARD_STREAM_FILES);
		int64_t pictures = board_get(at->board, BOARD_PICTURE_FILES);

		put(at, cases[i].name, "x", 60);
		is_int(board_get(at->board, BOARD_STREAM_FILES) - streams, cases[i].streams,
			"%s: of a stream", cases[i].name);
		is_int(board_get(at->board, BOARD_PICTURE_FILES) - pictures, cases[i].pictures,
			"a picture");
		publish_remove(at->publisher, PUBLISH_WWW, cases[i].name, 0);
		ok(board_get(at->board, BOARD_STREAM_FILES) == streams &&
				board_get(at->board, BOARD_PICTURE_FILES) == pictures,
			"removed it does not count");
	}
}

/* --- several at once -------------------------------------------------------------------------- */

enum { RACERS = 4, ROUNDS = 300 };

struct racer {
	pthread_t thread;
	struct place *at;
	int self, failed;
};

/* Each one publishes and removes in directories that they share, so that they come and go. */
static void *race(void *ctx)
{
	struct racer *r = ctx;
	struct fail f = {0};
	char name[64];

	for (int i = 0; i < ROUNDS; i++) {
		file_path(name, sizeof(name), "race/%d/deep/%d", i % 3, r->self);
		r->failed += publish_bytes(r->at->publisher, PUBLISH_WWW, name, span_of("x"), 60, 0,
				     &f) != PUBLISH_OK;
		publish_remove(r->at->publisher, PUBLISH_WWW, name, 0);
	}
	return NULL;
}

static void races(struct place *at)
{
	int64_t bytes = board_get(at->board, BOARD_PUBLISHED_BYTES),
		files = board_get(at->board, BOARD_PUBLISHED_FILES);
	struct racer racers[RACERS];
	struct stat st;
	int failed = 0;

	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.at = at, .self = i};
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		failed += racers[i].failed;
	}
	is_int(failed, 0, "directories may be removed while others publish into them");
	is_int(board_get(at->board, BOARD_PUBLISHED_BYTES), bytes, "every byte is counted off");
	is_int(board_get(at->board, BOARD_PUBLISHED_FILES), files, "and every file");
	ok(!in_www(at, "race", &st), "nothing is left");
}

/* --- temporaries ------------------------------------------------------------------------------ */

static void temporaries(struct place *at)
{
	int dir = publish_root(at->publisher, PUBLISH_WWW), fd, status;
	char name[TEMPORARY_NAME_BYTES], of_dead[TEMPORARY_NAME_BYTES] = "";
	int ends[2];
	pid_t pid;

	fd = temporary_open(dir, false, "host.example", 1, name);
	ok(fd >= 0 && strncmp(name, ".tmp-host-example.", 18) == 0, "a temporary tells its host");
	ok(!temporary_is_orphan(name, "host.example", 60), "that of a living process is kept");
	ok(temporary_is_orphan(name, "host.example", 3700), "for an hour");
	close(fd);
	unlinkat(dir, name, 0);
	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		temporary_open(dir, false, "host.example", 1, name);
		_exit(write(ends[1], name, strlen(name)) < 0);
	}
	waitpid(pid, &status, 0);
	ok(read(ends[0], of_dead, sizeof(of_dead) - 1) > 0, "a process dies while it writes");
	ok(temporary_is_orphan(of_dead, "host.example", 1), "what it wrote is an orphan");
	ok(!temporary_is_orphan(of_dead, "other.example", 1), "nobody knows on another host");
	ok(!temporary_is_orphan("player.css", "host.example", 99999), "other files are none");
	ok(!temporary_is_orphan(".tmp-", "host.example", 1), "a name that says nothing is kept");
	ok(!temporary_is_orphan(".tmp-host-example.x.y.z", "host.example", 1), "nor is nonsense");
	unlinkat(dir, of_dead, 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	char dir[] = "/tmp/sluice-publish-XXXXXX";
	struct place at;

	if (!place_begin(&at, dir))
		return 99;
	names();
	one_file(&at);
	again(&at);
	linking(&at);
	line_before_link(&at);
	kinds(&at);
	attacks(&at);
	temporaries(&at);
	races(&at);
	place_close(&at);
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
