/* lib/av/mpegts.h - MPEG-TS segments: H.264 and AAC in one file, for devices without fMP4.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ISO/IEC 13818-1 (2.4.3: TS and PES, 2.4.4: tables), RFC 8216 section 3.2. A segment begins
 * with PAT and PMT. Timestamps and continuity counters go on from one segment to the next, whoever
 * made them: time 0 is at 10 s, and of each PID there are a multiple of 16 packets. */
#ifndef SLUICE_AV_MPEGTS_H
#define SLUICE_AV_MPEGTS_H

#include "lib/av/track.h"
#include "lib/base/buf.h"

/* Appends a segment of a picture, a sound, or both; the other is NULL. Each has its config. */
void mpegts_print(const struct track *video, const struct track *audio, struct buf *to);

#endif
