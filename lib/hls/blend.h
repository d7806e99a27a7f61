/* lib/hls/blend.h - a picture and a sound that come as two MPEG-TS, made one programme.
 * SPDX-License-Identifier: BSD-2-Clause
 * Of each the first stream of its kind is taken, onto a pid of ours, its packets else unchanged. */
#ifndef SLUICE_HLS_BLEND_H
#define SLUICE_HLS_BLEND_H

#include "lib/base/buf.h"
#include "lib/hls/psi.h"

enum { BLEND_VIDEO, BLEND_AUDIO, BLEND_KINDS };
enum { BLEND_PMT_PID = 0x1000, BLEND_VIDEO_PID = 0x100, BLEND_AUDIO_PID = 0x101 };

struct blend {
	struct psi_stream streams[BLEND_KINDS]; /* pid 0: not known yet */
	uint8_t tables[PSI_TABLES];
	unsigned version;
};

/* Puts what `bytes`, a file of whole packets, has of that kind into `out`; before pictures the
 * tables of both, as far as they are known. False when it has none of that kind. */
bool blend_add(struct blend *b, int kind, struct span bytes, struct buf *out);

#endif
