/* lib/hls/ring.c - MPEG-TS packets on their way to a reader that may be slow.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/ring.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"

bool ring_init(struct ring *r, size_t packets)
{
	must(packets >= 4);
	*r = (struct ring){.size = packets};
	r->bytes = malloc(packets * TS_PACKET);
	r->entry = calloc(packets, sizeof(*r->entry));
	if (r->bytes && r->entry)
		return true;
	ring_release(r);
	return false;
}

void ring_release(struct ring *r)
{
	free(r->bytes);
	free(r->entry);
	*r = (struct ring){0};
}

void ring_clear(struct ring *r)
{
	r->head = r->count = r->taken = r->rest_len = 0;
}

static void drop_oldest(struct ring *r)
{
	size_t gone = 0;

	if (r->taken) { /* rest_len is 0: what is left over goes out before the head does */
		r->rest_len = TS_PACKET - r->taken;
		memcpy(r->rest, r->bytes + r->head * TS_PACKET + r->taken, r->rest_len);
		r->taken = 0;
	}
	while (r->count && (gone < r->size / 4 || !r->entry[r->head])) {
		r->head = (r->head + 1) % r->size;
		r->count--;
		gone++;
	}
	r->dropped += (int64_t)gone;
}

void ring_push(struct ring *r, const uint8_t packet[TS_PACKET], bool entry)
{
	size_t at;

	if (r->count == r->size)
		drop_oldest(r);
	at = (r->head + r->count++) % r->size;
	memcpy(r->bytes + at * TS_PACKET, packet, TS_PACKET);
	r->entry[at] = entry;
}

size_t ring_peek(const struct ring *r, const uint8_t **ptr)
{
	size_t packets = r->size - r->head < r->count ? r->size - r->head : r->count;

	if (r->rest_len) {
		*ptr = r->rest;
		return r->rest_len;
	}
	*ptr = r->bytes + r->head * TS_PACKET + r->taken;
	return packets * TS_PACKET - r->taken;
}

void ring_take(struct ring *r, size_t len)
{
	size_t packets;

	if (r->rest_len) {
		must(len <= r->rest_len);
		r->rest_len -= len;
		memmove(r->rest, r->rest + len, r->rest_len);
		return;
	}
	len += r->taken;
	packets = len / TS_PACKET;
	must(packets <= r->count);
	r->taken = len % TS_PACKET;
	r->head = (r->head + packets) % r->size;
	r->count -= packets;
	must(r->taken == 0 || r->count);
}
