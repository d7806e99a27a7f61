/* t/unit/block_map.c - which blocks of a sparse file are there, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/block_map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/file.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static char dir[] = "/tmp/sluice-block-map-XXXXXX", path[128];
static char boot[BLOCK_MAP_BOOT_BYTES];

static volatile int64_t *moved_ms;

static const struct block_map_info good = {.size = 5 * BLOCK_BYTES + 100,
	.modified_s = 1700000000,
	.expires_s = 1700003600,
	.life_s = 300,
	.file = "0123456789abcdef0123456789abcdef",
	.suffix = "webm",
	.type = "audio/webm",
	.validator = "\"v1\"",
	.given = "high"};

static struct block_map *open_new(const struct block_map_info *info)
{
	struct block_map *m = NULL;
	struct fail f = {0};

	if (block_map_make(path, info, boot, true, &f) < 0 ||
		block_map_open(&m, path, boot, &f) < 0) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
	return m;
}

static struct block_map *open_again(const char *of_boot)
{
	struct block_map *m = NULL;
	struct fail f = {0};

	return block_map_open(&m, path, of_boot, &f) == 0 ? m : NULL;
}

/* --- heads ------------------------------------------------------------------------------------ */

static void heads(void)
{
	static const struct {
		const char *name;
		struct block_map_info info;
	} bad[] = {
		{"a size below 0", {.size = -1, .modified_s = 1, .life_s = 1, .file = "a"}},
		{"a size above 256 GiB", {.size = ((int64_t)1 << 38) + 1,
						 .modified_s = 1,
						 .life_s = 1,
						 .file = "a"}},
		{"no file", {.size = 1, .modified_s = 1, .life_s = 1}},
		{"a file elsewhere", {.size = 1, .modified_s = 1, .life_s = 1, .file = "../a"}},
		{"a public name elsewhere",
			{.size = 1, .modified_s = 1, .life_s = 1, .file = "a", .suffix = "a/b"}},
		{"a type of two lines",
			{.size = 1, .modified_s = 1, .life_s = 1, .file = "a", .type = "a\r\nb"}},
		{"no date", {.size = 1, .life_s = 1, .file = "a"}},
		{"no life", {.size = 1, .modified_s = 1, .file = "a"}},
	};
	static const struct block_map_info passed = {
		.size = 9000000000000, .passed = 1, .modified_s = 1, .life_s = 1, .file = "a"};
	struct block_map *m = open_new(&good);
	struct fail f = {0};
	int fd;

	is_int(block_map_count(m), 6, "the last block may be short");
	is_int(block_map_length(m, 0), BLOCK_BYTES, "others are whole");
	is_int(block_map_length(m, 5), 100, "as long as what is left");
	ok(memcmp(block_map_info(m), &good, sizeof(good)) == 0, "the head says what it was told");
	is_int(block_map_missing(m, 0), 0, "nothing is there yet");
	block_map_close(&m);
	ok(block_map_make(path, &passed, boot, true, &f) == 0, "9 TB are passed on");
	m = open_again(boot);
	is_int(block_map_count(m), 0, "without a block");
	block_map_close(&m);
	m = open_new(&good);
	block_map_close(&m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f = (struct fail){0};
		ok(block_map_make(path, &bad[i].info, boot, true, &f) < 0 && f.kind == FAIL_INPUT,
			"no map has %s", bad[i].name);
	}
	m = open_again("another-start-of-the-machine");
	ok(!m, "a map that is not whole is worth nothing after the machine started anew");
	m = open_again(boot);
	block_map_publish(m);
	ok(!open_again("another-start-of-the-machine"),
		"nor is one that is whole while its bytes may not be on the disk");
	fd = open(path, O_RDONLY);
	ok(block_map_settle(m, fd) && block_map_is_settled(m) && block_map_is_published(m),
		"it is settled");
	close(fd);
	block_map_close(&m);
	m = open_again("another-start-of-the-machine");
	ok(m != NULL, "and outlives the start then");
	block_map_close(&m);
	ok(block_map_make(path,
		   &(struct block_map_info){.size = 0, .modified_s = 1, .life_s = 1, .file = "a"},
		   boot, false, &f) == 0,
		"who comes second");
	m = open_again(boot);
	is_int(block_map_count(m), 6, "finds the one that is there");
	block_map_close(&m);
}

