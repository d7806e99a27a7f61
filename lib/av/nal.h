/* lib/av/nal.h - NAL units of H.264 and HEVC: from start codes to lengths, and what describes them.
 * SPDX-License-Identifier: BSD-2-Clause
 * Spec: ITU-T H.264 and H.265 annex B; ISO/IEC 14496-15 sections 5.3.3 (avcC) and 8.3.3 (hvcC);
 * RFC 6381 section 3.3 and ISO/IEC 14496-15 annex E for the names in CODECS. */
#ifndef SLUICE_AV_NAL_H
#define SLUICE_AV_NAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum nal_codec { NAL_H264, NAL_HEVC };

/* Whether the bytes begin with a start code. */
bool nal_has_start_code(struct span bytes);

/* The next unit of a byte stream, without its start code and trailing zeros; false at the end. */
bool nal_next(struct span *rest, struct span *unit);

/* Builds avcC or hvcC out of the parameter sets in a byte stream (a keyframe, or extradata); false
 * when they are not all there. `depth` is the picture's bits a sample. */
bool nal_config(enum nal_codec codec, struct span stream, int depth, struct buf *to);

/* Appends a picture with lengths of four bytes in place of start codes, without delimiters and
 * filler; of an encoder of ours (`own`) without parameter sets and SEI too. */
void nal_to_lengths(enum nal_codec codec, struct span stream, bool own, struct buf *to);

/* The name of RFC 6381 for avcC or hvcC; false for bytes that are neither. */
bool nal_codecs(enum nal_codec codec, struct span config, char *to, size_t size);

#endif
