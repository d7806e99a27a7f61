/* t/unit/sps.c - what an H.264 stream says of its pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/hls/sps.h"
#include "t/unit/tap.h"

#define UNIT(text_) (text_), sizeof(text_) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	int width, height;
	int64_t rate_milli;
	int profile;
} cases[] = {
	{"4:3 at 29.97",
		UNIT("\x67\x4d\x40\x1e\xec\xa0\x48\x1e\xd8\x08\x80\x00\x01\xf4\x80\x00\x75\x30\x07"
		     "\x8b\x16\xcb"),
		576, 480, 29970, 77},
	{"1080 lines in fields",
		UNIT("\x67\x64\x00\x3e\xac\xd9\x40\x78\x04\x4f\xde\x02\x20\x00\x00\x03\x00\x20\x00"
		     "\x00\x0c\x83\xe3\xc7\xb2\xc0"),
		1920, 1080, 50000, 100},
	{"a width that is cropped",
		UNIT("\x67\x4d\x40\x1e\xec\xa0\x6c\x1e\xf3\x78\x08\x80\x00\x00\x03\x00\x80\x00\x00"
		     "\x19\x07\x8b\x16\xcb"),
		854, 480, 25000, 77},
	{"720 lines",
		UNIT("\x67\x64\x00\x1f\xac\xd9\x40\x50\x05\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00"
		     "\x03\x03\x20\xf1\x83\x19\x60"),
		1280, 720, 25000, 100},
};

int main(void)
{
	unsigned char noise[64];
	struct sps s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ok(sps_parse(cases[i].bytes, cases[i].len, &s), "%s: read", cases[i].name);
		is_int(s.width, cases[i].width, "with its width");
		is_int(s.height, cases[i].height, "and height");
		is_int(s.rate_milli, cases[i].rate_milli, "and rate");
		is_int(s.profile, cases[i].profile, "and profile");
		for (size_t len = 0; len < 8; len++)
			ok(!sps_parse(cases[i].bytes, len, &s), "cut at %zu it is none", len);
	}
	ok(!sps_parse("\x68\xee\x3c\x80", 4, &s), "another unit is none");
	srandom(4711);
	for (int round = 0; round < 200000; round++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (unsigned char)random();
		noise[0] = 0x67;
		if (sps_parse(noise, sizeof(noise), &s) &&
			(s.width < 1 || s.height < 1 || s.width > 16384 || s.height > 16384 ||
				s.rate_milli < 0))
			ok(false, "noise gives %dx%d", s.width, s.height);
	}
	ok(!sps_find(noise, sizeof(noise), &s), "noise is no stream");
	return tap_done();
}