/* Each byte of the head and the words, spoilt: no use of it leads out of the file. */
static void spoilt(void)
{
	struct block_map *m = open_new(&good);
	int refused = 0, opened = 0, fd;
	struct stat st;

	block_map_close(&m);
	stat(path, &st);
	is_int(st.st_blocks * 512 >= st.st_size, true, "a map has no holes");
	fd = open(path, O_RDWR);
	for (off_t at = 0; at < 512; at++) {
		unsigned char was, now;

		pread(fd, &was, 1, at);
		now = (unsigned char)(was ^ 0xff);
		pwrite(fd, &now, 1, at);
		m = open_again(boot);
		refused += !m;
		opened += m != NULL;
		for (int64_t n = 0; m && n < block_map_count(m); n++)
			block_map_have(m, n);
		block_map_close(&m);
		pwrite(fd, &was, 1, at);
	}
	ok(refused > 100 && opened > 0, "heads that cannot be are refused (%d), others used (%d)",
		refused, opened);
	m = open_again(boot);
	for (off_t at = 4096; at < st.st_size; at += 8) {
		static const uint32_t words[2] = {0x7fffffff, 0xfffffff0};
		pwrite(fd, words, 8, at);
	}
	is_int(block_map_have(m, 5), 0, "more bytes than a block has are none");
	ok(block_map_enter(m) && block_map_take(m, 5) == BLOCK_MINE,
		"and an owner that cannot be is replaced");
	block_map_close(&m);
	ftruncate(fd, st.st_size - 8);
	ok(!open_again(boot), "a map that is too short is refused");
	ftruncate(fd, 10);
	ok(!open_again(boot), "one of ten bytes too");
	close(fd);
}

/* --- owners ----------------------------------------------------------------------------------- */

static void blocks(void)
{
	struct block_map *a = open_new(&good), *b = open_again(boot);

	ok(!block_map_is_owned(b), "nobody owns a new map");
	ok(block_map_enter(a) && block_map_enter(b), "two processes become owners");
	is_int(block_map_take(a, 1), BLOCK_MINE, "an empty block is taken");
	is_int(block_map_take(a, 1), BLOCK_MINE, "again by its owner");
	is_int(block_map_take(b, 1), BLOCK_OTHERS, "not by another");
	ok(block_map_extend(a, 1, 1000), "it is filled");
	is_int(block_map_have(b, 1), 1000, "which others see as it goes");
	block_map_drop(a, 1);
	is_int(block_map_take(b, 1), BLOCK_MINE, "given back, another takes it");
	is_int(block_map_have(b, 1), 1000, "and goes on where it was left");
	ok(!block_map_extend(a, 1, 2000), "who lost it learns so");
	is_int(block_map_have(b, 1), 2000, "but what it wrote counts");
	block_map_extend(b, 1, 1500);
	is_int(block_map_have(a, 1), 2000, "and is never less");
	ok(block_map_extend(b, 1, BLOCK_BYTES), "filled whole");
	is_int(block_map_take(a, 1), BLOCK_PRESENT, "it is present");
	is_int(block_map_missing(a, 1), 2, "and not missing");
	is_int(block_map_take(a, 2), BLOCK_MINE, "a block is taken");
	*moved_ms += BLOCK_MAP_LATE_MS - 1000;
	is_int(block_map_take(b, 2), BLOCK_OTHERS, "its owner may be slow");
	block_map_extend(a, 2, 1);
	*moved_ms += BLOCK_MAP_LATE_MS - 1000;
	is_int(block_map_take(b, 2), BLOCK_OTHERS, "as long as something comes");
	*moved_ms += BLOCK_MAP_LATE_MS;
	is_int(block_map_take(b, 2), BLOCK_MINE, "not for ever");
	is_int(block_map_take(a, 3), BLOCK_MINE, "a block is taken");
	block_map_close(&a);
	is_int(block_map_take(b, 3), BLOCK_MINE, "whose owner is gone: another takes it at once");
	block_map_close(&b);
	a = open_again(boot);
	ok(!block_map_is_owned(a), "nobody is left");
	ok(!block_map_is_gone(a), "the object is still there");
	block_map_end(a);
	ok(block_map_is_gone(a), "until somebody ends it");
	block_map_close(&a);
}

static void *wait_thread(void *ctx)
{
	int64_t begun_us = clock_mono_us();

	block_map_wait(ctx, 0, 0, 250);
	return (void *)(intptr_t)(clock_mono_us() - begun_us);
}

static void waiting(void)
{
	struct block_map *m = open_new(&good), *other = open_again(boot);
	pthread_t thread;
	void *us;

	is_int(block_map_wait(m, 0, 0, 20), 0, "a wait ends though nothing comes");
	block_map_enter(other);
	block_map_take(other, 0);
	pthread_create(&thread, NULL, wait_thread, m);
	usleep(50000);
	block_map_extend(other, 0, 10);
	block_map_wake(other, 0);
	pthread_join(thread, &us);
	ok((intptr_t)us < 240000, "who waits is woken (%ld us)", (long)(intptr_t)us);
	is_int(block_map_wait(m, 0, 9, 250), 10, "what is there needs no waiting");
	block_map_close(&m);
	block_map_close(&other);
}

/* --- many processes, killed at any instant ---------------------------------------------------- */

enum { MANY = 300, WRITERS = 6, KILLS = 60 };

static unsigned char byte_at(int64_t at)
{
	return (unsigned char)((uint64_t)at / 4096 * 2654435761u >> 13 ^ (uint64_t)at);
}

