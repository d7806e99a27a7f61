/* lib/av/look_h264.h - how an H.264 picture is shown, without decoding one.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_LOOK_H264_H
#define SLUICE_AV_LOOK_H264_H

#include <libavformat/avformat.h>
#include <stdbool.h>

/* Sets size, format, shape and colours of `frame` as a decoder would for the keyframe `key` (NULL:
 * none came) of a stream with avcC. False, with *frame untouched, for whatever is not plain:
 * fields, more than 8 bits, several parameter sets, encryption, a picture that is not made of whole
 * NAL units. Then one has to be decoded.        ISO/IEC 14496-15 section 5.3.3, ITU-T H.264 annex
 * E */
bool look_h264(const AVStream *st, const AVPacket *key, AVFrame *frame);

#endif
