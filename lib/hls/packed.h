/* lib/hls/packed.h - segments of sound alone, its frames one after the other without a container.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: RFC 8216 section 3.4; ID3v2.4.0; ISO/IEC 14496-3 section 1.A.2 (ADTS), 11172-3 and 13818-3
 * section 2.4.1 (MPEG audio), ETSI TS 102 366 section 4.3 and annex E (AC-3, E-AC-3). */
#ifndef SLUICE_HLS_PACKED_H
#define SLUICE_HLS_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hls/mp4.h"

/* A stream that goes on from segment to segment; zeroed at first. */
struct packed {
	int64_t next;	/* when what comes next begins, by the 90 kHz clock */
	unsigned kinds; /* how often it became sound of another kind, the first one included */
};

/* Whether a segment begins like one of packed audio: with an ID3 tag, or a frame. */
bool packed_begins(struct span bytes);

/* Finds the frames of a segment, as mp4_segment() finds samples: *mp4 becomes what its one track
 * is, with `timescale` the rate of its samples. Where the segment does not say when it begins it
 * goes on where the last one ended. Between frames anything is passed over. The caller releases
 * *out, also after a failure: FAIL_UPSTREAM (there is no frame). */
int packed_segment(struct packed *p, struct span bytes, struct mp4 *mp4,
	struct mp4_samples out[MP4_TRACKS], struct fail *f);

#endif