/* Fills block after block in pieces, from where it was left. */
static void fill_all(int data)
{
	struct block_map *m = open_again(boot);
	unsigned char piece[16384];

	if (!m || !block_map_enter(m))
		_exit(9);
	for (int64_t n = block_map_missing(m, 0); n < block_map_count(m);) {
		uint32_t at = block_map_have(m, n), length = block_map_length(m, n);

		if (block_map_take(m, n) != BLOCK_MINE) {
			n = n + 1 < block_map_count(m) ? n + 1 : block_map_missing(m, 0);
			continue;
		}
		while (at < length) {
			uint32_t take = length - at < sizeof(piece) ? length - at : sizeof(piece);
			for (uint32_t i = 0; i < take; i++)
				piece[i] = byte_at(n * BLOCK_BYTES + at + i);
			pwrite(data, piece, take, n * BLOCK_BYTES + at);
			at += take;
			if (!block_map_extend(m, n, at))
				break;
		}
		n = block_map_missing(m, 0);
	}
	_exit(0);
}

/* Everything that the map says is there, is. */
static int64_t count_wrong(struct block_map *m, int data)
{
	unsigned char *bytes = malloc(BLOCK_BYTES);
	int64_t wrong = 0;

	for (int64_t n = 0; n < block_map_count(m); n++) {
		uint32_t have = block_map_have(m, n);

		wrong += pread(data, bytes, have, n * BLOCK_BYTES) != (ssize_t)have;
		for (uint32_t i = 0; i < have; i += 97)
			wrong += bytes[i] != byte_at(n * BLOCK_BYTES + i);
	}
	free(bytes);
	return wrong;
}

static void killed(void)
{
	struct block_map_info info = good;
	struct block_map *m;
	pid_t pids[WRITERS];
	int64_t wrong = 0;
	char file[160];
	int data, ended = 0, bad = 0;

	info.size = (int64_t)MANY * BLOCK_BYTES - 77;
	m = open_new(&info);
	file_path(file, sizeof(file), "%s/data", dir);
	data = open(file, O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < WRITERS; i++) {
		if ((pids[i] = fork()) == 0)
			fill_all(data);
	}
	srand(7);
	for (int i = 0; i < KILLS && block_map_missing(m, 0) < block_map_count(m); i++) {
		int who = rand() % WRITERS;

		block_map_wait(m, block_map_missing(m, 0) % MANY, BLOCK_BYTES - 1, 1 + rand() % 8);
		kill(pids[who], SIGKILL);
		waitpid(pids[who], NULL, 0);
		wrong += count_wrong(m, data);
		if ((pids[who] = fork()) == 0)
			fill_all(data);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		ended += status == 0;
		bad += status != 0;
	}
	is_int(ended, WRITERS, "those who are left finish");
	is_int(bad, 0, "none of them fails");
	is_int(block_map_missing(m, 0), MANY, "every block is there in the end");
	is_int(wrong + count_wrong(m, data), 0,
		"and no byte was ever wrong that was said to be there");
	ok(!block_map_is_owned(m), "nobody owns anything any more");
	block_map_close(&m);
	close(data);
	unlink(file);
}

/* --- threads, for the thread sanitizer -------------------------------------------------------- */

static void *read_thread(void *ctx)
{
	struct block_map *m = ctx;

	for (int64_t n = 0; n < block_map_count(m); n++) {
		for (uint32_t have = 0; have < block_map_length(m, n);)
			have = block_map_wait(m, n, have, 250);
	}
	return NULL;
}

static void *write_thread(void *ctx)
{
	struct block_map *m = ctx;

	for (int64_t n = 0; n < block_map_count(m); n++) {
		if (block_map_take(m, n) != BLOCK_MINE)
			continue;
		for (uint32_t at = 0; at < block_map_length(m, n);) {
			at += block_map_length(m, n) - at < 65536 ? block_map_length(m, n) - at
								  : 65536;
			block_map_extend(m, n, at);
		}
	}
	return NULL;
}

static void threads(void)
{
	struct block_map *m[4];
	pthread_t thread[4];

	m[0] = open_new(&good);
	for (int i = 1; i < 4; i++)
		m[i] = open_again(boot);
	ok(block_map_enter(m[0]) && block_map_enter(m[1]), "two owners, two readers");
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, i < 2 ? write_thread : read_thread, m[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	is_int(block_map_missing(m[3], 0), block_map_count(m[3]), "come to an end");
	for (int i = 0; i < 4; i++)
		block_map_close(&m[i]);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	moved_ms = clock_open(dir);
	file_path(path, sizeof(path), "%s/map", dir);
	block_map_boot(boot);
	ok(strlen(boot) > 30, "the machine says which start this is");
	heads();
	spoilt();
	blocks();
	waiting();
	killed();
	threads();
	unlink(path);
	file_path(path, sizeof(path), "%s/clock", dir);
	unlink(path);
	is_int(rmdir(dir), 0, "nothing is left over");
	return tap_done();
}
