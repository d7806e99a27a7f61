/* lib/hls/psi.c - the tables that say what an MPEG-TS of one programme is made of, written.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/psi.h"

#include <string.h>

#include "lib/base/must.h"

static uint8_t codec_type(enum ts_codec codec, uint8_t other, uint8_t *descriptor)
{
	*descriptor = 0;
	switch (codec) {
	case TS_MPEG2_VIDEO:
		return 0x02;
	case TS_H264:
		return 0x1b;
	case TS_H265:
		return 0x24;
	case TS_AAC:
		return 0x0f;
	case TS_AAC_LATM:
		return 0x11;
	case TS_MPEG_AUDIO:
		return 0x03;
	case TS_AC3: /* EN 300 468, annex D */
		*descriptor = 0x6a;
		return 0x06;
	case TS_EAC3:
		*descriptor = 0x7a;
		return 0x06;
	default:
		if (other == 0x06)
			*descriptor = 0x7b;
		return other;
	}
}

static size_t put_stream(uint8_t *to, const struct psi_stream *s)
{
	uint8_t descriptor;

	to[0] = codec_type(s->codec, s->type, &descriptor);
	to[1] = (uint8_t)(0xe0 | s->pid >> 8);
	to[2] = (uint8_t)s->pid;
	to[3] = 0xf0;
	to[4] = descriptor ? 3 : 0;
	to[5] = descriptor;
	to[6] = 1;
	to[7] = 0;
	return descriptor ? 8 : 5;
}

/* A table of one packet: `body` is what stands between its length and its CRC. */
static void put_table(const struct psi *p, int which, const uint8_t *body, size_t len,
	pes_packet_fn *each, void *ctx)
{
	const uint16_t pids[PSI_TABLES] = {0, p->pmt_pid};
	static const uint8_t ids[PSI_TABLES] = {0, 2};
	uint8_t packet[TS_PACKET], *section = packet + 5;
	uint32_t crc;

	must(len + 7 < TS_PACKET - 5);
	memset(packet, 0xff, sizeof(packet));
	packet[0] = 0x47;
	packet[1] = (uint8_t)(0x40 | pids[which] >> 8);
	packet[2] = (uint8_t)pids[which];
	packet[3] = (uint8_t)(0x10 | p->counters[which]++ % 16);
	packet[4] = 0;
	section[0] = ids[which];
	section[1] = 0xb0;
	section[2] = (uint8_t)(len + 4);
	memcpy(section + 3, body, len);
	crc = ts_crc(section, 3 + len);
	for (int i = 0; i < 4; i++)
		section[3 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
	each(ctx, packet, false);
}

void psi_print(const struct psi *p, pes_packet_fn *each, void *ctx)
{
	uint8_t version = (uint8_t)(0xc1 | p->version % 32 << 1);
	uint8_t pat[] = {
		0, 1, version, 0, 0, 0, 1, (uint8_t)(0xe0 | p->pmt_pid >> 8), (uint8_t)p->pmt_pid};
	uint8_t pmt[32] = {0, 1, version, 0, 0, (uint8_t)(0xe0 | p->pcr_pid >> 8),
		(uint8_t)p->pcr_pid, 0xf0, 0};
	size_t len = 9;

	must(p->count <= PSI_STREAMS);
	for (size_t i = 0; i < p->count; i++)
		len += put_stream(pmt + len, &p->streams[i]);
	put_table(p, 0, pat, sizeof(pat), each, ctx);
	put_table(p, 1, pmt, len, each, ctx);
}
