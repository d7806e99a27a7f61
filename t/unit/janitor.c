/* t/unit/janitor.c - the janitor, with a clock that is moved.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/file.h>

#include "fcgi-app/processes/census.h"
#include "fcgi-app/processes/janitor.h"
#include "lib/svc/lives.h"
#include "lib/svc/traffic.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

static volatile int64_t *moved_ms;

static pid_t janitor_start(struct place *at)
{
	pid_t pid = fork();

	if (pid == 0) {
		char path[96];
		file_path(path, sizeof(path), "%s/log", at->dir);
		log_open(path, LOG_DEBUG, NULL);
		_exit(janitor_run(&at->conf, at->board));
	}
	return pid;
}

static bool there(const struct place *at, const char *name)
{
	struct stat st;

	return in_www(at, name, &st);
}

static int64_t used(const struct place *at)
{
	return board_get(at->board, BOARD_PUBLISHED_BYTES);
}

static void write_file(const struct place *at, const char *name, const char *text)
{
	char path[400];

	file_path(path, sizeof(path), "%s/%s", at->dir, name);
	if (file_replace(path, span_of(text), 0600, NULL) < 0)
		ok(false, "%s could not be written", name);
}

static void lives(struct place *at)
{
	pid_t pid = janitor_start(at);

	ok(wait_for(board_get(at->board, BOARD_COUNTED_MS) != 0), "it counts what is there");
	put(at, "l/minute/a", "1", 60);
	put(at, "l/hour/b", "22", 3600);
	put(at, "l/renewed/c", "333", 60);
	put(at, "l/renewed/c", "333", 7200);
	*moved_ms += 3 * MINUTE_MS;
	ok(wait_for(!there(at, "l/minute")), "what lived a minute is gone after it");
	ok(there(at, "l/hour/b"), "what lives an hour is not");
	ok(there(at, "l/renewed/c"), "nor is what was renewed");
	ok(wait_for(used(at) == 5), "the counter follows");
	*moved_ms += HOUR_MS;
	ok(wait_for(!there(at, "l/hour")), "an hour later it is");
	ok(there(at, "l/renewed/c"), "what was renewed for longer stays for longer");
	*moved_ms -= HOUR_MS;
	put(at, "l/back/d", "x", 60);
	put(at, "l/back/e", "x", 600);
	*moved_ms += 2 * MINUTE_MS;
	ok(wait_for(!there(at, "l/back/d")), "when the clock went back, lives go on from there");
	ok(there(at, "l/back/e") && there(at, "l/renewed/c"), "and nothing dies early");
	*moved_ms += 3 * HOUR_MS;
	ok(wait_for(!there(at, "l")), "in the end all is gone, directories too");
	ok(wait_for(shell("test -z \"$(ls lives)\"", at->dir) == 0), "and so are the lists");
	ok(wait_for(used(at) == 0), "nothing is counted");
	is_int(end_child(pid, SIGTERM), 0, "it ends when it is asked to");
}

static void quota(struct place *at)
{
	static char bytes[60000];
	struct fail f = {0};
	char name[64];
	int kept = 0;
	pid_t pid;

	at->conf.bytes_quota = MB;
	publish_bytes(
		at->publisher, PUBLISH_WWW, "web/1/hls.js", span_make(bytes, 1000), 86400, 0, &f);
	for (int i = 0; i < 30; i++) {
		file_path(name, sizeof(name), "q/%d.m4s", i);
		*moved_ms += MINUTE_MS;
		kept += publish_bytes(at->publisher, PUBLISH_WWW, name,
				span_make(bytes, sizeof(bytes)), 86400, 0, &f) == PUBLISH_OK;
	}
	is_int(kept, 17, "without a janitor, a full store takes no more");
	pid = janitor_start(at);
	ok(wait_for(board_get(at->board, BOARD_FULL_SINCE_MS) == 0), "with one it soon does");
	ok(used(at) <= MB / 100 * 95, "down to 95 hundredths of the quota");
	ok(used(at) > MB / 100 * 80, "and not much more");
	ok(!there(at, "q/0.m4s"), "the oldest went");
	ok(there(at, "q/16.m4s"), "the newest stayed");
	ok(there(at, "web/1/hls.js"), "the page's own parts are never evicted");
	ok(board_get(at->board, BOARD_EVICTED_BYTES) > 0, "what went is counted");
	kept = 0;
	for (int i = 100; i < 112; i++) {
		file_path(name, sizeof(name), "q/%d.m4s", i);
		*moved_ms += MINUTE_MS;
		kept += wait_for(
			publish_bytes(at->publisher, PUBLISH_WWW, name,
				span_make(bytes, sizeof(bytes)), 86400, 0, &f) == PUBLISH_OK);
	}
	is_int(kept, 12, "so there is always room for something new");
	*moved_ms += 25 * (int64_t)HOUR_MS;
	ok(wait_for(!there(at, "q")), "a day later all has died");
	*moved_ms += 2 * (int64_t)HOUR_MS;
	ok(wait_for(shell("test -z \"$(ls made)\"", at->dir) == 0), "and no list is left");
	is_int(end_child(pid, SIGTERM), 0, "it ends");
	at->conf.bytes_quota = 100 * MB;
}

/* Publishes parts of a film; how many of them were kept. */
static int put_parts(struct place *at, const char *film, int from, int count)
{
	static char bytes[60000];
	struct fail f = {0};
	char name[128];
	int kept = 0;

	for (int i = from; i < from + count; i++) {
		file_path(name, sizeof(name),
			"api/hls/%s/0123456789abcdef0123456789abcdef/720p/%d.m4s", film, i);
		*moved_ms += MINUTE_MS;
		kept += wait_for(
			publish_bytes(at->publisher, PUBLISH_WWW, name,
				span_make(bytes, sizeof(bytes)), 86400, 0, &f) == PUBLISH_OK);
	}
	return kept;
}

