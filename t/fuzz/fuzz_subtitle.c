/* t/fuzz/fuzz_subtitle.c - files of subtitles, and names that tell of episodes, by anybody.
 * SPDX-License-Identifier: BSD-2-Clause
 * Whatever it was, what comes out is UTF-8, and has as many times as it has cues. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hls/subtitle.h"
#include "lib/http/charset.h"
#include "lib/http/episode.h"
#include "lib/http/path.h"

static void check(bool good)
{
	if (!good)
		abort();
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static bool lies_in(struct span part, struct span whole)
{
	return part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void names(struct span text)
{
	struct episode_mark m;
	struct subtitle_name n;
	int64_t season;

	if (episode_find(text, &m) || episode_find_in(1, text, &m))
		check(m.season >= 0 && m.number >= 0 && lies_in(m.before, text) &&
			lies_in(m.after, text));
	if (episode_is_season(text, &season))
		check(season >= 0 && season <= EPISODE_SEASON_MAX);
	if (subtitle_name(span_make(text.ptr, text.len / 2), text, &n))
		check(n.format && strlen(n.title) < sizeof(n.title) && !strchr(n.title, '"') &&
			!strchr(n.title, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = {"srt", "vtt", "ass"};
	struct span bytes = span_make((const char *)data, size);
	struct buf text, cues;

	names(bytes);
	buf_init(&text, 1 << 22);
	charset_decode(bytes, &text);
	check(!text.failed && path_is_utf8(buf_span(&text)) &&
		!memchr(buf_str(&text), '\0', text.len));
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		buf_init(&cues, 1 << 24);
		subtitle_print(formats[i], buf_span(&text), 0, INT64_MAX, &cues);
		check(!cues.failed && path_is_utf8(buf_span(&cues)));
		check(count(buf_str(&cues), "-->") == count(buf_str(&cues), "\n\n"));
		buf_release(&cues);
	}
	buf_release(&text);
	return 0;
}
