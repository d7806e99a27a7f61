/* lib/hls/pes.h - whole PES packets out of TS packets, and TS packets out of them again.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 13818-1 sections 2.4.3.2 (TS), 2.4.3.6 (PES). Timestamps are of 33 bits, 1/90000
 * s. */
#ifndef SLUICE_HLS_PES_H
#define SLUICE_HLS_PES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hls/ts.h"

#define PES_WRAP ((int64_t)1 << 33)

struct pes {
	uint8_t *bytes; /* owned: max of them */
	size_t max, len;
	size_t need;  /* all of the packet; 0: until the next one begins */
	bool open;    /* a packet has begun */
	bool damaged; /* a part of it is missing */
	int counter;  /* continuity_counter of the TS packet before; -1: none */
	bool seam;    /* what comes next may count anew */
};

/* False without memory. Memory that is never filled is never touched. */
bool pes_init(struct pes *p, size_t max);
void pes_release(struct pes *p); /* accepts a zeroed one */

/* Forgets what is not whole: the next TS packet comes from elsewhere. */
void pes_drop(struct pes *p);

/* Here a file ends. The packet that is open ends with it, unless the next file goes on with it. */
void pes_seam(struct pes *p);

enum pes_result { PES_MORE, PES_DONE };

/* Whether the open packet is finished by the beginning of another in this TS packet, which is to be
 * added afterwards; and adding it. PES_DONE: bytes[0..len) is one, whole unless `damaged`. It stays
 * until the next TS packet is added. */
enum pes_result pes_end(struct pes *p, const uint8_t packet[TS_PACKET]);
enum pes_result pes_add(struct pes *p, const uint8_t packet[TS_PACKET]);

/* Whether the open packet may be all there is, if its stream ends here. */
bool pes_is_whole(const struct pes *p);

struct pes_times {
	bool has_pts, has_dts;
	int64_t pts, dts; /* dts is pts when it is not said */
	size_t payload;	  /* where the elementary stream begins */
};

/* False for what is no packet of picture or sound. */
bool pes_times(const uint8_t *bytes, size_t len, struct pes_times *out);

/* Writes other times over those that are there; `by` is added to both. */
void pes_move(uint8_t *bytes, const struct pes_times *t, int64_t by);

/* From `from` to `to` on a clock of 33 bits, by the shorter way. */
int64_t pes_step(int64_t from, int64_t to);

/* The clock reference at `b`, six bytes (2.4.3.5), without its 27 MHz part. */
int64_t pes_read_pcr(const uint8_t *b);
void pes_write_pcr(uint8_t *b, int64_t pcr);

struct pes_out {
	uint16_t pid;
	uint8_t *counter;
	bool entry;  /* random_access_indicator */
	int64_t pcr; /* -1: none */
};

typedef void pes_packet_fn(void *ctx, const uint8_t packet[TS_PACKET], bool entry);

/* Cuts a PES packet into TS packets; `entry` is given for the first of them. */
void pes_print(const uint8_t *bytes, size_t len, const struct pes_out *how, pes_packet_fn *each,
	void *ctx);

#endif
