/* t/unit/hoard.c - blocks of a film that its next feeder has at hand, or must not believe.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/hoard.h"

#include <string.h>

#include "t/unit/place.h"
#include "t/unit/tap.h"

enum { FILM = 10 * HOARD_BLOCK_BYTES - 1000 };

static struct hoard hoard; /* large */

static size_t length(int64_t n)
{
	return (size_t)(FILM - n * HOARD_BLOCK_BYTES < HOARD_BLOCK_BYTES
				? FILM - n * HOARD_BLOCK_BYTES
				: HOARD_BLOCK_BYTES);
}

static bool is_block(const struct hoard_block *b, int64_t n)
{
	if (!b || b->len != length(n))
		return false;
	for (size_t i = 0; i < b->len; i++) {
		if (b->bytes[i] != (char)(n * 7 + (int64_t)(i % 101)))
			return false;
	}
	return true;
}

/* As if it had been fetched. */
static void fetch(int64_t n)
{
	struct hoard_block *b = hoard_new(&hoard, n);

	b->len = length(n);
	for (size_t i = 0; i < b->len; i++)
		b->bytes[i] = (char)(n * 7 + (int64_t)(i % 101));
}

/* A feeder that begins. */
static void begin_anew(const struct hoard_film *film)
{
	hoard_release(&hoard);
	hoard_open(&hoard, film);
}

static void keep(struct place *at, const struct hoard_film *film, int64_t first, int64_t count)
{
	begin_anew(film);
	for (int64_t n = first; n < first + count; n++) {
		fetch(n % 10);
		hoard_note(&hoard, n);
		hoard_note(&hoard, n);
	}
	hoard_keep(&hoard, film, at->board);
}

static void kept(struct place *at, const struct hoard_film *film)
{
	const struct hoard_film changed[] = {{film->conf, film->id, "\"b\"", FILM},
		{film->conf, film->id, film->validator, FILM + 1},
		{film->conf, "vod-8", film->validator, FILM}};

	keep(at, film, 7, 3);
	is_int(hoard.file.count, 3, "each block is kept once");
	begin_anew(film);
	ok(!hoard_find(&hoard, 7), "the next feeder has nothing in memory");
	ok(is_block(hoard_recall(&hoard, 7), 7), "but finds what the index was made from");
	ok(is_block(hoard_find(&hoard, 7), 7), "which is in memory then");
	ok(is_block(hoard_recall(&hoard, 9), 9), "the film's last block, too");
	ok(!hoard_recall(&hoard, 3), "and no other");
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		begin_anew(&changed[i]);
		ok(!hoard_recall(&hoard, 7), "nothing of another film (%zu)", i);
	}
}

static void damaged(struct place *at, const struct hoard_film *film)
{
	char path[128];
	int fd;

	keep(at, film, 7, 2);
	file_path(path, sizeof(path), "%s/feed/vod-7", at->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	is_int(pwrite(fd, "?", 1, (off_t)sizeof(struct hoard_file) + 5000), 1, "a byte changes");
	begin_anew(film);
	ok(!hoard_recall(&hoard, 7), "that block is not believed");
	ok(!hoard_find(&hoard, 7), "nor is it in memory");
	ok(is_block(hoard_recall(&hoard, 8), 8), "the other one is");
	is_int(ftruncate(fd, (off_t)sizeof(struct hoard_file) + HOARD_BLOCK_BYTES), 0,
		"the file is cut off");
	begin_anew(film);
	ok(!hoard_recall(&hoard, 8), "what is missing is not made up");
	is_int(ftruncate(fd, 100), 0, "to less than its beginning");
	begin_anew(film);
	ok(hoard.fd < 0 && !hoard_recall(&hoard, 8), "it is none then");
	close(fd);
}

static void limits(struct place *at, const struct hoard_film *film)
{
	time_t then = (time_t)(clock_real_ms() / 1000 - HOARD_KEPT_S - 10);
	const struct timespec old[] = {{then, 0}, {then, 0}};
	char path[128];

	file_path(path, sizeof(path), "%s/feed/vod-7", at->dir);
	unlink(path);
	keep(at, film, 0, HOARD_KEPT + 1);
	is_int(access(path, F_OK), -1, "an index that was made from too much leaves nothing");
	keep(at, film, 7, 2);
	is_int(access(path, F_OK), 0, "one from little does");
	for (int64_t n = 0; n < HOARD_BLOCKS + 5; n++)
		hoard_new(&hoard, 100 + n);
	ok(!hoard_find(&hoard, 104) && hoard_find(&hoard, 105),
		"memory has room for so many blocks, and those used last stay");
	hoard_sweep(&at->conf);
	is_int(access(path, F_OK), 0, "what was asked for lately stays");
	is_int(utimensat(AT_FDCWD, path, old, 0), 0, "a day passes");
	hoard_sweep(&at->conf);
	is_int(access(path, F_OK), -1, "what was not goes");
}

int main(void)
{
	char dir[] = "/tmp/sluice-hoard-XXXXXX";
	struct hoard_film film = {.id = "vod-7", .validator = "\"a\"", .size = FILM};
	struct place at;

	if (!place_begin(&at, dir))
		return 1;
	film.conf = &at.conf;
	hoard_init(&hoard);
	kept(&at, &film);
	damaged(&at, &film);
	limits(&at, &film);
	hoard_release(&hoard);
	place_close(&at);
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
