/* lib/hls/pes.c - whole PES packets out of TS packets, and TS packets out of them again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/pes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"

enum { HEADER = 9, STAMP = 5 };

bool pes_init(struct pes *p, size_t max)
{
	*p = (struct pes){.bytes = malloc(max), .max = max, .counter = -1};
	return p->bytes != NULL;
}

void pes_release(struct pes *p)
{
	free(p->bytes);
	*p = (struct pes){0};
}

void pes_drop(struct pes *p)
{
	p->open = false;
	p->len = p->need = 0;
	p->counter = -1;
	p->seam = false;
}

void pes_seam(struct pes *p)
{
	p->seam = true;
}

/* What is behind the header of a TS packet, or nothing. */
static size_t payload_of(const uint8_t packet[TS_PACKET])
{
	size_t at = 4 + (packet[3] & 0x20 ? 1 + (size_t)packet[4] : 0);

	return packet[3] & 0x10 && at < TS_PACKET ? at : TS_PACKET;
}

/* 2.4.3.3: a packet may come twice. */
static bool is_repeated(const struct pes *p, const uint8_t packet[TS_PACKET])
{
	return (packet[3] & 15) == p->counter && !(p->seam && packet[1] & 0x40);
}

static bool is_next(const struct pes *p, const uint8_t packet[TS_PACKET])
{
	return p->counter < 0 || (packet[3] & 15) == (p->counter + 1) % 16;
}

enum pes_result pes_end(struct pes *p, const uint8_t packet[TS_PACKET])
{
	if (!p->open || !(packet[1] & 0x40) || payload_of(packet) == TS_PACKET ||
		is_repeated(p, packet))
		return PES_MORE;
	p->open = false;
	p->damaged |= (!is_next(p, packet) && !p->seam) || p->len < p->need;
	return PES_DONE;
}

static void begin(struct pes *p)
{
	p->open = true;
	p->damaged = false;
	p->len = p->need = 0;
}

enum pes_result pes_add(struct pes *p, const uint8_t packet[TS_PACKET])
{
	size_t at = payload_of(packet), part = TS_PACKET - at;

	if (part == 0 || is_repeated(p, packet))
		return PES_MORE;
	if (packet[1] & 0x40)
		begin(p);
	else
		p->damaged |= !is_next(p, packet);
	p->counter = packet[3] & 15;
	p->seam = false;
	if (p->open && p->len + part > p->max)
		p->open = false;
	if (!p->open)
		return PES_MORE;
	memcpy(p->bytes + p->len, packet + at, part);
	p->len += part;
	if (p->need == 0 && p->len >= 6 && (p->bytes[4] || p->bytes[5]))
		p->need = 6 + ((size_t)p->bytes[4] << 8 | p->bytes[5]);
	if (p->need == 0 || p->len < p->need)
		return PES_MORE;
	p->len = p->need;
	p->open = false;
	return PES_DONE;
}

bool pes_is_whole(const struct pes *p)
{
	return p->open && p->need == 0 && !p->damaged;
}

static int64_t read_stamp(const uint8_t *b)
{
	return (int64_t)(b[0] >> 1 & 7) << 30 | (int64_t)b[1] << 22 | (int64_t)(b[2] >> 1) << 15 |
	       (int64_t)b[3] << 7 | b[4] >> 1;
}

static void write_stamp(uint8_t *b, int64_t value)
{
	b[0] = (uint8_t)((b[0] & 0xf0) | (value >> 30 & 7) << 1 | 1);
	b[1] = (uint8_t)(value >> 22);
	b[2] = (uint8_t)(value >> 15 << 1 | 1);
	b[3] = (uint8_t)(value >> 7);
	b[4] = (uint8_t)(value << 1 | 1);
}

bool pes_times(const uint8_t *bytes, size_t len, struct pes_times *out)
{
	struct pes_times t = {0};
	size_t need;

	if (len < HEADER || bytes[0] || bytes[1] || bytes[2] != 1 || (bytes[6] & 0xc0) != 0x80)
		return false;
	t.has_pts = bytes[7] & 0x80;
	t.has_dts = (bytes[7] & 0xc0) == 0xc0;
	t.payload = HEADER + (size_t)bytes[8];
	need = HEADER + STAMP * ((size_t)t.has_pts + t.has_dts);
	if (t.payload > len || t.payload < need)
		return false;
	if (t.has_pts)
		t.pts = read_stamp(bytes + HEADER);
	t.dts = t.has_dts ? read_stamp(bytes + HEADER + STAMP) : t.pts;
	*out = t;
	return true;
}

static int64_t wrapped(int64_t time)
{
	return (time % PES_WRAP + PES_WRAP) % PES_WRAP;
}

void pes_move(uint8_t *bytes, const struct pes_times *t, int64_t by)
{
	if (t->has_pts)
		write_stamp(bytes + HEADER, wrapped(t->pts + by));
	if (t->has_dts)
		write_stamp(bytes + HEADER + STAMP, wrapped(t->dts + by));
}

int64_t pes_step(int64_t from, int64_t to)
{
	return wrapped(to - from + PES_WRAP / 2) - PES_WRAP / 2;
}

int64_t pes_read_pcr(const uint8_t *b)
{
	return (int64_t)b[0] << 25 | (int64_t)b[1] << 17 | (int64_t)b[2] << 9 | (int64_t)b[3] << 1 |
	       b[4] >> 7;
}

/* 2.4.3.5: 33 bits of 90 kHz, six reserved ones, nine of 27 MHz */
void pes_write_pcr(uint8_t *b, int64_t pcr)
{
	pcr = wrapped(pcr);
	b[0] = (uint8_t)(pcr >> 25);
	b[1] = (uint8_t)(pcr >> 17);
	b[2] = (uint8_t)(pcr >> 9);
	b[3] = (uint8_t)(pcr >> 1);
	b[4] = (uint8_t)((pcr & 1) << 7 | 0x7e);
	b[5] = 0;
}

/* Fills one packet from the front of the bytes; returns how many it took. */
static size_t print_one(
	const uint8_t *bytes, size_t len, const struct pes_out *how, bool first, uint8_t *p)
{
	bool pcr = first && how->pcr >= 0, entry = first && how->entry;
	size_t field = pcr ? 8 : entry ? 2 : 0, room = TS_PACKET - 4 - field;

	if (len < room) {
		field += room - len;
		room = len;
	}
	p[0] = 0x47;
	p[1] = (uint8_t)((first ? 0x40 : 0) | how->pid >> 8);
	p[2] = (uint8_t)how->pid;
	p[3] = (uint8_t)((field ? 0x30 : 0x10) | (*how->counter)++ % 16);
	if (field) {
		p[4] = (uint8_t)(field - 1);
		memset(p + 5, 0xff, field - 1);
	}
	if (field > 1)
		p[5] = (uint8_t)((entry ? 0x40 : 0) | (pcr ? 0x10 : 0));
	if (pcr)
		pes_write_pcr(p + 6, how->pcr);
	memcpy(p + TS_PACKET - room, bytes, room);
	return room;
}

void pes_print(
	const uint8_t *bytes, size_t len, const struct pes_out *how, pes_packet_fn *each, void *ctx)
{
	uint8_t packet[TS_PACKET];

	must(how->pid <= 0x1fff);
	for (size_t at = 0; at < len;) {
		bool first = at == 0;
		at += print_one(bytes + at, len - at, how, first, packet);
		each(ctx, packet, first && how->entry);
	}
}
