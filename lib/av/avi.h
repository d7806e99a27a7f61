/* lib/av/avi.h - AVI whose table of chunks (idx1) is no good: a walk makes one.
 * SPDX-License-Identifier: BSD-2-Clause
 * A recording that was broken off has no table, one that was cut by hand a wrong one. Without it
 * libavformat finds no place in the middle. The walk looks at some hundred bytes of each chunk;
 * where chunks are small it reads all. */
#ifndef SLUICE_AV_AVI_H
#define SLUICE_AV_AVI_H

#include <stdbool.h>

#include "lib/av/reader.h"

/* Whether the table that the demuxer has read of a picture's stream is good: chunks of that stream
 * are where it says, up to the end of the film. */
bool avi_fits(struct reader *r, unsigned stream);

/* Gives the streams of an AVI that was opened without its table one of all chunks. Fails as
 * reader_fail(). */
int avi_walk(struct reader *r, struct fail *f);

#endif
