/* lib/hls/ts.h - whole MPEG-TS packets out of any bytes, and what programme they carry.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 13818-1 section 2.4; descriptors of ETSI EN 300 468. Bytes may come from anywhere
 * in any portions. Allocates nothing; no input makes it keep more than it declares here. */
#ifndef SLUICE_HLS_TS_H
#define SLUICE_HLS_TS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TS_PACKET = 188, TS_SECTION_MAX = 1024, TS_STREAMS_MAX = 32, TS_SYNC_RUN = 3 };

enum ts_codec {
	TS_OTHER, /* data, subtitles, or nothing we know */
	TS_MPEG2_VIDEO,
	TS_H264,
	TS_H265,
	TS_OTHER_VIDEO, /* MPEG-1, MPEG-4 part 2, VC-1, AVS */
	TS_AAC,
	TS_AAC_LATM,
	TS_MPEG_AUDIO,
	TS_AC3,
	TS_EAC3,
	TS_OTHER_AUDIO /* DTS, Opus, LPCM … */
};

struct ts_stream {
	uint16_t pid;
	uint8_t type; /* stream_type as it stands in the PMT */
	enum ts_codec codec;
	char language[4];   /* ISO 639-2, "" when it is not said */
	uint8_t audio_type; /* 0: the usual; 2, 3: for those who hear or see little */
};

/* What the first programme of the PAT is made of, from the last PMT whose CRC was right. */
struct ts_program {
	bool known; /* a PMT was read */
	uint16_t number, pmt_pid, pcr_pid;
	struct ts_stream streams[TS_STREAMS_MAX];
	size_t count;
};

/* Collects one section (PAT or PMT) out of packets. */
struct ts_section {
	uint8_t bytes[TS_SECTION_MAX];
	size_t have, need; /* need 0: no section is open */
};

struct ts {
	uint8_t partial[TS_PACKET * TS_SYNC_RUN]; /* not yet whole, or not yet believed */
	size_t have;
	bool synced;
	struct ts_section pat, pmt;
	struct ts_program program;
	unsigned changes;      /* how often the programme became another one (the first included) */
	int64_t packets;       /* handed out */
	int64_t skipped_bytes; /* thrown away in search of packets */
};

struct ts_packet {
	const uint8_t *bytes; /* TS_PACKET of them, good during the call only */
	uint16_t pid;
	bool start;	    /* a PES packet or section begins here (payload_unit_start_indicator) */
	bool random_access; /* the sender says that decoding may begin here */
};

typedef void ts_packet_fn(void *ctx, const struct ts_packet *p);

void ts_init(struct ts *t);

/* Forgets a partial packet and looks for packets anew, as after a reconnection. The programme stays
 * what it was until a table says otherwise. */
void ts_resync(struct ts *t);

/* Takes `len` bytes and calls `each` for every whole packet in them, in order. Packets are believed
 * after TS_SYNC_RUN sync bytes in step; transport errors (the bit in the header) are dropped. */
void ts_feed(struct ts *t, const void *bytes, size_t len, ts_packet_fn *each, void *ctx);

/* The first stream of the programme that is a picture (or a sound), NULL when there is none. */
const struct ts_stream *ts_video(const struct ts_program *p);
const struct ts_stream *ts_audio(const struct ts_program *p);

/* Whether a decoder set up for `a` can go on with `b`: the same first picture and sound codecs on
 * the same pids. */
bool ts_program_same(const struct ts_program *a, const struct ts_program *b);

bool ts_is_video(enum ts_codec codec);

/* "h264", "aac", … for logs; never NULL. */
const char *ts_codec_name(enum ts_codec codec);

/* CRC-32 of MPEG-2 systems (annex A); 0 over a section with its CRC. */
uint32_t ts_crc(const void *bytes, size_t len);

#endif
