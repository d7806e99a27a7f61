/* t/unit/objects.c - the store of the byte cache: lives, room, and what was left over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/objects.h"

#include <utime.h>

#include "lib/svc/object.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

static const char boot[] = "this start";
static volatile int64_t *moved_ms;
static struct place at;

static bool there(const char *half, const char *name)
{
	char path[256];

	file_path(path, sizeof(path), "%s/%s/%s", at.conf.stream_dir, half, name);
	return access(path, F_OK) == 0;
}

static void write_file(const char *half, const char *name, int64_t bytes)
{
	char path[256], *zeros = calloc(1, (size_t)bytes);
	int fd;

	file_path(path, sizeof(path), "%s/%s/%s", at.conf.stream_dir, half, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	if (pwrite(fd, zeros, (size_t)bytes, 0) != bytes)
		exit(99);
	close(fd);
	free(zeros);
}

/* An object of so many blocks, of which the first `have` are there. It is its caller's. */
static struct block_map *make(
	const char *name, const char *file, int64_t blocks, int64_t have, int64_t life_s)
{
	struct block_map_info info = {.size = blocks * BLOCK_BYTES,
		.modified_s = 1,
		.life_s = life_s,
		.suffix = "mp3",
		.type = "audio/mpeg"};
	struct block_map *m = NULL;
	struct fail f = {0};
	char path[256];

	span_copy(span_of(file), info.file, sizeof(info.file));
	object_map_path(&at.conf, name, path, sizeof(path));
	if (block_map_make(path, &info, boot, true, &f) < 0 ||
		block_map_open(&m, path, boot, &f) < 0) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
	write_file("work", file, have * BLOCK_BYTES);
	return m;
}

static void use_at(struct block_map *m, int64_t ago_s)
{
	block_map_touch(m, clock_real_ms() - ago_s * 1000);
	block_map_close(&m);
}

static void lives(void)
{
	use_at(make("a", "aa", 4, 4, 300), 290);
	use_at(make("b", "bb", 4, 4, 300), 310);
	is_int(objects_sweep(&at.conf, at.board, boot, 0) / BLOCK_BYTES, 4,
		"what lives is counted");
	ok(there("work", "aa") && there("work", "a.map"), "what was used five minutes ago lives");
	ok(!there("work", "bb") && !there("work", "b.map"), "a little longer, and it is gone");
	*moved_ms += 20000;
	is_int(objects_sweep(&at.conf, at.board, boot, 0), 0, "its time comes too");
}

static void room(void)
{
	struct block_map *owned = make("c", "cc", 100, 1, 300);
	char from[256], to[256];

	block_map_touch(owned, clock_real_ms() - 200000);
	block_map_enter(owned);
	use_at(make("d", "dd", 40, 40, 300), 100);
	use_at(make("e", "ee", 40, 40, 300), 50);
	object_map_path(&at.conf, "e", from, sizeof(from));
	object_map_path(&at.conf, "e2", to, sizeof(to));
	link(from, to);
	is_int(objects_sweep(&at.conf, at.board, boot, 0) / BLOCK_BYTES, 180,
		"what is being filled counts whole, what two names lead to once");
	is_int(objects_sweep(&at.conf, at.board, boot, 150 * (int64_t)BLOCK_BYTES) / BLOCK_BYTES,
		140, "some of it goes when there is no room");
	ok(!there("work", "dd"), "the one that was used longest ago");
	ok(there("work", "cc"), "but for what is being filled");
	ok(there("work", "ee"), "and no more than has to");
	is_int(board_get(at.board, BOARD_STREAM_BYTES) / BLOCK_BYTES, 140, "which all can see");
	objects_sweep(&at.conf, at.board, boot, 1);
	ok(!there("work", "ee") && !there("work", "e.map") && !there("work", "e2.map"),
		"it goes under all its names");
	block_map_close(&owned);
	objects_sweep(&at.conf, at.board, boot, 1);
	ok(!there("work", "cc"), "what nobody fills any more may go");
	ok(!objects_has_room(&at.conf, at.board, boot, at.conf.stream_quota / 4 + 1),
		"more than a quarter is never kept");
	for (int i = 0; i < 4; i++)
		ok(objects_has_room(&at.conf, at.board, boot, at.conf.stream_quota / 4),
			"a quarter is (%d)", i);
	ok(objects_has_room(&at.conf, at.board, boot, MB),
		"a promise that nobody keeps is forgotten");
}