static int parts_there(const struct place *at, const char *film, int count)
{
	char name[128];
	int found = 0;

	for (int i = 0; i < count; i++) {
		file_path(name, sizeof(name),
			"api/hls/%s/0123456789abcdef0123456789abcdef/720p/%d.m4s", film, i);
		found += there(at, name);
	}
	return found;
}

static void send(struct traffic *t, const char *path, int times)
{
	const struct access_line line = {
		clock_real_ms() / 1000, span_of("GET"), span_of(path), 200, 1000, 10, ACCESS_HIT};

	for (int i = 0; i < times; i++)
		traffic_add(t, &line);
}

static void popularity(struct place *at)
{
	struct traffic *t;
	struct fail f = {0};
	int64_t minutes;
	pid_t pid;

	at->conf.bytes_quota = MB;
	is_int(traffic_open(&t, &at->conf, &f), 0, "what was sent is known");
	send(t, "/api/hls/vod-1/0123456789abcdef0123456789abcdef/720p/1.m4s", 40);
	send(t, "/api/hls/vod-2/0123456789abcdef0123456789abcdef/720p/1.m4s", 4);
	send(t, "/tv/live-1/0123456789abcdef0123456789abcdef/720p/1.ts", 2000);
	is_int(traffic_commit(t, &(struct tail_place){0}, &f), 0, "and kept");
	traffic_close(&t);
	is_int(put_parts(at, "vod-2", 0, 4), 4,
		"an old film that was asked for now and then is kept");
	is_int(put_parts(at, "vod-1", 0, 6), 6, "and one that was asked for often");
	*moved_ms += 2 * HOUR_MS;
	is_int(put_parts(at, "vod-3", 0, 6), 6, "and a new one that nobody has asked for");
	pid = janitor_start(at);
	is_int(put_parts(at, "vod-4", 0, 8), 8, "when another comes there is room for it");
	is_int(parts_there(at, "vod-1", 6), 6, "what is asked for most stays");
	is_int(parts_there(at, "vod-2", 4), 0, "what is not goes, the oldest first");
	ok(parts_there(at, "vod-3", 6) < 6, "and what is younger than the popular one");
	*moved_ms += 2 * HOUR_MS;
	is_int(put_parts(at, "vod-5", 0, 10), 10, "hours later another comes");
	is_int(parts_there(at, "vod-1", 6), 6, "and it still stays");
	minutes = *moved_ms;
	is_int(put_parts(at, "vod-1", 100, 70), 70, "where all is popular there is room, too");
	is_int(parts_there(at, "vod-1", 6), 0, "the oldest of it goes then");
	ok(used(at) <= MB, "the quota holds");
	*moved_ms = minutes + 26 * (int64_t)HOUR_MS;
	ok(wait_for(parts_there(at, "vod-1", 170) == 0),
		"and nothing lives longer for being popular");
	*moved_ms += 2 * (int64_t)HOUR_MS;
	ok(wait_for(shell("test -z \"$(ls made)\"", at->dir) == 0), "nor is a list left");
	is_int(end_child(pid, SIGTERM), 0, "it ends");
	at->conf.bytes_quota = 100 * MB;
}

