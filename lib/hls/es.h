/* lib/hls/es.h - what the first bytes of an elementary stream's unit say of it.
 * SPDX-License-Identifier: BSD-2-Clause
 * Tables may lie about codecs, and say nothing of the size of pictures: the stream itself does.
 * Spec: ITU-T H.262 section 6.2.2, H.264 and H.265 section 7.3. */
#ifndef SLUICE_HLS_ES_H
#define SLUICE_HLS_ES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hls/ts.h"

enum { ES_LOOK_BYTES = 4096 }; /* more of a unit is never looked at */

struct es_picture {
	int width, height; /* 0: not known */
	uint32_t aspect;   /* whatever the codec says of the shape of samples; equal: the same */
};

/* The codec that the unit is surely of, or TS_OTHER when it does not show. */
enum ts_codec es_video_codec(const uint8_t *unit, size_t len);
enum ts_codec es_audio_codec(const uint8_t *unit, size_t len);

/* Whether a decoder can begin with this unit. True for codecs that are not read here. */
bool es_is_entry(enum ts_codec codec, const uint8_t *unit, size_t len);

/* Reads the size from a unit that has it. False, with *out untouched, for others. */
bool es_read_picture(enum ts_codec codec, const uint8_t *unit, size_t len, struct es_picture *out);

#endif
