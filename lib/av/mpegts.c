/* lib/av/mpegts.c - MPEG-TS segments: H.264 and AAC in one file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/mpegts.h"

#include <string.h>

#include "lib/hls/grid.h"
#include "lib/hls/rendition.h"
#include "lib/hls/ts.h"

enum {
	PID_PAT = 0,
	PID_PMT = 0x1000,
	PID_VIDEO = 0x100,
	PID_AUDIO = 0x101,
	TYPE_H264 = 0x1b,
	TYPE_AAC = 0x0f,
	PAYLOAD = TS_PACKET - 4,
	TURN = 16, /* of a continuity counter */
	HZ = 90000,
	TIME_0 = RENDITION_TS_ZERO_S * HZ,
	PCR_BEFORE = HZ / 2, /* how long before it is decoded a picture may arrive */
	HEADER = 19,	     /* of a PES packet with both times */
	PES_MAX = 64 << 20
};

struct pid {
	int number;
	unsigned packets;
};

struct printer {
	struct buf *to;
	struct pid pat, pmt, video, audio;
	struct buf pes;
	bool has_video, has_audio;
};

/* One packet with as many of the bytes as fit; returns how many it took. */
static size_t packet(struct printer *p, struct pid *pid, const uint8_t *bytes, size_t len,
	bool first, int64_t pcr, bool entry)
{
	uint8_t b[TS_PACKET];
	size_t field = pcr >= 0 ? 8 : 0; /* the adaptation field with its length */

	if (len > PAYLOAD - field)
		len = PAYLOAD - field;
	if (len < PAYLOAD - field)
		field = PAYLOAD - len;
	memset(b, 0xff, sizeof(b));
	b[0] = 0x47;
	b[1] = (uint8_t)((first ? 0x40 : 0) | pid->number >> 8);
	b[2] = (uint8_t)pid->number;
	b[3] = (uint8_t)((field ? 0x30 : 0x10) | pid->packets++ % TURN);
	if (field) {
		b[4] = (uint8_t)(field - 1);
		if (field > 1)
			b[5] = (uint8_t)((pcr >= 0 ? 0x10 : 0) | (entry ? 0x40 : 0));
		if (pcr >= 0) {
			for (int i = 0; i < 4; i++)
				b[6 + i] = (uint8_t)(pcr >> (25 - 8 * i));
			b[10] = (uint8_t)(pcr << 7 | 0x7e);
			b[11] = 0;
		}
	}
	memcpy(b + 4 + field, bytes, len);
	buf_add(p->to, b, sizeof(b));
	return len;
}

/* A whole PES packet. `spread`: over as many packets more as make the count a multiple of 16. */
static void packets(struct printer *p, struct pid *pid, int64_t pcr, bool entry, bool spread)
{
	const uint8_t *bytes = (const uint8_t *)p->pes.ptr;
	size_t len = p->pes.len, count = (len + (pcr >= 0 ? 8 : 0) + PAYLOAD - 1) / PAYLOAD;

	if (spread)
		count += (TURN - (pid->packets + count) % TURN) % TURN;
	if (count > len)
		count = len;
	for (size_t at = 0, i = 0; at < len; i++) {
		/* As full as can be, or evenly. */
		size_t left = len - at, take = left;
		if (spread && i + 1 < count)
			take = (left + count - i - 1) / (count - i);
		/* A header that goes on in the next packet is more than some receivers take. */
		if (i == 0 && take < HEADER && left >= HEADER + count - 1)
			take = HEADER;
		at += packet(
			p, pid, bytes + at, take, at == 0, at == 0 ? pcr : -1, entry && at == 0);
	}
}

/* A table in one packet (2.4.4.3, 2.4.4.8): its CRC is added. */
static void section(struct printer *p, struct pid *pid, const uint8_t *body, size_t len)
{
	uint8_t b[PAYLOAD];
	uint32_t crc;

	memset(b, 0xff, sizeof(b));
	b[0] = 0; /* pointer_field */
	memcpy(b + 1, body, len);
	b[3] = (uint8_t)(len + 4 - 3);
	crc = ts_crc(b + 1, len);
	for (size_t i = 0; i < 4; i++)
		b[1 + len + i] = (uint8_t)(crc >> (24 - 8 * i));
	packet(p, pid, b, sizeof(b), true, -1, false);
}

static void tables(struct printer *p)
{
	static const uint8_t pat[] = {
		0, 0xb0, 0, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | PID_PMT >> 8, PID_PMT & 255};
	uint8_t pmt[32] = {2, 0xb0, 0, 0, 1, 0xc1, 0, 0, 0xe0, 0, 0xf0, 0};
	size_t len = 12;
	int pcr = p->has_video ? PID_VIDEO : PID_AUDIO;
	const int streams[2][3] = {
		{p->has_video, TYPE_H264, PID_VIDEO}, {p->has_audio, TYPE_AAC, PID_AUDIO}};

	pmt[8] = (uint8_t)(0xe0 | pcr >> 8);
	pmt[9] = (uint8_t)pcr;
	for (int i = 0; i < 2; i++) {
		if (!streams[i][0])
			continue;
		pmt[len++] = (uint8_t)streams[i][1];
		pmt[len++] = (uint8_t)(0xe0 | streams[i][2] >> 8);
		pmt[len++] = (uint8_t)streams[i][2];
		pmt[len++] = 0xf0;
		pmt[len++] = 0;
	}
	section(p, &p->pat, pat, sizeof(pat));
	section(p, &p->pmt, pmt, len);
}

