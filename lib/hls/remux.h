/* lib/hls/remux.h - segments of fragmented MP4, or of packed audio, as MPEG-TS, nothing decoded.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 13818-1 section 2.14 (H.264, H.265), 14496-3 section 1.A.2 (ADTS). */
#ifndef SLUICE_HLS_REMUX_H
#define SLUICE_HLS_REMUX_H

#include "lib/base/buf.h"
#include "lib/hls/mp4.h"
#include "lib/hls/packed.h"
#include "lib/hls/psi.h"

enum { REMUX_PMT_PID = 0x1000, REMUX_VIDEO_PID = 0x100, REMUX_AUDIO_PID = 0x101 };

/* Counters of a stream that goes on from segment to segment; zeroed at first. */
struct remux {
	uint8_t tables[PSI_TABLES], counters[MP4_TRACKS];
	unsigned version;
	struct packed packed;
	struct mp4 sound; /* what that is */
};

/* Adds a segment to `out` as whole TS packets: tables, then pictures and sounds in the order of
 * their times. Fails: as mp4_segment(), and FAIL_UPSTREAM where `out` is full. */
int remux_segment(
	struct remux *r, const struct mp4 *mp4, struct span bytes, struct buf *out, struct fail *f);

/* The same of a segment of packed audio. Fails: as packed_segment() and likewise. */
int remux_packed(struct remux *r, struct span bytes, struct buf *out, struct fail *f);

#endif
