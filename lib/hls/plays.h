/* lib/hls/plays.h - whether a player that says what it plays can play a title as it is.
 * SPDX-License-Identifier: BSD-2-Clause
 * It says so in words, "mp4 mkv h264 hevc aac ac3", apart by blanks or commas: containers, codecs
 * of the picture, codecs of sounds. What it does not name it does not play. */
#ifndef SLUICE_HLS_PLAYS_H
#define SLUICE_HLS_PLAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"
#include "lib/hls/record.h"

/* What every browser of today plays, where nothing is said. */
#define PLAYS_EVERYWHERE "mp4 webm h264 vp8 vp9 aac opus vorbis"

/* Reads the words; unknown ones are passed over, for players know more than we do. */
uint32_t plays_parse(struct span words);

/* Whether a title of that record, whose file ends in `suffix`, is played: its container, its
 * picture and every sound. */
bool plays_title(uint32_t plays, const struct record *r, const char *suffix);

#endif
