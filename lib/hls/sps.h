/* lib/hls/sps.h - what an H.264 stream says of its pictures.           ITU-T H.264 section 7.3.2.1
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HLS_SPS_H
#define SLUICE_HLS_SPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sps {
	int width, height;  /* of the picture that is shown, 1 to 16384 */
	int64_t rate_milli; /* pictures in 1000 s; 0: not said */
	uint32_t aspect;    /* of a sample: aspect_ratio_idc, or 255's width << 16 | height; 0: not
			       said */
	uint8_t profile, constraints, level;
	uint8_t chroma, depth; /* chroma_format_idc 0 to 2, and bits of the deeper component */
	bool progressive;      /* frame_mbs_only_flag: no picture is made of fields */
	bool full_range;
	uint8_t primaries, transfer, matrix; /* in the numbers of ITU-T H.273; 2: not said */
};

/* Reads a sequence parameter set: a NAL unit from its first byte (the type) on; what follows it may
 * stand behind. False, with *out untouched, for anything else. */
bool sps_parse(const void *nal, size_t len, struct sps *out);

/* Finds one in the beginning of an MPEG-TS file with one picture, and reads it. */
bool sps_find(const void *ts, size_t len, struct sps *out);

#endif
