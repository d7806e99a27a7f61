/* lib/hls/plays.c - whether a player that says what it plays can play a title as it is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/plays.h"

#include <string.h>

/* As players name it, and as the record does; the containers first. */
static const char *const words[] = {"mp4", "webm", "mkv", "ts", "h264", "hevc", "av1", "vp8", "vp9",
	"aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac"};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static uint32_t bit_of(struct span word)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (span_is_nocase(word, words[i]))
			return 1U << i;
	}
	return 0;
}

uint32_t plays_parse(struct span list)
{
	uint32_t plays = 0;
	struct span part, word;

	while (span_next(&list, ' ', &part)) {
		while (span_next(&part, ',', &word))
			plays |= bit_of(word);
	}
	return plays;
}

static bool has(uint32_t plays, const char *word)
{
	return plays & bit_of(span_of(word));
}

static const char *container_of(const struct record *r, const char *suffix)
{
	switch (r->container) {
	case RECORD_MP4:
		return "mp4";
	case RECORD_MATROSKA:
		return strcmp(suffix, "webm") == 0 ? "webm" : "mkv";
	case RECORD_MPEG_TS:
		return "ts";
	default:
		return "";
	}
}

bool plays_title(uint32_t plays, const struct record *r, const char *suffix)
{
	const char *picture = r->video.codec;

	if (!has(plays, container_of(r, suffix)) || (*picture && !has(plays, picture)))
		return false;
	/* No browser plays more than 8 bits of H.264. */
	if (strcmp(picture, "h264") == 0 && r->video.depth != 8)
		return false;
	for (size_t i = 0; i < r->audio_count; i++) {
		if (!has(plays, r->audio[i].codec))
			return false;
	}
	return true;
}
