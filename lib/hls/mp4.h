/* lib/hls/mp4.h - fragmented MP4: what its tracks are, and where the samples of a segment lie.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 14496-12 (boxes), 14496-15 (avcC, hvcC), 14496-1 and -3 (esds), ETSI TS 102 366
 * annex F (ac-3, ec-3); RFC 8216 section 3.3. Every length is checked against what holds it. */
#ifndef SLUICE_HLS_MP4_H
#define SLUICE_HLS_MP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/hls/ts.h"

enum { MP4_TRACKS = 2, MP4_SETS = 2048, MP4_SAMPLES = 65536 };

/* The first picture and the first sound that can be played. */
enum { MP4_VIDEO, MP4_AUDIO };

struct mp4_track {
	bool known;
	uint32_t id, timescale; /* units in a second */
	enum ts_codec codec;
	int64_t shift;			/* added to decoding times, by the edit list: units */
	uint32_t duration, size, flags; /* of samples for which nothing is said */
	/* Pictures: bytes of the lengths before their NAL units, and the parameter sets, each
	 * behind a start code. */
	unsigned nal_length;
	uint8_t sets[MP4_SETS];
	size_t sets_len;
	/* AAC: what stands in an ADTS header (ISO/IEC 14496-3 table 1.A.6). */
	uint8_t profile, rate_index, channels;
};

struct mp4 {
	struct mp4_track tracks[MP4_TRACKS];
};

/* Reads a Media Initialization Section. Fails: FAIL_UPSTREAM (no such thing, encrypted, or nothing
 * in it that can be played). */
int mp4_init(struct span bytes, struct mp4 *out, struct fail *f);

struct mp4_sample {
	size_t at, len; /* in the segment */
	int64_t dts;	/* units of the track */
	int32_t pts;	/* more than that */
	bool sync;	/* decoding may begin here */
};

struct mp4_samples {
	struct mp4_sample *list; /* owned */
	size_t count, room;
};

/* One more, to be filled in; NULL when there are MP4_SAMPLES, or no memory. */
struct mp4_sample *mp4_add(struct mp4_samples *s);

/* Finds the samples of a segment, for each track in the order of decoding. The caller releases
 * *out, also after a failure: FAIL_UPSTREAM (damaged, or no segment). */
int mp4_segment(const struct mp4 *mp4, struct span bytes, struct mp4_samples out[MP4_TRACKS],
	struct fail *f);
void mp4_release(struct mp4_samples samples[MP4_TRACKS]);

/* Whether a segment begins like one of MP4. */
bool mp4_begins(struct span bytes);

#endif