static void counters(struct place *at)
{
	struct stat st;
	char name[64];
	pid_t pid;

	for (int i = 0; i < 500; i++) {
		file_path(name, sizeof(name), "n/%d/%d/x", i % 10, i);
		put(at, name, "0123456789", i == 7 ? 60 : 7200);
	}
	board_set(at->board, BOARD_PUBLISHED_BYTES, 0);
	board_set(at->board, BOARD_PUBLISHED_FILES, 77);
	board_set(at->board, BOARD_STREAM_FILES, 9);
	board_set(at->board, BOARD_PICTURE_FILES, -9);
	board_set(at->board, BOARD_COUNTED_MS, 0);
	put(at, "cdn/art/a.jpg", "", 7200);
	pid = janitor_start(at);
	ok(wait_for(board_get(at->board, BOARD_COUNTED_MS) != 0), "a lost counter is made again");
	is_int(used(at), 5000, "with the right bytes");
	is_int(board_get(at->board, BOARD_PUBLISHED_FILES), 501, "and the right files");
	ok(board_get(at->board, BOARD_STREAM_FILES) == 0 &&
			board_get(at->board, BOARD_PICTURE_FILES) == 1,
		"of each kind");
	shell("rm lives/*", at->dir);
	write_file(at, "www/robots.txt", "mine");
	board_set(at->board, BOARD_PUBLISHED_BYTES, -5);
	*moved_ms += 25 * (int64_t)HOUR_MS;
	ok(wait_for(!there(at, "n")), "a day later what lost its list is found, and goes");
	ok(wait_for(used(at) == 4), "and what is there is counted");
	ok(in_www(at, "robots.txt", &st), "but somebody's own file stays");
	shell("rm www/robots.txt", at->dir);
	end_child(pid, SIGTERM);
	board_set(at->board, BOARD_PUBLISHED_BYTES, 0);
	board_set(at->board, BOARD_PUBLISHED_FILES, 0);
}

/* What is published, given a longer life or removed between two looks of the one who counts. */
static void meanwhile(struct place *at)
{
	int64_t before = used(at);
	struct census c;
	int wrong = 0;

	for (int i = 0; i < 50; i++) {
		put(at, "m/renewed", "333", 60);
		put(at, "m/before", "1", 60);
		census_begin(&c, at->publisher, at->board);
		put(at, "m/renewed", "333", 3600);
		put(at, "m/after", "7777777", 60);
		while (!census_step(&c, at->publisher, at->board, 1000)) {
		}
		wrong += used(at) != before + 11;
		publish_remove(at->publisher, PUBLISH_WWW, "m/before", 0);
		publish_remove(at->publisher, PUBLISH_WWW, "m/after", 0);
		publish_remove(at->publisher, PUBLISH_WWW, "m/renewed", 0);
	}
	is_int(wrong, 0, "what changes while it counts is counted once");
}

