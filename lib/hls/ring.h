/* lib/hls/ring.h - MPEG-TS packets on their way to a reader that may be slow.
 * SPDX-License-Identifier: BSD-2-Clause
 * When it is full the oldest packets go, a quarter of the ring at least, up to one with which a
 * decoder can begin; the rest of a packet that the reader has got a part of is never lost. */
#ifndef SLUICE_HLS_RING_H
#define SLUICE_HLS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hls/ts.h"

struct ring {
	uint8_t *bytes;		  /* owned: size packets */
	bool *entry;		  /* owned, by packet: a decoder can begin here */
	size_t size, head, count; /* in packets */
	size_t taken;		  /* bytes of the head packet that were given */
	uint8_t rest[TS_PACKET];  /* of a packet that was dropped half given */
	size_t rest_len;
	int64_t dropped; /* packets, ever */
};

/* False without memory. Memory that is never filled is never touched. */
bool ring_init(struct ring *r, size_t packets);
void ring_release(struct ring *r); /* accepts a zeroed one */

void ring_push(struct ring *r, const uint8_t packet[TS_PACKET], bool entry);

/* The next bytes in one piece: *ptr, good until the next call. 0 when there are none. */
size_t ring_peek(const struct ring *r, const uint8_t **ptr);

/* `len` of them (at most what ring_peek said) were used. */
void ring_take(struct ring *r, size_t len);

/* Forgets all, half given packets too: there is a new reader. */
void ring_clear(struct ring *r);

#endif
