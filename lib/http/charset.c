/* lib/http/charset.c - text files as people have them, as UTF-8.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/charset.h"

#include <stdint.h>
#include <string.h>

#include "lib/http/path.h"

enum { REPLACEMENT = 0xfffd, LOOK_BYTES = 1000 };

static void put(uint32_t c, struct buf *to)
{
	if (c == 0)
		return;
	if (c < 0x80) {
		buf_putc(to, (char)c);
	} else if (c < 0x800) {
		buf_putc(to, (char)(0xc0 | c >> 6));
		buf_putc(to, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_putc(to, (char)(0xe0 | c >> 12));
		buf_putc(to, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(to, (char)(0x80 | (c & 63)));
	} else {
		buf_putc(to, (char)(0xf0 | c >> 18));
		buf_putc(to, (char)(0x80 | (c >> 12 & 63)));
		buf_putc(to, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(to, (char)(0x80 | (c & 63)));
	}
}

static uint32_t unit_at(struct span s, size_t i, bool big)
{
	const unsigned char *b = (const unsigned char *)s.ptr + i;

	return big ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
}

static void from_utf16(struct span s, bool big, struct buf *to)
{
	for (size_t i = 0; i + 1 < s.len; i += 2) {
		uint32_t c = unit_at(s, i, big), low;

		if (c >= 0xd800 && c < 0xdc00 && i + 3 < s.len &&
			(low = unit_at(s, i + 2, big)) >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = REPLACEMENT;
		}
		put(c, to);
	}
}

static void from_1252(struct span s, struct buf *to)
{
	/* 0x80 to 0x9f; everywhere else it is ISO 8859-1. */
	static const uint16_t high[32] = {0x20ac, REPLACEMENT, 0x201a, 0x0192, 0x201e, 0x2026,
		0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017d,
		REPLACEMENT, REPLACEMENT, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, REPLACEMENT, 0x017e, 0x0178};

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		put(c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c, to);
	}
}

/* Zeros at every other place: what UTF-16 has of Western text. -1: little end first, 1: big, 0:
 * no. */
static int guess_utf16(struct span s)
{
	size_t even = 0, odd = 0, look = s.len < LOOK_BYTES ? s.len : LOOK_BYTES;

	for (size_t i = 0; i < look; i++) {
		if (!s.ptr[i])
			*(i % 2 ? &odd : &even) += 1;
	}
	if (odd > look / 4 && even < look / 20)
		return -1;
	return even > look / 4 && odd < look / 20 ? 1 : 0;
}

void charset_decode(struct span s, struct buf *to)
{
	int guess;

	if (span_starts(s, "\xff\xfe") || span_starts(s, "\xfe\xff")) {
		from_utf16(span_make(s.ptr + 2, s.len - 2), s.ptr[0] == '\xfe', to);
		return;
	}
	if (span_starts(s, "\xef\xbb\xbf"))
		s = span_make(s.ptr + 3, s.len - 3);
	guess = guess_utf16(s);
	if (guess) {
		from_utf16(s, guess > 0, to);
	} else if (!path_is_utf8(s)) {
		from_1252(s, to);
	} else {
		for (size_t i = 0; i < s.len; i++) {
			if (s.ptr[i])
				buf_putc(to, s.ptr[i]);
		}
	}
}