static void leftovers(struct place *at)
{
	char name[100];
	int lock;
	pid_t pid;

	*moved_ms = 0; /* the kernel dates what the test makes */
	write_file(at, "www/.tmp-host-example.999999999.5.0", "orphan");
	write_file(at, "www/.tmp-elsewhere.1.5.0", "somebody's");
	write_file(at, "www/.hidden", "mine");
	mkdir(file_path(name, sizeof(name), "%s/live/work", at->dir) ? name : "", 0700);
	shell("mkdir -p live/work/live-8/seg/720p live/work/live-9/seg outside && "
	      "touch live/work/live-8/lock live/work/live-8/token live/work/live-8/seg/720p/1.ts "
	      "live/work/live-9/lock outside/precious && ln -s ../../outside live/work/live-10 && "
	      "ln -s ../../../outside live/work/live-8/outside",
		at->dir);
	file_path(name, sizeof(name), "%s/live/work/live-9/lock", at->dir);
	pid = janitor_start(at);
	lock = open(name, O_RDWR | O_CLOEXEC); /* after the fork, which would share it */
	flock(lock, LOCK_EX);
	ok(wait_for(!there(at, ".tmp-host-example.999999999.5.0")),
		"the temporary of a dead process goes");
	ok(there(at, ".tmp-elsewhere.1.5.0"), "that of another host stays");
	is_int(shell("test -e live/work/live-8/seg/720p/1.ts", at->dir), 0,
		"a channel's directory stays while somebody might come back");
	*moved_ms += 2 * MINUTE_MS;
	ok(wait_for(shell("test -e live/work/live-8", at->dir) != 0), "and goes later");
	is_int(shell("test -e live/work/live-9/seg", at->dir), 0, "not when a process works in it");
	is_int(shell("test -e outside/precious", at->dir), 0, "no link leads out of there");
	*moved_ms += HOUR_MS;
	ok(wait_for(!there(at, ".tmp-elsewhere.1.5.0")), "another host's goes after an hour");
	ok(there(at, ".hidden"), "other hidden files stay");
	close(lock);
	ok(wait_for(shell("test -e live/work/live-9", at->dir) != 0),
		"a channel whose process died goes");
	end_child(pid, SIGTERM);
	shell("rm -r outside www/.hidden live/work/live-10", at->dir);
}

static void after_a_crash(struct place *at)
{
	pid_t pid;

	shell("rm -f made/*", at->dir);
	put(at, "c/seen", "x", 60);
	put(at, "c/old", "x", 86400);
	shell("touch -d '-10 minutes' made/*", at->dir);
	*moved_ms += 10 * MINUTE_MS;
	put(at, "c/before", "x", 86400);
	*moved_ms += 2 * MINUTE_MS;
	put(at, "c/last", "x", 86400);
	pid = janitor_start(at);
	ok(wait_for(!there(at, "c/seen")), "a janitor that starts again");
	ok(there(at, "c/last") && there(at, "c/before"), "keeps all");
	end_child(pid, SIGTERM);
	write_file(at, "boot", "another-boot\n");
	pid = janitor_start(at);
	ok(wait_for(!there(at, "c/last")), "after a reboot the last minutes go,");
	ok(wait_for(!there(at, "c/before")), "which may be empty,");
	ok(there(at, "c/old"), "and no others");
	ok(wait_for(shell("test \"$(cat boot)\" = \"$(cat /proc/sys/kernel/random/boot_id)\"",
			    at->dir) == 0),
		"which happens once");
	end_child(pid, SIGTERM);
}

static void hostile_lists(struct place *at)
{
	char name[64];
	pid_t pid;

	shell("mkdir outside && touch outside/precious && ln -s ../outside www/api && "
	      "echo 'www\tmine' > outside/list && ln -s ../outside/list lives/5",
		at->dir);
	put(at, "mine", "x", 86400);
	write_file(at, "lives/7",
		"www\t../outside/precious\nwww\t/etc/hostname\nwww\tapi/precious\nwww\tapi\n"
		"live\t../../outside/precious\n\0\nwww\t\nwww\t.\nlives\t7\nwww\t../board\n");
	file_path(name, sizeof(name), "lives/%lld", (long long)INT64_MAX / 60);
	write_file(at, name, "www\tmine\n");
	pid = janitor_start(at);
	ok(wait_for(shell("test -e lives/7", at->dir) != 0), "a list of nonsense is worked off");
	is_int(shell("test -e outside/precious", at->dir), 0, "and touches nothing outside");
	ok(there(at, "api") && there(at, "mine"), "nor what is no file, nor what lives on");
	is_int(shell("test -e board -a -e lives/5", at->dir), 0, "nor what is ours");
	end_child(pid, SIGTERM);
	shell("rm -r outside www/api lives/5", at->dir);
}

int main(void)
{
	char dir[] = "/tmp/sluice-janitor-XXXXXX", log[96];
	struct place at;

	umask(022);
	if (!mkdtemp(dir))
		return 99;
	moved_ms = clock_open(dir);
	place_open(&at, dir);
	file_path(log, sizeof(log), "%s/log", dir);
	log_open(log, LOG_DEBUG, NULL);
	lives(&at);
	quota(&at);
	popularity(&at);
	counters(&at);
	meanwhile(&at);
	leftovers(&at);
	after_a_crash(&at);
	hostile_lists(&at);
	place_close(&at);
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
