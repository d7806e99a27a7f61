/* t/unit/full.c - a disk that says no in the middle of a publish, in every way and place.
 * SPDX-License-Identifier: BSD-2-Clause
 * write() is ours here: when it is armed, so many bytes are taken and no more. */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "fcgi-app/processes/janitor.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static int64_t taken = -1; /* bytes that may still be written; -1: all */
static int refusal;	   /* errno of what is too much */

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (taken < 0 || fd <= 2)
		return syscall(SYS_write, fd, bytes, len);
	if (taken == 0 && len > 0) {
		errno = refusal;
		return -1;
	}
	if ((int64_t)len > taken)
		len = (size_t)taken;
	taken -= (int64_t)len;
	return syscall(SYS_write, fd, bytes, len);
}

static void arm(int err, int64_t bytes)
{
	refusal = err;
	taken = bytes;
}

enum { BODY = 10000 };

static struct span body(void)
{
	static char bytes[BODY];

	memset(bytes, 'b', sizeof(bytes));
	return span_make(bytes, sizeof(bytes));
}

/* A publish that is refused after `bytes`, and what is there then; "" when all is as it should
 * be. */
static const char *refuse_one(struct place *at, int err, int64_t bytes)
{
	int64_t used = board_get(at->board, BOARD_PUBLISHED_BYTES);
	enum publish_result result;
	struct fail f = {0};
	struct stat st;

	board_set(at->board, BOARD_FULL_SINCE_MS, 0);
	arm(err, bytes);
	result = publish_bytes(at->publisher, PUBLISH_WWW, "a/b.bin", body(), 60, 0, &f);
	arm(0, -1);
	if (result != PUBLISH_FULL || f.kind != FAIL_BUSY)
		return "it is not refused as being too much just now";
	if (in_www(at, "a/b.bin", &st))
		return "something is published";
	if (shell("test -z \"$(find . -name '.tmp*')\"", at->dir) != 0)
		return "a temporary is left over";
	if (board_get(at->board, BOARD_PUBLISHED_BYTES) != used)
		return "it is counted as being kept";
	if (board_get(at->board, BOARD_FULL_SINCE_MS) == 0)
		return "nobody is told that the disk is full";
	if (publish_bytes(at->publisher, PUBLISH_WWW, "a/b.bin", body(), 60, 0, &f) != PUBLISH_OK ||
		!in_www(at, "a/b.bin", &st) || st.st_size != BODY)
		return "it is not whole when there is room again";
	publish_remove(at->publisher, PUBLISH_WWW, "a/b.bin", 0);
	return "";
}

static void refused(struct place *at)
{
	static const int errors[] = {ENOSPC, EDQUOT, EIO, EFBIG, EROFS};
	static const struct {
		int64_t bytes;
		const char *where;
	} places[] = {
		{0, "at its first byte"},
		{1, "after its first byte"},
		{4096, "in the middle"},
		{BODY - 1, "before its last byte"},
		{BODY, "at the line that says when it dies"},
		{BODY + 3, "within that line"},
		{BODY + 20, "at the line that says when it was made"},
	};

	for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
		for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
			is_str(refuse_one(at, errors[e], places[p].bytes), "", "%s %s",
				strerrorname_np(errors[e]), places[p].where);
	}
}

static enum publish_result link_live(struct place *at, const char *name)
{
	struct fail f = {0};
	char path[200];

	file_path(path, sizeof(path), "%s/1.ts", at->live);
	file_replace(path, span_of("segment"), 0600, &f);
	arm(ENOSPC, 0);
	enum publish_result result = publish_link(at->publisher, PUBLISH_LIVE, path, name, 60, &f);
	arm(0, -1);
	unlink(path);
	return result;
}

/* The lists lie on the disk of www; live television may lie on another one. */
static void unlisted(struct place *at, volatile int64_t *moved_ms)
{
	struct stat st;
	char path[200];
	pid_t pid;

	is_int(link_live(at, "live-8/1.ts"), PUBLISH_OK,
		"a live segment is published though the lists have no room for it");
	is_int(board_get(at->board, BOARD_LIVE_UNLISTED), 1, "which is counted");
	file_path(path, sizeof(path), "%s/pub/live-8/1.ts", at->live);
	ok(stat(path, &st) == 0 && st.st_size == 7, "it is there");
	pid = fork();
	if (pid == 0)
		_exit(janitor_run(&at->conf, at->board));
	*moved_ms += 50 * 1000;
	nanosleep(&(struct timespec){0, 600000000}, NULL);
	ok(stat(path, &st) == 0, "while it lives it stays");
	*moved_ms += 20 * 1000;
	ok(wait_for(stat(path, &st) < 0), "and dies on time all the same");
	is_int(end_child(pid, SIGTERM), 0, "the janitor ends well");
}

/* Each store is full for itself: the other one is not said to be. */
static void apart(struct place *at)
{
	struct publish_room www, live;
	pid_t pid;

	board_set(at->board, BOARD_FULL_SINCE_MS, 0);
	board_set(at->board, BOARD_LIVE_FULL_SINCE_MS, clock_real_ms());
	publish_room(&at->conf, at->board, PUBLISH_WWW, &www);
	publish_room(&at->conf, at->board, PUBLISH_LIVE, &live);
	ok(www.full_since_ms == 0 && live.full_since_ms != 0,
		"one store is full, the other is not");
	pid = fork();
	if (pid == 0)
		_exit(janitor_run(&at->conf, at->board));
	ok(wait_for(board_get(at->board, BOARD_LIVE_FULL_SINCE_MS) == 0),
		"the janitor sees when it has room again");
	end_child(pid, SIGTERM);
}

static void renewing(const char *dir)
{
	char path[200];
	struct fail f = {0};
	struct buf b;

	buf_init(&b, 100);
	file_path(path, sizeof(path), "%s/record", dir);
	is_int(file_renew(path, span_of("the first one"), 0600, &f), 0, "a record is written");
	arm(ENOSPC, 0);
	is_int(file_renew(path, span_of("second"), 0600, &f), 0,
		"on a full disk it is written over what was there");
	arm(0, -1);
	file_read(path, &b, &f);
	is_str(buf_str(&b), "second", "with nothing left of that");
	file_path(path, sizeof(path), "%s/new", dir);
	arm(ENOSPC, 0);
	is_int(file_renew(path, span_of("x"), 0600, &f), -1, "a new one finds no room");
	arm(0, -1);
	ok(access(path, F_OK) < 0, "and nothing is left over");
	buf_release(&b);
}

int main(void)
{
	char dir[] = "/tmp/sluice-full-XXXXXX", command[100];
	volatile int64_t *moved_ms;
	struct place at;

	if (!mkdtemp(dir))
		return 99;
	moved_ms = clock_open(dir);
	log_open("/dev/null", LOG_ERROR, NULL);
	place_open(&at, dir);
	refused(&at);
	unlisted(&at, moved_ms);
	apart(&at);
	renewing(dir);
	place_close(&at);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	is_int(system(command), 0, "tidied up");
	return tap_done();
}
