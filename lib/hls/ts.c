/* lib/hls/ts.c - whole MPEG-TS packets out of any bytes, and what programme they carry.
 * SPDX-License-Identifier: BSD-2-Clause
 * Section numbers are those of ISO/IEC 13818-1. */
#include "lib/hls/ts.h"

#include <string.h>

#include "lib/base/must.h"

enum { SYNC = 0x47, PID_NULL = 0x1fff };

void ts_init(struct ts *t)
{
	*t = (struct ts){0};
}

void ts_resync(struct ts *t)
{
	t->skipped_bytes += (int64_t)t->have;
	t->have = 0;
	t->synced = false;
	t->pat.need = t->pmt.need = 0;
}

uint32_t ts_crc(const void *bytes, size_t len)
{
	/* What four bits leave of themselves, by the polynomial 0x04c11db7. */
	static const uint32_t of[16] = {0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc,
		0x17c56b6b, 0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
		0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd};
	const uint8_t *p = bytes;
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)p[i] << 24;
		crc = crc << 4 ^ of[crc >> 28];
		crc = crc << 4 ^ of[crc >> 28];
	}
	return crc;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Private data and registered formats say what they are in their descriptors. */
static enum ts_codec descriptor_codec(const uint8_t *p, size_t len)
{
	while (len >= 2 && (size_t)p[1] + 2 <= len) {
		size_t size = (size_t)p[1] + 2;
		switch (p[0]) {
		case 0x6a: /* EN 300 468, annex D */
			return TS_AC3;
		case 0x7a:
			return TS_EAC3;
		case 0x7b:
			return TS_OTHER_AUDIO;
		case 0x7c:
			return TS_AAC;
		case 0x05: /* registration */
			if (size >= 6 && memcmp(p + 2, "AC-3", 4) == 0)
				return TS_AC3;
			if (size >= 6 && memcmp(p + 2, "EAC3", 4) == 0)
				return TS_EAC3;
			if (size >= 6 && memcmp(p + 2, "HEVC", 4) == 0)
				return TS_H265;
			if (size >= 6 && memcmp(p + 2, "Opus", 4) == 0)
				return TS_OTHER_AUDIO;
			break;
		default:
			break;
		}
		p += size;
		len -= size;
	}
	return TS_OTHER;
}

/* Table 2-34, and what broadcasters use beyond it. */
static enum ts_codec stream_codec(unsigned type, const uint8_t *descriptors, size_t len)
{
	switch (type) {
	case 0x02:
		return TS_MPEG2_VIDEO;
	case 0x1b:
		return TS_H264;
	case 0x24:
		return TS_H265;
	case 0x01:
	case 0x10:
	case 0x42:
	case 0xea:
		return TS_OTHER_VIDEO;
	case 0x03:
	case 0x04:
		return TS_MPEG_AUDIO;
	case 0x0f:
		return TS_AAC;
	case 0x11:
		return TS_AAC_LATM;
	case 0x81:
		return TS_AC3;
	case 0x84:
	case 0x87:
		return TS_EAC3;
	case 0x82:
	case 0x85:
	case 0x86:
		return descriptor_codec(descriptors, len) == TS_AC3 ? TS_AC3 : TS_OTHER_AUDIO;
	case 0x06:
		return descriptor_codec(descriptors, len);
	default:
		return TS_OTHER;
	}
}

/* 2.6.18: the first language of a stream, and whom it is for. */
static void read_language(const uint8_t *p, size_t len, struct ts_stream *to)
{
	while (len >= 2 && (size_t)p[1] + 2 <= len) {
		size_t size = (size_t)p[1] + 2;
		if (p[0] == 0x0a && size >= 6) {
			memcpy(to->language, p + 2, 3);
			to->audio_type = p[5];
			return;
		}
		p += size;
		len -= size;
	}
}

/* 2.4.4.3: the first programme that is one; 0 is the network information. */
static void read_pat(struct ts *t, const uint8_t *s, size_t len)
{
	for (size_t at = 8; at + 4 <= len - 4; at += 4) {
		unsigned number = get16(s + at), pid = get16(s + at + 2) & 0x1fff;
		if (number == 0)
			continue;
		if (number != t->program.number || pid != t->program.pmt_pid) {
			t->program.number = (uint16_t)number;
			t->program.pmt_pid = (uint16_t)pid;
			t->pmt.need = 0;
		}
		return;
	}
}

/* 2.4.4.8 */
static void read_pmt(struct ts *t, const uint8_t *s, size_t len)
{
	struct ts_program p = {.number = t->program.number, .pmt_pid = t->program.pmt_pid};
	size_t at, info;

	if (len < 16 || get16(s + 3) != p.number)
		return;
	p.known = true;
	p.pcr_pid = (uint16_t)(get16(s + 8) & 0x1fff);
	at = 12 + (get16(s + 10) & 0xfff);
	for (; at + 5 <= len - 4 && p.count < TS_STREAMS_MAX; at += 5 + info) {
		info = get16(s + at + 3) & 0xfff;
		if (at + 5 + info > len - 4)
			return; /* its lengths lie: not a table */
		p.streams[p.count++] = (struct ts_stream){
			.pid = (uint16_t)(get16(s + at + 1) & 0x1fff),
			.type = s[at],
			.codec = stream_codec(s[at], s + at + 5, info),
		};
		read_language(s + at + 5, info, &p.streams[p.count - 1]);
	}
	if (!t->program.known || !ts_program_same(&t->program, &p))
		t->changes++;
	t->program = p;
}

