/* t/unit/ts.c - packets out of bytes, programmes out of packets, and the ring that they wait in.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/hls/ring.h"
#include "lib/hls/ts.h"
#include "t/unit/tap.h"

struct seen {
	int count, starts, entries;
	uint16_t pids[64];
	uint8_t last[TS_PACKET];
};

static void each(void *ctx, const struct ts_packet *p)
{
	struct seen *s = ctx;

	if (s->count < 64)
		s->pids[s->count] = p->pid;
	s->count++;
	s->starts += p->start;
	s->entries += p->random_access;
	memcpy(s->last, p->bytes, TS_PACKET);
}

/* A packet with `payload` behind an adaptation field that fills the rest. */
static void put_packet(
	struct buf *to, unsigned pid, bool start, bool entry, const void *payload, size_t len)
{
	uint8_t p[TS_PACKET];
	size_t stuffing = TS_PACKET - 4 - len;

	memset(p, 0xff, sizeof(p));
	p[0] = 0x47;
	p[1] = (uint8_t)((start ? 0x40 : 0) | pid >> 8);
	p[2] = (uint8_t)pid;
	p[3] = (uint8_t)((stuffing ? 0x20 : 0) | (len ? 0x10 : 0));
	if (stuffing)
		p[4] = (uint8_t)(stuffing - 1);
	if (stuffing > 1)
		p[5] = entry ? 0x40 : 0;
	if (len)
		memcpy(p + TS_PACKET - len, payload, len);
	buf_add(to, p, sizeof(p));
}

/* A table in as many packets as it needs; `body` follows the section's length. */
static void put_table(
	struct buf *to, unsigned pid, uint8_t id, const uint8_t *body, size_t len, bool spoil)
{
	uint8_t s[TS_SECTION_MAX + 1] = {0}; /* pointer_field 0 */
	uint32_t crc;
	size_t size = 4 + len + 4, at = 0;

	s[1] = id;
	s[2] = (uint8_t)(0xb0 | (len + 4) >> 8);
	s[3] = (uint8_t)(len + 4);
	memcpy(s + 4, body, len);
	crc = ts_crc(s + 1, 3 + len) ^ spoil;
	for (int i = 0; i < 4; i++)
		s[4 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
	for (; at < size; at += 184)
		put_packet(to, pid, at == 0, false, s + at, size - at < 184 ? size - at : 184);
}

static void put_pat(struct buf *to, unsigned number, unsigned pmt_pid)
{
	uint8_t body[] = {0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, (uint8_t)(number >> 8),
		(uint8_t)number, (uint8_t)(0xe0 | pmt_pid >> 8), (uint8_t)pmt_pid};

	put_table(to, 0, 0, body, sizeof(body), false);
}

/* A PMT with one picture and one sound of these types. */
static void put_pmt(struct buf *to, unsigned pid, uint8_t video, uint8_t audio, bool spoil)
{
	uint8_t body[] = {0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0, video, 0xe1, 0x00, 0xf0, 0, audio,
		0xe1, 0x01, 0xf0, 0};

	put_table(to, pid, 2, body, sizeof(body), spoil);
}

static void put_media(struct buf *to, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		put_packet(to, 0x100, i == 0, i == 0, "\0\0\1\xe0", 4);
}

static void feed(struct ts *t, const struct buf *b, size_t portion, struct seen *s)
{
	for (size_t at = 0; at < b->len; at += portion)
		ts_feed(t, b->ptr + at, b->len - at < portion ? b->len - at : portion, each, s);
}

static void packets(void)
{
	static const size_t portions[] = {1, 7, 187, 188, 189, 1000, 100000};
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_puts(&b, "HTTP junk G with a G in it");
	put_pat(&b, 1, 0x20);
	put_pmt(&b, 0x20, 0x1b, 0x0f, false);
	put_media(&b, 20);
	put_packet(&b, 0x1fff, false, false, "", 0);
	for (size_t i = 0; i < sizeof(portions) / sizeof(portions[0]); i++) {
		struct seen s = {0};
		struct ts t;
		ts_init(&t);
		feed(&t, &b, portions[i], &s);
		is_int(s.count, 22, "in portions of %zu every packet but the stuffing comes out",
			portions[i]);
		is_int(t.skipped_bytes, 26, "what is in front of them is skipped");
		ok(s.starts == 3 && s.entries == 1, "starts and entries are told");
		ok(t.program.known && t.changes == 1, "the programme is known");
	}
	buf_release(&b);
}

static void damage(void)
{
	struct seen s = {0};
	struct buf b;
	struct ts t;

	buf_init(&b, 1 << 20);
	ts_init(&t);
	put_media(&b, 5);
	buf_add(&b, "\x47\x01\x00", 3); /* a packet that was cut */
	put_media(&b, 5);
	feed(&t, &b, 1000, &s);
	is_int(s.count, 10, "a cut inside a packet spoils it and costs the next");
	ts_resync(&t);
	s = (struct seen){0};
	buf_clear(&b);
	put_media(&b, 4);
	feed(&t, &b, 50, &s);
	is_int(s.count, 4, "after a reconnection it begins anew");
	b.ptr[1] = (char)0x80; /* transport_error_indicator */
	s = (struct seen){0};
	feed(&t, &b, b.len, &s);
	is_int(s.count, 3, "a packet that is marked as damaged is dropped");
	buf_release(&b);
}

static void programs(void)
{
	static const struct {
		uint8_t video, audio;
		enum ts_codec want_video, want_audio;
	} cases[] = {
		{0x1b, 0x0f, TS_H264, TS_AAC},
		{0x24, 0x11, TS_H265, TS_AAC_LATM},
		{0x02, 0x03, TS_MPEG2_VIDEO, TS_MPEG_AUDIO},
		{0x10, 0x81, TS_OTHER_VIDEO, TS_AC3},
		{0x1b, 0x87, TS_H264, TS_EAC3},
		{0x1b, 0x06, TS_H264, TS_OTHER},
		{0x06, 0x04, TS_OTHER, TS_MPEG_AUDIO},
	};
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s = {0};
		struct ts t;
		const struct ts_stream *v, *a;
		buf_clear(&b);
		put_pat(&b, 1, 0x20);
		put_pmt(&b, 0x20, cases[i].video, cases[i].audio, false);
		put_media(&b, 3);
		ts_init(&t);
		feed(&t, &b, b.len, &s);
		v = ts_video(&t.program);
		a = ts_audio(&t.program);
		is_int(v ? v->codec : TS_OTHER, cases[i].want_video, "type %02x is %s",
			cases[i].video, ts_codec_name(cases[i].want_video));
		is_int(a ? a->codec : TS_OTHER, cases[i].want_audio, "type %02x is %s",
			cases[i].audio, ts_codec_name(cases[i].want_audio));
	}
	buf_release(&b);
}

