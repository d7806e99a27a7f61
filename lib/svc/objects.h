/* lib/svc/objects.h - the store of the byte cache: lives, room, and what was left over.
 * SPDX-License-Identifier: BSD-2-Clause
 * An object lives for so long after its last use, and the one that was used longest ago goes first
 * when there is no room. It goes whole, by unlink: who reads it keeps his descriptor. What somebody
 * fills now stays. */
#ifndef SLUICE_SVC_OBJECTS_H
#define SLUICE_SVC_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

struct block_map;
struct board;
struct conf;

/* Looks at every object: ends those whose life is over, then the oldest until all together take at
 * most `most` bytes (0: without limit). What nothing leads to any more goes, too. The bytes that
 * are left. */
int64_t objects_sweep(const struct conf *conf, struct board *board, const char *boot, int64_t most);

/* Writes what has been published since to the disk, so that it outlives the machine's fall; what
 * was not written then is dropped by the sweep after the next start. May take long. */
void objects_settle(const struct conf *conf, const char *boot);

/* Whether an object of that size may be kept: it is no larger than a quarter of stream_quota, and
 * there is room for it, or it was made. What is promised to objects that are not whole yet counts
 * as used. */
bool objects_has_room(const struct conf *conf, struct board *board, const char *boot, int64_t size);

/* Removes the object of a map: its names and its bytes. */
void objects_end(const struct conf *conf, struct block_map *map);

#endif