static void section_done(struct ts *t, struct ts_section *s)
{
	const uint8_t *b = s->bytes;
	size_t len = s->need;

	s->need = 0;
	/* long form, current, and whole: 2.4.4.4 */
	if (len < 12 || !(b[1] & 0x80) || !(b[5] & 1) || ts_crc(b, len) != 0)
		return;
	if (s == &t->pat && b[0] == 0)
		read_pat(t, b, len);
	else if (s == &t->pmt && b[0] == 2)
		read_pmt(t, b, len);
}

static void section_add(struct ts *t, struct ts_section *s, const uint8_t *p, size_t len)
{
	while (len && s->need) {
		size_t part = s->need - s->have < len ? s->need - s->have : len;
		memcpy(s->bytes + s->have, p, part);
		s->have += part;
		p += part;
		len -= part;
		if (s->have < s->need)
			return;
		if (s->need == 3) { /* the header, which has the length */
			s->need = 3 + (get16(s->bytes + 1) & 0xfff);
			if (s->need > TS_SECTION_MAX || s->need < 12)
				s->need = 0;
			continue;
		}
		section_done(t, s);
		return;
	}
}

/* `p` is the payload of one packet of a table's pid. */
static void section_feed(
	struct ts *t, struct ts_section *s, const uint8_t *p, size_t len, bool start)
{
	size_t pointer;

	if (!start) {
		section_add(t, s, p, len);
		return;
	}
	if (len == 0)
		return;
	pointer = p[0];
	p++;
	len--;
	if (pointer > len)
		return;
	section_add(t, s, p, pointer); /* the end of the one before */
	s->have = 0;
	s->need = 3;
	section_add(t, s, p + pointer, len - pointer);
}

static void packet(struct ts *t, const uint8_t *b, ts_packet_fn *each, void *ctx)
{
	struct ts_packet p = {.bytes = b};
	unsigned control = b[3] >> 4 & 3;
	size_t at = 4;

	must(b[0] == SYNC);
	if (b[1] & 0x80) /* transport_error_indicator */
		return;
	p.pid = (uint16_t)(get16(b + 1) & 0x1fff);
	p.start = b[1] & 0x40;
	if (control & 2) {
		if (b[4] > 0)
			p.random_access = b[5] & 0x40;
		at += 1 + (size_t)b[4];
	}
	if ((control & 1) && at < TS_PACKET) {
		if (p.pid == 0)
			section_feed(t, &t->pat, b + at, TS_PACKET - at, p.start);
		else if (t->program.number && p.pid == t->program.pmt_pid)
			section_feed(t, &t->pmt, b + at, TS_PACKET - at, p.start);
	}
	if (p.pid == PID_NULL)
		return;
	t->packets++;
	each(ctx, &p);
}

/* Drops bytes from the front of the partial ones until they may be the beginning of packets. */
static void hunt(struct ts *t)
{
	size_t skip = 0;
	bool found = false;

	while (skip < t->have && !found) {
		found = true;
		for (size_t at = skip; at < t->have && found; at += TS_PACKET)
			found = t->partial[at] == SYNC;
		skip += !found;
	}
	t->have -= skip;
	t->skipped_bytes += (int64_t)skip;
	memmove(t->partial, t->partial + skip, t->have);
	if (t->have == sizeof(t->partial))
		t->synced = true;
}

/* Hands out the packets of the partial bytes, of which there are whole ones. */
static void flush_partial(struct ts *t, ts_packet_fn *each, void *ctx)
{
	size_t at = 0;

	for (; t->synced && at + TS_PACKET <= t->have; at += TS_PACKET) {
		if (t->partial[at] == SYNC)
			packet(t, t->partial + at, each, ctx);
		else
			t->synced = false;
		if (!t->synced)
			break;
	}
	t->have -= at;
	memmove(t->partial, t->partial + at, t->have);
}

void ts_feed(struct ts *t, const void *bytes, size_t len, ts_packet_fn *each, void *ctx)
{
	const uint8_t *p = bytes;

	while (len) {
		/* The usual way: whole packets straight from the caller's bytes. */
		if (t->synced && t->have == 0 && len >= TS_PACKET && *p == SYNC) {
			packet(t, p, each, ctx);
			p += TS_PACKET;
			len -= TS_PACKET;
			continue;
		}
		if (t->synced && t->have == 0 && *p != SYNC)
			t->synced = false;
		size_t goal = t->synced ? TS_PACKET : sizeof(t->partial);
		size_t part = goal - t->have < len ? goal - t->have : len;
		memcpy(t->partial + t->have, p, part);
		t->have += part;
		p += part;
		len -= part;
		if (!t->synced)
			hunt(t);
		flush_partial(t, each, ctx);
	}
}

bool ts_is_video(enum ts_codec c)
{
	return c >= TS_MPEG2_VIDEO && c <= TS_OTHER_VIDEO;
}

const struct ts_stream *ts_video(const struct ts_program *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (ts_is_video(p->streams[i].codec))
			return &p->streams[i];
	}
	return NULL;
}

const struct ts_stream *ts_audio(const struct ts_program *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->streams[i].codec >= TS_AAC)
			return &p->streams[i];
	}
	return NULL;
}

static bool stream_same(const struct ts_stream *a, const struct ts_stream *b)
{
	if (!a || !b)
		return a == b;
	return a->pid == b->pid && a->type == b->type && a->codec == b->codec;
}

bool ts_program_same(const struct ts_program *a, const struct ts_program *b)
{
	return stream_same(ts_video(a), ts_video(b)) && stream_same(ts_audio(a), ts_audio(b));
}

const char *ts_codec_name(enum ts_codec codec)
{
	static const char *const names[] = {"other", "mpeg2video", "h264", "h265", "video", "aac",
		"aac-latm", "mpeg-audio", "ac3", "eac3", "audio"};

	must((size_t)codec < sizeof(names) / sizeof(names[0]));
	return names[codec];
}
