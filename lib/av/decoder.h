/* lib/av/decoder.h - decoders, from a list of those that films and music need.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_DECODER_H
#define SLUICE_AV_DECODER_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

#include "lib/base/fail.h"

/* The name of a codec that we decode or show, such as "h264"; NULL for any other. */
const char *decoder_name(enum AVCodecID id);

/* Opens a decoder for the stream, to be freed with avcodec_free_context(). Sound comes out as the
 * packets have it: nothing is trimmed. NULL with f set. */
AVCodecContext *decoder_open(const AVStream *st, int threads, struct fail *f);

/* Gives `p` (NULL: the end) to the decoder. Damage is passed over; -1 only without memory. */
int decoder_send(AVCodecContext *c, const AVPacket *p, struct fail *f);

/* The next frame: 1; 0: it wants more, or has come to its end. */
int decoder_receive(AVCodecContext *c, AVFrame *frame, struct fail *f);

/* Processors that may be used. */
int decoder_processors(void);

#endif
