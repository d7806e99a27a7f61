/* lib/hls/psi.h - the tables that say what an MPEG-TS of one programme is made of, written.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 13818-1 sections 2.4.4.3 (PAT), 2.4.4.8 (PMT); descriptors of ETSI EN 300 468. */
#ifndef SLUICE_HLS_PSI_H
#define SLUICE_HLS_PSI_H

#include <stddef.h>
#include <stdint.h>

#include "lib/hls/pes.h"
#include "lib/hls/ts.h"

enum { PSI_TABLES = 2 /* packets of them */, PSI_STREAMS = 2 };

struct psi_stream {
	uint16_t pid;
	enum ts_codec codec;
	uint8_t type; /* stream_type of a codec without a name */
};

struct psi {
	uint16_t pmt_pid, pcr_pid;
	unsigned version; /* of which the last five bits stand in the tables */
	struct psi_stream streams[PSI_STREAMS];
	size_t count;
	uint8_t *counters; /* continuity_counter of PAT and PMT: borrowed, counted on */
};

/* Gives both tables, a packet each. */
void psi_print(const struct psi *p, pes_packet_fn *each, void *ctx);

#endif