static void ends(void)
{
	struct block_map *m = make("f", "ff", 2, 2, 300);
	char path[256];
	int fd;

	write_file("pub", "ff.mp3", 10);
	object_work_path(&at.conf, "ff", path, sizeof(path));
	fd = open(path, O_RDONLY);
	objects_end(&at.conf, m);
	ok(block_map_is_gone(m), "who reads an object learns that it is gone");
	ok(!there("work", "ff") && !there("pub", "ff.mp3"), "it has no name any more");
	is_int(lseek(fd, 0, SEEK_END), 2 * BLOCK_BYTES, "who has it open has it still");
	close(fd);
	block_map_close(&m);
	m = NULL;
	ok(!object_open(&at.conf, "f", boot, &m), "nobody finds it again");
	objects_sweep(&at.conf, at.board, boot, 0);
	ok(!there("work", "f.map"), "and the janitor takes its map away");
}

static void leftovers(void)
{
	write_file("work", "0123456789abcdef0123456789abcdef", 100);
	write_file("work", "broken.map", 5000);
	write_file("pub", "0123456789abcdef0123456789abcdef.mp3", 100);
	use_at(make("g", "9999", 1, 1, 300), 0);
	write_file("pub", "9999.mp3", 100);
	objects_sweep(&at.conf, at.board, boot, 0);
	ok(there("work", "0123456789abcdef0123456789abcdef") && there("work", "broken.map"),
		"what is young may be in the making");
	ok(there("work", "9999") && there("pub", "9999.mp3"), "what a map leads to stays");
	use_at(make("h", "dead", 1, 1, 300), 0);
	is_int(objects_sweep(&at.conf, at.board, "another start", 0), 0,
		"what is not whole is no more after the machine started anew");
}

static void settled(void)
{
	struct block_map *kept = make("k", "aa01", 1, 1, 300), *lost, *m = NULL;

	block_map_publish(kept);
	objects_settle(&at.conf, boot);
	lost = make("l", "aa02", 1, 1, 300);
	block_map_publish(lost);
	ok(block_map_is_settled(kept) && !block_map_is_settled(lost),
		"what is whole is written to the disk now and then");
	block_map_close(&kept);
	block_map_close(&lost);
	ok(object_open(&at.conf, "k", "another start", &m), "and outlives the machine's fall");
	block_map_close(&m);
	ok(!object_open(&at.conf, "l", "another start", &m), "which what was not is not");
}

static void names(void)
{
	static const struct quality high = {QUALITY_HIGH, 0}, low = {QUALITY_LOW, 0},
				    hinted = {QUALITY_AUTO, 0};
	struct block_map_info info = {.size = 10};
	char a[OBJECT_NAME_BYTES], b[OBJECT_NAME_BYTES], tag[sizeof(info.validator)];
	unsigned char key[SIGN_SIZE] = {1};
	struct object_ask one, other;

	ok(object_ask_make(&one, "song", &high, 77, NULL) && object_ask_ok(&one),
		"a song is asked for");
	object_ask_make(&other, "song", &high, 99, NULL);
	object_name(&one, a);
	object_name(&other, b);
	is_str(a, b, "hints that are not looked at change nothing");
	object_ask_make(&one, "song", &hinted, 1001, NULL);
	object_ask_make(&other, "song", &hinted, 1700, NULL);
	ok(one.kbps == other.kbps && one.kbps == 1000, "hints that mean the same are one");
	object_ask_make(&other, "song", &low, 0, NULL);
	object_name(&other, b);
	ok(strcmp(a, b) != 0, "another quality is another object");
	memset(other.id, 'x', sizeof(other.id));
	ok(!object_ask_ok(&other), "an id without an end is none");
	object_file("o", &info, key, a);
	object_file("o", &info, key, b);
	ok(strcmp(a, b) != 0, "bytes that nothing tells apart are never the same twice");
	span_copy(span_of("\"v\""), info.validator, sizeof(info.validator));
	object_file("o", &info, key, a);
	object_file("o", &info, key, b);
	is_str(a, b, "those of one validator are");
	key[0] = 2;
	object_file("o", &info, key, b);
	ok(strcmp(a, b) != 0, "under a name that goes by the server's key");
	object_validator("\"v\"", tag);
	is_str(tag, "\"v\"", "a validator is kept as it is");
	object_validator("\"\xe4\"", tag);
	is_int(strlen(tag), 64, "an odd one by its digest");
}

int main(void)
{
	char dir[] = "/tmp/sluice-objects-XXXXXX", path[256];
	struct fail f = {0};

	if (!mkdtemp(dir))
		return 1;
	moved_ms = clock_open(dir);
	place_open(&at, dir);
	file_path(path, sizeof(path), "%s/work", at.conf.stream_dir);
	file_mkdirs(path, 0700, &f);
	file_path(path, sizeof(path), "%s/pub", at.conf.stream_dir);
	file_mkdirs(path, 0755, &f);
	lives();
	room();
	ends();
	leftovers();
	settled();
	names();
	place_close(&at);
	is_int(shell("rm -rf \"$PWD\"", dir), 0, "tidied up");
	return tap_done();
}
