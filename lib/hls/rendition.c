/* lib/hls/rendition.c - the names of what can be made of a title.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/rendition.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/hls/grid.h"

static bool numbered(
	struct span name, enum rendition_kind kind, int64_t count, struct rendition *out)
{
	int64_t track;

	if (name.len < 2 || (name.ptr[1] == '0' && name.len > 2) ||
		!num_parse(span_make(name.ptr + 1, name.len - 1), 0, count - 1, &track))
		return false;
	*out = (struct rendition){.kind = kind, .track = (unsigned)track};
	return true;
}

enum { BESIDE_DIGITS = 11 };

static bool beside(struct span name, struct rendition *out)
{
	uint64_t id = 0;

	for (size_t i = 1; i < name.len; i++) {
		int digit = num_hex_digit(name.ptr[i]);

		if (digit < 0 || (name.ptr[i] >= 'A' && name.ptr[i] <= 'F'))
			return false;
		id = id << 4 | (uint64_t)digit;
	}
	*out = (struct rendition){.kind = RENDITION_BESIDE, .beside = id};
	return true;
}

bool rendition_parse(struct span name, struct rendition *out)
{
	const struct rung *rung = ladder_known(name);

	if (rung && rung->height)
		*out = (struct rendition){.kind = RENDITION_VIDEO, .rung = rung};
	else if (span_is(name, "source"))
		*out = (struct rendition){.kind = RENDITION_SOURCE};
	else if (span_is(name, "iframes"))
		*out = (struct rendition){
			.kind = RENDITION_IFRAMES, .rung = ladder_known(span_of("360p"))};
	else if (span_is(name, "thumbnails"))
		*out = (struct rendition){.kind = RENDITION_THUMBNAILS};
	else if (span_starts(name, "a"))
		return numbered(name, RENDITION_AUDIO, RECORD_AUDIO_MAX, out);
	else if (span_starts(name, "s") && name.len == 1 + BESIDE_DIGITS)
		return beside(name, out);
	else if (span_starts(name, "s"))
		return numbered(name, RENDITION_TEXT, RECORD_TEXT_MAX, out);
	else
		return false;
	return true;
}

bool rendition_has_ts(const struct rendition *r)
{
	return r->kind != RENDITION_IFRAMES && r->kind != RENDITION_THUMBNAILS;
}

bool rendition_parse_list(struct span name, struct rendition *out)
{
	struct rendition x;
	bool ts = span_ends(name, ".ts");

	if (ts)
		name.len -= 3;
	if (!rendition_parse(name, &x) || (ts && !rendition_has_ts(&x)))
		return false;
	x.format = ts ? RENDITION_TS : RENDITION_FMP4;
	*out = x;
	return true;
}

bool rendition_parse_part(struct span name, struct span extension, struct rendition *out)
{
	struct rendition x;

	if (!rendition_parse(name, &x))
		return false;
	if (rendition_has_ts(&x) && span_starts(extension, "ts"))
		x.format = RENDITION_TS;
	if (!span_is(extension, rendition_extension(&x)) &&
		!(rendition_has_init(&x) && span_is(extension, "mp4")))
		return false;
	*out = x;
	return true;
}

void rendition_print_list(const struct rendition *r, char *to)
{
	char name[RENDITION_NAME_BYTES];

	rendition_print(r, name);
	snprintf(to, RENDITION_NAME_BYTES, "%.12s%s", name, r->format == RENDITION_TS ? ".ts" : "");
}

void rendition_print(const struct rendition *r, char *to)
{
	static const char *const words[] = {[RENDITION_SOURCE] = "source",
		[RENDITION_IFRAMES] = "iframes",
		[RENDITION_THUMBNAILS] = "thumbnails"};

	if (r->kind == RENDITION_VIDEO)
		snprintf(to, RENDITION_NAME_BYTES, "%s", r->rung->name);
	else if (r->kind == RENDITION_BESIDE)
		snprintf(to, RENDITION_NAME_BYTES, "s%0*llx", BESIDE_DIGITS,
			(unsigned long long)r->beside);
	else if (r->kind == RENDITION_AUDIO || r->kind == RENDITION_TEXT)
		snprintf(to, RENDITION_NAME_BYTES, "%c%u", r->kind == RENDITION_AUDIO ? 'a' : 's',
			r->track);
	else
		snprintf(to, RENDITION_NAME_BYTES, "%s", words[r->kind]);
}

bool rendition_fits(const struct rendition *r, const struct record *of)
{
	switch (r->kind) {
	case RENDITION_SOURCE:
		return of->video.codec[0] && of->flags & RECORD_COPY &&
		       (r->format == RENDITION_FMP4 || strcmp(of->video.codec, "h264") == 0);
	case RENDITION_AUDIO:
		return r->track < of->audio_count;
	case RENDITION_TEXT:
		return r->track < of->text_count;
	case RENDITION_BESIDE:
		return false;
	default:
		return of->video.codec[0];
	}
}

/* Thumbnails stand in this box, and all others in their rung's. */
enum { THUMBNAIL_WIDTH = 160, THUMBNAIL_HEIGHT = 90 };

static int even(int64_t a, int64_t b, int64_t c)
{
	int64_t half = grid_scale(a, b, c * 2);

	return half < 1 ? 2 : (int)half * 2;
}

void rendition_size(const struct rendition *r, const struct record *of, int *width, int *height)
{
	int w, h, box_w = r->rung ? r->rung->width : THUMBNAIL_WIDTH;
	int box_h = r->rung ? r->rung->height : THUMBNAIL_HEIGHT;

	*width = *height = 0;
	record_shown(of, &w, &h);
	if (!w || r->kind == RENDITION_AUDIO || r->kind == RENDITION_TEXT)
		return;
	if (r->kind == RENDITION_SOURCE) {
		*width = w;
		*height = h;
	} else if (w <= box_w && h <= box_h) {
		*width = even(w, 1, 1);
		*height = even(h, 1, 1);
	} else if ((int64_t)w * box_h >= (int64_t)h * box_w) {
		*width = even(box_w, 1, 1);
		*height = even(h, box_w, w);
	} else {
		*width = even(w, box_h, h);
		*height = even(box_h, 1, 1);
	}
}

size_t rendition_segments(const struct rendition *r, const struct record *of)
{
	if (r->kind != RENDITION_THUMBNAILS)
		return of->segments;
	return (of->segments + RENDITION_SHEET - 1) / RENDITION_SHEET;
}

const char *rendition_extension(const struct rendition *r)
{
	if (r->kind == RENDITION_TEXT || r->kind == RENDITION_BESIDE)
		return r->format == RENDITION_TS ? "ts.vtt" : "vtt";
	if (r->kind == RENDITION_THUMBNAILS)
		return "jpg";
	return r->format == RENDITION_TS ? "ts" : "m4s";
}

bool rendition_has_init(const struct rendition *r)
{
	return r->kind != RENDITION_TEXT && r->kind != RENDITION_BESIDE &&
	       r->kind != RENDITION_THUMBNAILS && r->format == RENDITION_FMP4;
}
