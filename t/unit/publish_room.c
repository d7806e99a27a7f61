/* t/unit/publish_room.c - published files where there is little room, and where no /proc is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static void quota(struct place *at)
{
	int64_t refused = board_get(at->board, BOARD_PUBLISH_REFUSED);
	struct publish_room room;
	struct fail f = {0};
	char name[64];
	int kept = 0;

	static char bytes[200000];
	at->conf.bytes_quota = MB;
	is_int(publish_bytes(at->publisher, PUBLISH_WWW, "q/huge", span_make(bytes, sizeof(bytes)),
		       60, 0, &f),
		PUBLISH_OK, "what is below a quarter of the quota is kept");
	at->conf.bytes_quota = sizeof(bytes);
	is_int(publish_bytes(at->publisher, PUBLISH_WWW, "q/more",
		       span_make(bytes, sizeof(bytes) / 2), 60, 0, &f),
		PUBLISH_FULL, "more than that is not");
	is_int(board_get(at->board, BOARD_FULL_SINCE_MS), 0, "without anything being full");
	at->conf.bytes_quota = MB;
	for (int i = 0; i < 20; i++) {
		file_path(name, sizeof(name), "q/%d", i);
		kept += publish_bytes(at->publisher, PUBLISH_WWW, name, span_make(bytes, 100000),
				60, 0, &f) == PUBLISH_OK;
	}
	ok(kept >= 7 && kept <= 8, "then as many as the quota has room for");
	is_int(f.kind, FAIL_BUSY, "the rest is refused as being too much just now");
	publish_room(&at->conf, at->board, PUBLISH_WWW, &room);
	ok(room.used <= room.quota && room.full_since_ms > 0, "which can be seen from outside");
	is_int(board_get(at->board, BOARD_PUBLISH_REFUSED), refused + 20 - kept, "and is counted");
	is_int(put(at, "q/0", "x", 60), PUBLISH_OK, "what is there is there, however full it is");
	is_int(publish_bytes(at->publisher, PUBLISH_LIVE, "live-1/1.ts", span_make(bytes, 100000),
		       60, 0, &f),
		PUBLISH_OK, "live channels go on: the quota is not theirs");
	publish_remove(at->publisher, PUBLISH_WWW, "q/huge", 0);
	for (int i = 0; i < 20; i++) {
		file_path(name, sizeof(name), "q/%d", i);
		publish_remove(at->publisher, PUBLISH_WWW, name, 0);
	}
	at->conf.bytes_quota = 100 * MB;
	at->conf.free_floor = INT64_MAX / 2;
	publish_room(&at->conf, at->board, PUBLISH_WWW, &room);
	ok(room.floor < at->conf.free_floor && room.floor > 0,
		"a floor above the file system's size becomes an eighth of that");
	at->conf.free_floor = 0;
	board_set(at->board, BOARD_FULL_SINCE_MS, 0);
}

/* In a mount namespace of its own, on a file system of 1 MB. Results go to the parent as a text. */
static const char *on_a_small_disk(struct place *at)
{
	static char bytes[100000];
	char name[64];
	struct fail f = {0};
	struct stat st;
	int kept = 0;

	memset(bytes, 'x', sizeof(bytes));
	at->conf.free_floor = 0;
	for (int i = 0; i < 20; i++) {
		enum publish_result result;
		file_path(name, sizeof(name), "d/%d/x", i);
		result = publish_bytes(at->publisher, PUBLISH_WWW, name,
			span_make(bytes, sizeof(bytes)), 60, 0, &f);
		if (result == PUBLISH_FAILED)
			return f.text[0] ? "a full disk is another failure" : "f is not set";
		kept += result == PUBLISH_OK;
		if (in_www(at, name, &st) != (result == PUBLISH_OK))
			return "the outcome is not what is there";
		if (result == PUBLISH_OK && st.st_size != sizeof(bytes))
			return "a file is not whole";
	}
	if (kept < 3 || kept > 10)
		return "not as many as fit";
	if (board_get(at->board, BOARD_PUBLISHED_BYTES) != kept * (int64_t)sizeof(bytes))
		return "the counter is wrong";
	if (shell("test -z \"$(find . -name '.tmp*')\"", at->dir) != 0)
		return "a temporary is left over";
	while (put(at, "fill", "", 60) == PUBLISH_FULL)
		publish_remove(at->publisher, PUBLISH_WWW, "d/0/x", 0);
	publish_remove(at->publisher, PUBLISH_WWW, "d/1/x", 0);
	publish_remove(at->publisher, PUBLISH_WWW, "d/2/x", 0);
	if (publish_bytes(at->publisher, PUBLISH_WWW, "d/again", span_make(bytes, sizeof(bytes)),
		    60, 0, &f) != PUBLISH_OK)
		return "it does not go on when there is room";
	at->conf.free_floor = 100 * MB; /* an eighth of 1 MB */
	while (publish_bytes(at->publisher, PUBLISH_WWW, name, span_make(bytes, 20000), 60, 0,
		       &f) == PUBLISH_OK)
		file_path(name, sizeof(name), "d/%d", ++kept);
	struct publish_room room;
	publish_room(&at->conf, at->board, PUBLISH_WWW, &room);
	return room.free >= room.floor ? "" : "the floor is not kept";
}