static void changes(void)
{
	struct seen s = {0};
	struct buf b;
	struct ts t;
	struct ts_program before;
	uint8_t big[600] = {0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0};
	size_t len = 9;

	buf_init(&b, 1 << 20);
	ts_init(&t);
	put_pat(&b, 1, 0x20);
	put_pmt(&b, 0x20, 0x1b, 0x0f, true);
	put_media(&b, 3);
	feed(&t, &b, b.len, &s);
	ok(!t.program.known, "a table whose CRC is wrong is no table");
	buf_clear(&b);
	put_pmt(&b, 0x20, 0x1b, 0x0f, false);
	put_pmt(&b, 0x20, 0x1b, 0x0f, false);
	feed(&t, &b, b.len, &s);
	is_int(t.changes, 1, "the same table again is no change");
	before = t.program;
	buf_clear(&b);
	put_pmt(&b, 0x20, 0x24, 0x0f, false);
	feed(&t, &b, b.len, &s);
	ok(t.changes == 2 && !ts_program_same(&before, &t.program), "another codec is one");
	for (int i = 0; i < 40; i++) { /* more streams than are kept, over several packets */
		memcpy(big + len, (uint8_t[]){0x0f, 0xe1, (uint8_t)i, 0xf0, 5, 'a', 'b', 0, 0, 0},
			10);
		len += 10;
	}
	buf_clear(&b);
	put_table(&b, 0x20, 2, big, len, false);
	feed(&t, &b, b.len, &s);
	is_int(t.program.count, TS_STREAMS_MAX,
		"a table over several packets; what is too much goes");
	ok(!ts_video(&t.program) && ts_audio(&t.program), "a radio has sound alone");
	buf_clear(&b);
	put_pat(&b, 7, 0x30);
	feed(&t, &b, b.len, &s);
	ok(t.program.known, "a new PAT alone changes nothing that is known");
	is_int(t.program.pmt_pid, 0x30, "but where the next PMT is looked for");
	buf_release(&b);
}

static void hostile(void)
{
	struct seen s = {0};
	struct ts t;
	uint8_t bytes[4096];

	ts_init(&t);
	srandom(4711);
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = i % TS_PACKET == 0 && round % 2 ? 0x47 : (uint8_t)random();
		for (size_t i = 0; round % 4 == 1 && i + 4 < sizeof(bytes); i += TS_PACKET)
			memcpy(bytes + i, "\x47\x40\x00\x10", 4); /* all of them tables */
		ts_feed(&t, bytes, (size_t)random() % sizeof(bytes), each, &s);
	}
	ok(t.have <= sizeof(t.partial), "noise does no harm");
}

static void rings(void)
{
	uint8_t packet[TS_PACKET], out[TS_PACKET * 64];
	const uint8_t *ptr;
	struct ring r;
	size_t len;

	ok(ring_init(&r, 8), "a ring of eight");
	is_int(ring_peek(&r, &ptr), 0, "is empty at first");
	for (int i = 0; i < 8; i++) {
		memset(packet, i, sizeof(packet));
		ring_push(&r, packet, i == 5);
	}
	ring_take(&r, 100);
	memset(packet, 8, sizeof(packet));
	ring_push(&r, packet, false);
	is_int(r.dropped, 5, "when it is full the oldest go, up to where a decoder can begin");
	len = ring_peek(&r, &ptr);
	ok(len == 88 && ptr[0] == 0, "but never the rest of one that was given in part");
	ring_take(&r, len);
	len = 0;
	for (size_t n; (n = ring_peek(&r, &ptr)); ring_take(&r, n)) {
		memcpy(out + len, ptr, n);
		len += n;
	}
	is_int(len, 4 * TS_PACKET, "all others come out");
	ok(out[0] == 5 && out[3 * TS_PACKET] == 8, "in their order");
	for (int i = 0; i < 20; i++)
		ring_push(&r, packet, false);
	ok(r.count <= 8 && r.dropped > 5, "without a place to begin all but the newest go");
	ring_clear(&r);
	is_int(ring_peek(&r, &ptr), 0, "it can be emptied");
	ring_release(&r);
}

int main(void)
{
	packets();
	damage();
	programs();
	changes();
	hostile();
	rings();
	return tap_done();
}
