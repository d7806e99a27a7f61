/* t/unit/sidx.c - where the segments of a fragmented MP4 lie.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/hls/sidx.h"
#include "t/unit/tap.h"

#define FTYP                                                                                       \
	"\0\0\0\x10"                                                                               \
	"ftypiso5\0\0\0\0"
#define MOOV                                                                                       \
	"\0\0\0\x0c"                                                                               \
	"moov\0\0\0\0"
/* `version`, `count` and what follows the timescale of 1000; three parts of 100, 200, 300 bytes. */
#define HEAD                                                                                       \
	"\0\0\0\x01"                                                                               \
	"\0\0\x03\xe8"
#define TIMES                                                                                      \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"
#define PART_1                                                                                     \
	"\0\0\0\x64"                                                                               \
	"\0\0\x07\xd0"                                                                             \
	"\x90\0\0\0"
#define PART_2                                                                                     \
	"\0\0\0\xc8"                                                                               \
	"\0\0\x07\xd0"                                                                             \
	"\x90\0\0\0"
#define PART_3                                                                                     \
	"\0\0\x01\x2c"                                                                             \
	"\0\0\x03\xe8"                                                                             \
	"\x90\0\0\0"
#define SIDX                                                                                       \
	"\0\0\0\x44"                                                                               \
	"sidx"                                                                                     \
	"\0\0\0\0" HEAD TIMES "\0\0"                                                               \
	"\0\x03" PART_1 PART_2 PART_3
#define WIDE                                                                                       \
	"\0\0\0\x34"                                                                               \
	"sidx"                                                                                     \
	"\x01\0\0\0" HEAD "\0\0\0\0\0\0\0\0"                                                       \
	"\0\0\0\0\0\0\0\x0a"                                                                       \
	"\0\0"                                                                                     \
	"\0\x01" PART_1
#define NESTED                                                                                     \
	"\0\0\0\x2c"                                                                               \
	"sidx"                                                                                     \
	"\0\0\0\0" HEAD TIMES "\0\0"                                                               \
	"\0\x01"                                                                                   \
	"\x80\0\0\x64"                                                                             \
	"\0\0\x07\xd0"                                                                             \
	"\x90\0\0\0"
#define TIMELESS                                                                                   \
	"\0\0\0\x2c"                                                                               \
	"sidx"                                                                                     \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\x01"                                                                               \
	"\0\0\0\0" TIMES "\0\0"                                                                    \
	"\0\x01" PART_1
#define SHORT                                                                                      \
	"\0\0\0\x2c"                                                                               \
	"sidx"                                                                                     \
	"\0\0\0\0" HEAD TIMES "\0\0"                                                               \
	"\0\x03" PART_1
#define TEXT(text_) (text_), sizeof(text_) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	int64_t size;
	enum sidx_result want;
	int64_t need;
	size_t count;
	int64_t first, last, length; /* of the parts; of the last one */
} cases[] = {
	{"an index", TEXT(FTYP MOOV SIDX), 1000, SIDX_OK, 0, 3, 96, 396, 300},
	{"one with long times, and a gap behind it", TEXT(FTYP MOOV WIDE), 1000, SIDX_OK, 0, 1, 90,
		90, 100},
	{"with more before it",
		TEXT(FTYP MOOV "\0\0\0\x0c"
			       "free\0\0\0\0" SIDX),
		1000, SIDX_OK, 0, 3, 108, 408, 300},
	{"the beginning of it", TEXT(FTYP), 1000, SIDX_MORE, 32, 0, 0, 0, 0},
	{"an index that is cut", FTYP MOOV SIDX, 60, 1000, SIDX_MORE, 96, 0, 0, 0, 0},
	{"nothing", "", 0, 1000, SIDX_MORE, 16, 0, 0, 0, 0},
	{"a file that ends before", TEXT(FTYP MOOV), 28, SIDX_NONE, 0, 0, 0, 0, 0},
	{"parts beyond the end", TEXT(FTYP MOOV SIDX), 600, SIDX_NONE, 0, 0, 0, 0, 0},
	{"an index of indexes", TEXT(FTYP MOOV NESTED), 1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"no timescale", TEXT(FTYP MOOV TIMELESS), 1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"fewer parts than it says", TEXT(FTYP MOOV SHORT), 1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"an index before the tracks", TEXT(FTYP SIDX MOOV), 1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"none before the media",
		TEXT(FTYP MOOV "\0\0\0\x10"
			       "moof\0\0\0\0\0\0\0\0"),
		1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"a box without length",
		TEXT(FTYP "\0\0\0\0"
			  "moov\0\0\0\0\0\0\0\0"),
		1000, SIDX_NONE, 0, 0, 0, 0, 0},
	{"no MP4", TEXT("\x1a\x45\xdf\xa3 this is Matroska"), 1000, SIDX_NONE, 0, 0, 0, 0, 0},
};

static const struct {
	const char *name, *sap;
	int want;
} access_points[] = {
	{"a picture before all others", "\x90\0\0\0", 1},
	{"one with others before it", "\xa0\0\0\0", 1},
	{"one that later ones look behind", "\xb0\0\0\0", 0},
	{"something that the index does not tell", "\x80\0\0\0", 0},
	{"no picture of its own", "\x10\0\0\0", 0},
	{"one a while later", "\x90\0\0\x01", 0},
};

int main(void)
{
	struct sidx *x = malloc(sizeof(*x));

	for (size_t i = 0; x && i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t need = 0;
		enum sidx_result got =
			sidx_read(span_make(cases[i].bytes, cases[i].len), cases[i].size, x, &need);

		is_int(got, cases[i].want, "%s", cases[i].name);
		if (cases[i].want == SIDX_MORE)
			is_int(need, cases[i].need, "%s: so much is wanted", cases[i].name);
		if (got != SIDX_OK || cases[i].want != SIDX_OK)
			continue;
		is_int((int64_t)x->count, (int64_t)cases[i].count, "%s: its parts", cases[i].name);
		ok(x->independent, "%s: they need no others", cases[i].name);
		is_int(x->init_length, 28, "%s: what all of them need", cases[i].name);
		is_int(x->parts[0].at, cases[i].first, "%s: the first", cases[i].name);
		is_int(x->parts[x->count - 1].at, cases[i].last, "%s: the last", cases[i].name);
		is_int(x->parts[x->count - 1].length, cases[i].length, "%s: as long as it is",
			cases[i].name);
	}
	for (size_t i = 0; x && i < sizeof(access_points) / sizeof(access_points[0]); i++) {
		char bytes[] = FTYP MOOV WIDE;

		memcpy(bytes + sizeof(bytes) - 5, access_points[i].sap, 4);
		sidx_read(span_make(bytes, sizeof(bytes) - 1), 1000, x, &(int64_t){0});
		is_int(x->independent, access_points[i].want, "a part that begins with %s",
			access_points[i].name);
	}
	free(x);
	return tap_done();
}
