/* lib/svc/blocks.h - the bytes of an object, from the byte cache and as they come.
 * SPDX-License-Identifier: BSD-2-Clause
 * A reader never asks an upstream: it reads what is there, tells the filler (lib/svc/fill.h) what
 * it wants next, and waits for it. One thread. */
#ifndef SLUICE_SVC_BLOCKS_H
#define SLUICE_SVC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/io/block_map.h"
#include "lib/svc/object.h"

struct conf;

enum { BLOCKS_WAIT_MS = 30000 }; /* the longest that nothing comes */

struct blocks;

/* Opens what is asked for, as far as it is known. Never waits. Borrows `conf` and `boot`; `gone_fd`
 * (-1: not looked at) is a client's connection: nobody waits longer than it is open. Fails:
 * FAIL_BUSY without memory. */
int blocks_open(struct blocks **out, const struct conf *conf, const char *boot,
	const struct object_ask *ask, int gone_fd, struct fail *f);
void blocks_close(struct blocks **b);

/* Whether it is known what it is; then what. */
bool blocks_is_known(const struct blocks *b);
const struct block_map_info *blocks_info(const struct blocks *b);

/* Has it found out by the filler, which is told that bytes `first` to `last` (-1: the end) will be
 * wanted first. Waits until the filler answers, at most BLOCKS_WAIT_MS together with the wait for
 * the first byte. Fails: FAIL_GONE; FAIL_TIMEOUT; or what the source said, with *retry_s set where
 * it is known. */
int blocks_learn(struct blocks *b, int64_t first, int64_t last, int64_t *retry_s, struct fail *f);

/* Whether it is whole, and has a public name; and a descriptor of it, which is the caller's: -1
 * when there is none. */
bool blocks_is_published(const struct blocks *b);
int blocks_descriptor(const struct blocks *b);

/* A piece of the object: of the file `fd` at `offset`, or, with fd -1, in memory until the next
 * call. */
struct blocks_piece {
	int fd;
	int64_t offset;
	const char *bytes;
	size_t len;
};

/* Waits until byte `at` is there, and gives it with some of those after it, up to `last`. Bytes are
 * asked for in their order. Fails: as blocks_learn(); FAIL_CONFLICT when the object has become
 * another one at its source: where nothing was given yet, blocks_info() says what it is now, and it
 * can be asked for again. */
int blocks_next(struct blocks *b, int64_t at, int64_t last, struct blocks_piece *out,
	int64_t *retry_s, struct fail *f);

/* X-Cache of a part that has not been read yet, a literal, by its first prefetch_bytes, which are
 * what a reader waits for: "HIT" when they were there, "COALESCED" when they were just being
 * fetched for others, "MISS". */
const char *blocks_x_cache(const struct blocks *b, int64_t first, int64_t last);

#endif
