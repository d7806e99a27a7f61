/* lib/http/alike.c - whether two sources mean one channel by two names.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/alike.h"

#include <stdbool.h>
#include <string.h>

#include "lib/http/text.h"

enum { NAME_MAX_BYTES = 256 };

static bool is_quality(struct span word)
{
	static const char *const words[] = {"sd", "hd", "fhd", "uhd", "qhd", "4k", "8k", "hevc",
		"h264", "h265", "x264", "x265", "hdr", "raw", "1080p", "1080", "720p", "720",
		"2160p", "576p", "480p", "50fps", "60fps"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is(word, words[i]))
			return true;
	}
	return false;
}

/* Letters and digits of ASCII, '+' ("Canal+"), and all that is none of ASCII. */
static bool is_part(unsigned char c)
{
	return c >= 0x80 || c == '+' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

size_t alike_name(struct span name, char *to, size_t size)
{
	char folded[NAME_MAX_BYTES];
	size_t len = text_fold(name, folded, sizeof(folded)), out = 0, i = 0;

	while (i < len) {
		size_t from = i;

		while (i < len && is_part((unsigned char)folded[i]))
			i++;
		if (!is_quality(span_make(folded + from, i - from)) && out + (i - from) < size) {
			memcpy(to + out, folded + from, i - from);
			out += i - from;
		}
		if (i == from)
			i++;
	}
	if (out == 0)
		return text_fold(name, to, size);
	to[out] = '\0';
	return out;
}
