/* t/unit/plays.c - what a player says that it plays, and titles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "lib/hls/plays.h"
#include "t/unit/tap.h"

static const struct {
	const char *plays;
	enum record_container container;
	const char *suffix, *picture;
	int depth;
	const char *sounds[2];
	bool want;
} cases[] = {
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "h264", 8, {"aac"}, true},
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "h264", 8, {NULL}, true},
	{PLAYS_EVERYWHERE, RECORD_MP4, "m4a", "", 0, {"aac"}, true},
	{PLAYS_EVERYWHERE, RECORD_MATROSKA, "webm", "vp9", 8, {"opus"}, true},
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "h264", 10, {"aac"}, false},
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "hevc", 8, {"aac"}, false},
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "h264", 8, {"ac3"}, false},
	{PLAYS_EVERYWHERE, RECORD_MP4, "mp4", "h264", 8, {"aac", "ac3"}, false},
	{PLAYS_EVERYWHERE, RECORD_MATROSKA, "mkv", "h264", 8, {"aac"}, false},
	{PLAYS_EVERYWHERE, RECORD_AVI, "avi", "h264", 8, {"aac"}, false},
	{"mkv,h264,hevc,aac,ac3", RECORD_MATROSKA, "mkv", "hevc", 10, {"aac", "ac3"}, true},
	{"mkv h264 aac", RECORD_MATROSKA, "mkv", "hevc", 8, {"aac"}, false},
	{"MKV H264 AAC", RECORD_MATROSKA, "mkv", "h264", 8, {"aac"}, true},
	{"ts h264 aac", RECORD_MPEG_TS, "ts", "h264", 8, {"aac"}, true},
	{"mp4 h264 aac dolby-xyz", RECORD_MP4, "mp4", "h264", 8, {"dts"}, false},
	{"", RECORD_MP4, "mp4", "h264", 8, {"aac"}, false},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record r = {.container = cases[i].container};

		snprintf(r.video.codec, sizeof(r.video.codec), "%s", cases[i].picture);
		r.video.depth = (uint8_t)cases[i].depth;
		while (r.audio_count < 2 && cases[i].sounds[r.audio_count]) {
			snprintf(r.audio[r.audio_count].codec, sizeof(r.audio[0].codec), "%s",
				cases[i].sounds[r.audio_count]);
			r.audio_count++;
		}
		is_int(plays_title(plays_parse(span_of(cases[i].plays)), &r, cases[i].suffix),
			cases[i].want, "\"%s\" and %s with %s and %zu sounds", cases[i].plays,
			cases[i].suffix, cases[i].picture, r.audio_count);
	}
	return tap_done();
}
