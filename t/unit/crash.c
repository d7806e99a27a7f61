/* t/unit/crash.c - publishers and janitors that are killed at any instant.
 * SPDX-License-Identifier: BSD-2-Clause
 * Every file is called by the digest of its bytes, so that a wrong one tells itself. */
#include "fcgi-app/processes/janitor.h"
#include "lib/base/num.h"
#include "lib/io/sign.h"
#include "lib/svc/store.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

enum { PUBLISHERS = 3, KILLS = 60, FILE_MAX = 60000 };

static volatile int64_t *moved_ms;

static void digest_of(struct span bytes, char to[2 * SIGN_SIZE + 1])
{
	unsigned char digest[SIGN_SIZE];

	sign_sha256(bytes, digest);
	num_print_hex(digest, SIGN_SIZE, to);
}

/* Publishes for ever: sizes, lives and directories at random, now and then something known. */
static void publish_for_ever(struct place *at, unsigned seed)
{
	static char bytes[FILE_MAX];
	char digest[2 * SIGN_SIZE + 1], name[100];
	struct fail f = {0};

	for (unsigned i = 0;; i++) {
		unsigned r = i % 5 ? (unsigned)rand_r(&seed) : i % 50;
		size_t size = r % FILE_MAX;
		memset(bytes, (int)(r % 251), size);
		digest_of(span_make(bytes, size), digest);
		file_path(name, sizeof(name), "s/%u/%u/%s", r % 3, r % 11, digest);
		publish_bytes(at->publisher, PUBLISH_WWW, name, span_make(bytes, size), 1 + r % 100,
			0, &f);
	}
}

static pid_t start(struct place *at, int which, unsigned seed)
{
	char path[96];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	file_path(path, sizeof(path), "%s/log", at->dir);
	log_open(path, LOG_WARN, NULL);
	if (which == 0)
		_exit(janitor_run(&at->conf, at->board));
	publish_for_ever(at, seed);
	_exit(0);
}

static void storm(struct place *at)
{
	pid_t pids[PUBLISHERS + 1];
	unsigned seed = 4711;

	for (int i = 0; i <= PUBLISHERS; i++)
		pids[i] = start(at, i, (unsigned)i + 1);
	for (int i = 0; i < KILLS; i++) {
		int who = rand_r(&seed) % (PUBLISHERS + 1);
		nanosleep(&(struct timespec){0, 1000000 + rand_r(&seed) % 50000000}, NULL);
		end_child(pids[who], SIGKILL);
		pids[who] = start(at, who, (unsigned)i + 100);
		*moved_ms += 7000;
	}
	for (int i = 0; i <= PUBLISHERS; i++)
		end_child(pids[i], SIGKILL);
}

/* How many published files are not what their name says; adds up all of them. */
static int broken(const struct place *at, int64_t *files, int64_t *bytes)
{
	char digest[2 * SIGN_SIZE + 1], path[1200];
	enum store_step step;
	struct store_walk w;
	struct stat st;
	int wrong = 0;

	*files = *bytes = 0;
	store_walk_open(&w, publish_root(at->publisher, PUBLISH_WWW), "");
	while ((step = store_walk_next(&w, &st)) != STORE_END) {
		struct buf b;
		if (step != STORE_FILE)
			continue;
		buf_init(&b, FILE_MAX);
		file_path(path, sizeof(path), "%s/%s", at->www, w.name);
		wrong += file_read(path, &b, NULL) < 0;
		digest_of(buf_span(&b), digest);
		wrong += strcmp(digest, strrchr(w.name, '/') + 1) != 0;
		wrong += (st.st_mode & 0777) != 0644 || st.st_mtim.tv_nsec != 0;
		buf_release(&b);
		*files += 1;
		*bytes += st.st_size;
	}
	store_walk_close(&w);
	return wrong;
}

int main(void)
{
	char dir[] = "/tmp/sluice-crash-XXXXXX";
	int64_t files, bytes;
	struct place at;
	pid_t pid;

	if (!mkdtemp(dir))
		return 99;
	moved_ms = clock_open(dir);
	place_open(&at, dir);
	at.conf.bytes_quota = 20 * MB;
	storm(&at);
	is_int(broken(&at, &files, &bytes), 0, "whatever is killed, every published file is whole");
	ok(files > 0, "there are some: %lld files, %lld bytes", (long long)files, (long long)bytes);
	board_set(at.board, BOARD_COUNTED_MS, 0);
	pid = start(&at, 0, 0);
	ok(wait_for(board_get(at.board, BOARD_COUNTED_MS) != 0), "a new janitor counts");
	/* Some may be dying just now. */
	ok(wait_for(broken(&at, &files, &bytes) == 0 &&
		    board_get(at.board, BOARD_PUBLISHED_BYTES) == bytes &&
		    board_get(at.board, BOARD_PUBLISHED_FILES) == files),
		"what is there is still whole, its bytes and its files are counted right");
	is_int(shell("test -z \"$(find . -name '.tmp*')\"", at.dir), 0, "no temporary is left");
	*moved_ms += 10 * 60000;
	ok(wait_for(shell("test -z \"$(ls www)\"", at.dir) == 0), "in the end everything has died");
	ok(wait_for(shell("test -z \"$(ls lives)\"", at.dir) == 0), "with its lists");
	ok(wait_for(board_get(at.board, BOARD_PUBLISHED_BYTES) == 0), "and nothing is counted");
	is_int(end_child(pid, SIGTERM), 0, "the janitor ends");
	place_close(&at);
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
