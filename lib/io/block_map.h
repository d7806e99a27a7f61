/* lib/io/block_map.h - which blocks of a sparse file are there, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause
 * A map is a file of its own beside the file that it tells of: a head that never changes, and a
 * word or two for each block of BLOCK_BYTES. A block is empty, being filled by an owner until a
 * deadline, or present; it goes from one to the next by compare-and-swap, and there is no lock
 * (mmap(2), futex(2)). An owner has a slot: a byte of the file that it keeps locked (fcntl(2), open
 * file description locks), so that the kernel tells when it has died. Whoever finds a block whose
 * owner is dead or late may take it; both write the same bytes then.
 *
 * What a map says of a block is true when it is read and stays true: bytes are written before they
 * are told of, and never change. A map is allocated whole before it is mapped, and never truncated.
 * Whatever stands in the file, nothing here reads or writes outside of it. */
#ifndef SLUICE_IO_BLOCK_MAP_H
#define SLUICE_IO_BLOCK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"

enum {
	BLOCK_BYTES = 262144,
	BLOCK_MAP_SLOTS = 64,		/* owners at once */
	BLOCK_MAP_LATE_MS = 10000,	/* an owner that adds nothing for so long may be replaced */
	BLOCK_MAP_WAIT_MS = 250,	/* the longest wait */
	BLOCK_MAP_BLOCKS_MAX = 1 << 20, /* 256 GiB */
	BLOCK_MAP_BOOT_BYTES = 40
};

/* What the head says. Texts end in a NUL and hold printable ASCII. */
struct block_map_info {
	int64_t size; /* of the file; where it is kept at most BLOCK_MAP_BLOCKS_MAX * BLOCK_BYTES */
	int64_t passed;		       /* 1: its bytes are not kept, and it has no blocks; else 0 */
	int64_t modified_s, expires_s; /* since the epoch; expires_s 0: not known */
	int64_t life_s;		       /* after its last use */
	char file[40];		       /* name of the file with the bytes: [0-9a-f] alone */
	char suffix[8];		       /* of its public name, "webm": [0-9a-z] alone, or "" */
	char type[64];		       /* Content-Type */
	char validator[128];	       /* the upstream's; "" when it gives none */
	char given[16];		       /* quality */
};

struct block_map;

/* Which start of the machine this is, for the maps made since. "" when the system does not say. */
void block_map_boot(char to[BLOCK_MAP_BOOT_BYTES]);

/* Makes the map `path`, with every block empty. Where one is there it stays, unless `replace`.
 * Fails: FAIL_INPUT for an info that no map can have, FAIL_BUSY when the disk is full,
 * FAIL_INTERNAL. */
int block_map_make(const char *path, const struct block_map_info *info, const char *boot,
	bool replace, struct fail *f);

/* Opens the map at `path`, or the one that `fd` is open on, which is taken. One from before the
 * machine started counts as none, unless it is settled: its bytes may not have come to the disk.
 * Fails: FAIL_MISSING (none, or no good), FAIL_INTERNAL. */
int block_map_open(struct block_map **out, const char *path, const char *boot, struct fail *f);
int block_map_open_fd(struct block_map **out, int fd, const char *boot, struct fail *f);
void block_map_close(struct block_map **m); /* leaves the slot too */

const struct block_map_info *block_map_info(const struct block_map *m); /* as long as it is open */
int64_t block_map_count(const struct block_map *m);
uint32_t block_map_length(const struct block_map *m, int64_t n); /* of block n; the last is short */

/* --- those who read --------------------------------------------------------------------------- */

/* How many bytes of block `n` are there, from its beginning. */
uint32_t block_map_have(const struct block_map *m, int64_t n);

/* The first block from `n` on that is not whole; the number of blocks when all are. */
int64_t block_map_missing(const struct block_map *m, int64_t n);

/* Waits until block `n` has more than `have` bytes, or somebody has something to tell
 * (block_map_wake), at most `wait_ms`, BLOCK_MAP_WAIT_MS at that. What it has then. */
uint32_t block_map_wait(struct block_map *m, int64_t n, uint32_t have, int wait_ms);

/* When it was last used, in ms since the epoch: notes that it is now, and says. */
void block_map_touch(struct block_map *m, int64_t now_ms);
int64_t block_map_used_ms(const struct block_map *m);

/* Whether the file is whole and has its public name. */
bool block_map_is_published(const struct block_map *m);

/* Whether another object has taken this one's place, or it was removed: nothing will come any
 * more. */
bool block_map_is_gone(const struct block_map *m);

/* --- those who write -------------------------------------------------------------------------- */

/* Becomes an owner. False when all slots are taken. */
bool block_map_enter(struct block_map *m);

/* Whether any owner is alive, this one included. */
bool block_map_is_owned(const struct block_map *m);

enum block_take {
	BLOCK_MINE,    /* to be filled from block_map_have() on */
	BLOCK_PRESENT, /* whole already */
	BLOCK_OTHERS   /* another owner fills it */
};
enum block_take block_map_take(struct block_map *m, int64_t n);

/* Bytes up to `have` of block `n` are written: tells so, and that its owner is alive. A whole block
 * is present from then on, and wakes those who wait for it; they see more of another when they next
 * look. False when the block is not ours any more: others go on with it. */
bool block_map_extend(struct block_map *m, int64_t n, uint32_t have);

/* Gives a block back as it is. */
void block_map_drop(struct block_map *m, int64_t n);

/* Those who wait for block `n` look around. */
void block_map_wake(struct block_map *m, int64_t n);

void block_map_publish(struct block_map *m); /* the file is whole and has its public name */

/* Of what is published: writes the map to the disk, after its bytes `fd`, and says so in it: it
 * outlives the machine's fall from here on. May take long. False when it could not. */
bool block_map_settle(struct block_map *m, int fd);
bool block_map_is_settled(const struct block_map *m);
void block_map_end(struct block_map *m); /* it is gone; wakes all */

#endif