static void stamp(struct buf *b, int prefix, int64_t t)
{
	buf_putc(b, (char)(prefix << 4 | (int)(t >> 30 & 7) << 1 | 1));
	buf_putc(b, (char)(t >> 22));
	buf_putc(b, (char)(t >> 14 | 1));
	buf_putc(b, (char)(t >> 7));
	buf_putc(b, (char)(t << 1 | 1));
}

/* The header of a PES packet (2.4.3.6) for `len` bytes; of pictures the length is not said. */
static void begin_pes(struct printer *p, int id, int64_t pts, int64_t dts, size_t len)
{
	bool both = dts != pts;
	size_t all = len ? len + 3 + (both ? 10 : 5) : 0;

	buf_clear(&p->pes);
	buf_add(&p->pes, "\0\0\1", 3);
	buf_putc(&p->pes, (char)id);
	buf_putc(&p->pes, (char)(all >> 8));
	buf_putc(&p->pes, (char)all);
	buf_putc(&p->pes, (char)0x84); /* aligned */
	buf_putc(&p->pes, (char)(both ? 0xc0 : 0x80));
	buf_putc(&p->pes, both ? 10 : 5);
	stamp(&p->pes, both ? 3 : 2, pts);
	if (both)
		stamp(&p->pes, 1, dts);
}

static int64_t clock_of(const struct track *t, int64_t time)
{
	return (TIME_0 + grid_scale(time, HZ, t->timescale)) & (((int64_t)1 << 33) - 1);
}

/* The parameter sets of an avcC, with start codes. */
static void parameter_sets(struct span config, struct buf *to)
{
	const uint8_t *c = (const uint8_t *)config.ptr;
	size_t at = 6;

	for (int kind = 0, left = config.len > 6 ? c[5] & 31 : 0; kind < 2 && at < config.len;) {
		if (left == 0) {
			left = ++kind < 2 ? c[at++] : 0;
			continue;
		}
		size_t len = at + 2 <= config.len ? (size_t)c[at] << 8 | c[at + 1] : 0;
		if (!len || len > config.len - at - 2)
			return;
		buf_add(to, "\0\0\0\1", 4);
		buf_add(to, c + at + 2, len);
		at += 2 + len;
		left--;
	}
}

static void video_pes(struct printer *p, const struct track *t, const struct sample *s, bool last)
{
	size_t prefix = t->config.len > 4 ? (size_t)(t->config.ptr[4] & 3) + 1 : 4;
	int64_t dts = clock_of(t, s->dts);

	begin_pes(p, 0xe0, clock_of(t, s->pts), dts, 0);
	buf_add(&p->pes, "\0\0\0\1\x09\xf0", 6); /* a delimiter */
	if (s->key)
		parameter_sets(t->config, &p->pes);
	for (size_t at = 0; at + prefix <= s->size;) {
		size_t len = 0;
		for (size_t i = 0; i < prefix; i++)
			len = len << 8 | s->data[at + i];
		at += prefix;
		if (len > s->size - at)
			len = s->size - at;
		buf_add(&p->pes, "\0\0\0\1", 4);
		buf_add(&p->pes, s->data + at, len);
		at += len;
	}
	packets(p, &p->video, dts - PCR_BEFORE, s->key, last);
}

static void audio_pes(struct printer *p, const struct track *t, const struct sample *s, bool last)
{
	const uint8_t *c = (const uint8_t *)t->config.ptr;
	size_t len = s->size + 7;
	int64_t pts = clock_of(t, s->pts);
	uint8_t adts[7] = {0xff, 0xf1};

	if (t->config.len < 2 || len > 8191)
		return;
	/* 1.A.2.2.1: profile, rate and channels as AudioSpecificConfig has them */
	adts[2] = (uint8_t)(((c[0] >> 3) - 1) << 6 | ((c[0] & 7) << 1 | c[1] >> 7) << 2 |
			    (c[1] >> 5 & 1));
	adts[3] = (uint8_t)((size_t)(c[1] >> 3 & 3) << 6 | len >> 11);
	adts[4] = (uint8_t)(len >> 3);
	adts[5] = (uint8_t)(len << 5 | 0x1f);
	adts[6] = 0xfc;
	begin_pes(p, 0xc0, pts, pts, len);
	buf_add(&p->pes, adts, sizeof(adts));
	buf_add(&p->pes, s->data, s->size);
	packets(p, &p->audio, p->has_video ? -1 : pts - PCR_BEFORE, true, last);
}

void mpegts_print(const struct track *video, const struct track *audio, struct buf *to)
{
	struct printer p = {.to = to,
		.pat = {PID_PAT, 0},
		.pmt = {PID_PMT, 0},
		.video = {PID_VIDEO, 0},
		.audio = {PID_AUDIO, 0},
		.has_video = video != NULL,
		.has_audio = audio != NULL};
	size_t v = 0, a = 0, videos = video ? video->count : 0, audios = audio ? audio->count : 0;

	buf_init(&p.pes, PES_MAX);
	tables(&p);
	while (v < videos || a < audios) {
		bool sound = v == videos ||
			     (a < audios && clock_of(audio, audio->samples[a].pts) <=
						    clock_of(video, video->samples[v].dts));
		if (sound) {
			audio_pes(&p, audio, &audio->samples[a], a + 1 == audios);
			a++;
		} else {
			video_pes(&p, video, &video->samples[v], v + 1 == videos);
			v++;
		}
	}
	while (p.pat.packets % TURN)
		tables(&p);
	to->failed |= p.pes.failed;
	buf_release(&p.pes);
}