/* Runs in a child whose mounts are its own; NULL: that is not possible here. */
static const char *elsewhere(const char *dir, bool hide_proc, const char *(*run)(struct place *))
{
	static char why[300];
	int ends[2], status;
	struct place at;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return NULL;
	if (pid == 0) {
		const char *text;
		if (unshare(CLONE_NEWNS) < 0 ||
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			mount("none", dir, "tmpfs", 0, "size=1m") < 0 ||
			(hide_proc && mount("none", "/proc", "tmpfs", 0, "size=64k") < 0))
			_exit(77);
		place_open(&at, dir);
		text = run(&at);
		place_close(&at);
		_exit(write(ends[1], text, strlen(text)) < 0);
	}
	close(ends[1]);
	n = read(ends[0], why, sizeof(why) - 1);
	close(ends[0]);
	why[n > 0 ? n : 0] = '\0';
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return NULL;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? why : "the child died";
}

static const char *without_proc(struct place *at)
{
	struct fail f = {0};
	char path[128];

	at->conf.free_floor = 0;
	if (access("/proc/self/fd", F_OK) == 0)
		return "there is a /proc";
	if (put(at, "a/b", "body", 60) != PUBLISH_OK || strcmp(text_of(at, "www/a/b"), "body") != 0)
		return "bytes are not published";
	file_path(path, sizeof(path), "%s/1.ts", at->live);
	file_replace(path, span_of("GG"), 0600, &f);
	if (publish_link(at->publisher, PUBLISH_LIVE, path, "live-8/1.ts", 60, &f) != PUBLISH_OK)
		return "a file is not published";
	if (put(at, "a/b", "body", 60) != PUBLISH_OK)
		return "publishing again is not fine";
	DIR *d = opendir(at->www);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, ".tmp", 4) == 0)
			return "a temporary is left over";
	}
	closedir(d);
	return "";
}

static void small_disk(void)
{
	char dir[] = "/tmp/sluice-publish-XXXXXX";
	const char *why;

	if (!mkdtemp(dir))
		return;
	why = elsewhere(dir, false, on_a_small_disk);
	if (why)
		is_str(why, "", "a full disk refuses, keeps files whole and goes on afterwards");
	else
		ok(true, "a full disk refuses # SKIP no mounts of our own here");
	why = elsewhere(dir, true, without_proc);
	if (why)
		is_str(why, "", "without nameless files, named ones do as well");
	else
		ok(true, "without nameless files # SKIP no mounts of our own here");
	rmdir(dir);
}

int main(void)
{
	char dir[] = "/tmp/sluice-publish-XXXXXX";
	struct place at;

	if (!place_begin(&at, dir))
		return 99;
	quota(&at);
	place_close(&at);
	small_disk();
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
