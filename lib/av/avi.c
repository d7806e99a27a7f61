/* lib/av/avi.c - AVI whose table of chunks is wrong or missing: one is made by a walk over them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/avi.h"

#include <string.h>

enum {
	HEADER = 8,
	LIST_HEADER = 12,
	GLANCE = 256, /* bytes of a chunk in which a picture says what it is */
	LISTS_MAX = 4096,
	STRH_SCALE = 20,
	STRH_RATE = 24,
	STRH_START = 28,
	STRH_SAMPLE = 44,
	STRH_BYTES = 48,
	/* So much may follow the last picture that a table has, or a fiftieth of all. */
	TAIL_MIN = 16384,
	TAIL_MAX = 4 << 20,
	TAIL_PART = 50,
	RESYNC_MAX = 1 << 20,
	VOP = 0xb6,
	NAL_IDR = 5,
	START_MAX_S = 3600
};

#define WORD(a, b, c, d)                                                                           \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* How a stream's chunks are numbered. */
struct line {
	uint32_t sample; /* bytes; 0: each chunk counts as one, or in blocks of `block` */
	uint32_t block;
	int64_t at; /* of the next chunk */
	bool begun;
};

struct walk {
	struct reader *r;
	struct line lines[READER_STREAMS_MAX];
	unsigned count;	      /* streams that have a header */
	const uint8_t *bytes; /* what is looked at, and how many there are */
	int have;
};

static uint32_t le32(const uint8_t *p)
{
	return WORD(p[0], p[1], p[2], p[3]);
}

/* Looks at the first bytes there. False at the end, or with r->error set. */
static bool look(struct walk *w, uint64_t at)
{
	int n = reader_peek(w->r, at, HEADER + GLANCE, &w->bytes);

	w->have = n < 0 ? 0 : n;
	return w->have >= HEADER;
}

/* The stream of a chunk's name, "01wb"; -1: it is none of media. */
static int stream_of(const uint8_t *name)
{
	int number = (name[0] - '0') * 10 + name[1] - '0';

	if (name[0] < '0' || name[0] > '9' || name[1] < '0' || name[1] > '9')
		return -1;
	return memcmp(name + 2, "dc", 2) == 0 || memcmp(name + 2, "db", 2) == 0 ||
			       memcmp(name + 2, "wb", 2) == 0
		       ? number
		       : -1;
}

/* --- keyframes -------------------------------------------------------------------------------- */

static bool mpeg4_key(const uint8_t *p, const uint8_t *end)
{
	while (end - p > 4 && (p = memmem(p, (size_t)(end - p), "\0\0\1", 3)) && end - p > 4) {
		if (p[3] == VOP)
			return p[4] >> 6 == 0;
		p += 3;
	}
	return false;
}

static bool h264_key(const uint8_t *p, const uint8_t *end)
{
	while (end - p > 3 && (p = memmem(p, (size_t)(end - p), "\0\0\1", 3)) && end - p > 3) {
		if ((p[3] & 31) == NAL_IDR)
			return true;
		p += 3;
	}
	return false;
}

/* Whether the decoder can begin with a picture that begins with these bytes. */
static bool is_key(const struct walk *w, const AVStream *st, const struct line *line)
{
	const uint8_t *p = w->bytes + HEADER, *end = w->bytes + w->have;

	if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
		return true;
	switch (st->codecpar->codec_id) {
	case AV_CODEC_ID_MPEG4:
		return mpeg4_key(p, end);
	case AV_CODEC_ID_H264:
		return h264_key(p, end);
	case AV_CODEC_ID_MSMPEG4V2:
	case AV_CODEC_ID_MSMPEG4V3:
	case AV_CODEC_ID_WMV1:
	case AV_CODEC_ID_WMV2:
		return p < end && *p >> 6 == 0;
	case AV_CODEC_ID_MJPEG:
		return true;
	default:
		return !line->begun;
	}
}

/* --- the walk --------------------------------------------------------------------------------- */

static int add(struct walk *w, unsigned stream, uint64_t at, uint32_t size)
{
	AVStream *st = w->r->format->streams[stream];
	struct line *line = &w->lines[stream];
	int flags = size && is_key(w, st, line) ? AVINDEX_KEYFRAME : 0;
	int e = av_add_index_entry(st, (int64_t)at, line->at, (int)size, 0, flags);

	line->begun |= size > 0;
	if (line->sample)
		line->at += size;
	else
		line->at += line->block ? ((int64_t)size + line->block - 1) / line->block : 1;
	return e;
}

/* A stream's header: its clock, and where that begins. */
static void read_header(struct walk *w, const uint8_t *p)
{
	struct line *line = &w->lines[w->count];
	const AVStream *st = w->r->format->streams[w->count];
	bool sound = memcmp(p, "auds", 4) == 0;
	uint32_t scale = le32(p + STRH_SCALE), rate = le32(p + STRH_RATE);
	uint32_t align = st->codecpar->block_align > 0 ? (uint32_t)st->codecpar->block_align : 0;

	w->count++;
	*line = (struct line){
		.sample = sound ? le32(p + STRH_SAMPLE) : 0, .block = sound ? align : 0};
	if (line->sample && align)
		line->sample = align;
	line->at = le32(p + STRH_START);
	if (!scale || !rate || line->at * scale / rate > START_MAX_S)
		line->at = 0;
	line->at *= line->sample ? line->sample : 1;
}

/* One chunk at `at`; where the next is, or 0 where this is none that one can pass. */
static uint64_t step(struct walk *w, uint64_t at, struct fail *f, int *result)
{
	uint32_t name = le32(w->bytes), size = le32(w->bytes + 4);
	int stream = stream_of(w->bytes);

	if (name == WORD('R', 'I', 'F', 'F') || name == WORD('L', 'I', 'S', 'T'))
		return at + LIST_HEADER; /* is entered, whatever its length */
	if (name == WORD('s', 't', 'r', 'h') && size >= STRH_BYTES &&
		w->have >= HEADER + STRH_BYTES && w->count < w->r->format->nb_streams &&
		w->count < READER_STREAMS_MAX)
		read_header(w, w->bytes + HEADER);
	if (stream >= 0 && (unsigned)stream < w->count) {
		if (size > INT32_MAX)
			return 0;
		if (add(w, (unsigned)stream, at, size) < 0)
			*result = fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
	} else {
		for (int i = 0; i < 4; i++) {
			if (w->bytes[i] < ' ' || w->bytes[i] > '~')
				return 0;
		}
	}
	return at + HEADER + size + size % 2;
}

/* Where the next chunk of media may begin behind damage; 0: none near. */
static uint64_t resync(struct walk *w, uint64_t from)
{
	for (uint64_t at = from; at < from + RESYNC_MAX; at++) {
		const uint8_t *p;

		if (reader_peek(w->r, at, HEADER, &p) < HEADER)
			return 0;
		if (stream_of(p) >= 0 && (unsigned)stream_of(p) < w->count &&
			le32(p + 4) <= w->r->source->size - at)
			return at;
	}
	return 0;
}

int avi_walk(struct reader *r, struct fail *f)
{
	struct walk w = {.r = r};
	uint64_t at = 0, next;
	int result = 0;

	while (result == 0 && look(&w, at)) {
		next = step(&w, at, f, &result);
		if (!next)
			next = resync(&w, at + 1);
		if (!next)
			break;
		at = next;
	}
	return r->error ? reader_fail(r, 0, "The file", f) : result;
}

/* --- the table that is there ------------------------------------------------------------------ */

/* Where the chunks of media end: those of the last list of them. 0 where that cannot be told. */
static uint64_t media_end(struct walk *w)
{
	uint64_t at = 0, end = 0;

	for (int i = 0; i < LISTS_MAX && look(w, at); i++) {
		uint32_t name = le32(w->bytes), size = le32(w->bytes + 4);

		if (name == WORD('R', 'I', 'F', 'F')) {
			at += LIST_HEADER;
			continue;
		}
		if (name == WORD('L', 'I', 'S', 'T') && w->have >= LIST_HEADER &&
			memcmp(w->bytes + HEADER, "movi", 4) == 0) {
			if (size == 0)
				break; /* it was never finished */
			end = at + HEADER + size;
		}
		at += HEADER + (uint64_t)size + size % 2;
	}
	return end && end < w->r->source->size ? end : w->r->source->size;
}

static bool is_there(struct walk *w, const AVIndexEntry *e, unsigned stream)
{
	return look(w, (uint64_t)e->pos) && stream_of(w->bytes) == (int)stream;
}

bool avi_fits(struct reader *r, unsigned stream)
{
	AVStream *st = r->format->streams[stream];
	int count = avformat_index_get_entries_count(st);
	struct walk w = {.r = r};
	const AVIndexEntry *last;
	uint64_t tail = r->source->size / TAIL_PART;

	if (count < 2)
		return false;
	tail = tail < TAIL_MIN ? TAIL_MIN : tail > TAIL_MAX ? TAIL_MAX : tail;
	last = avformat_index_get_entry(st, count - 1);
	return is_there(&w, avformat_index_get_entry(st, count / 2), stream) &&
	       is_there(&w, last, stream) &&
	       (uint64_t)last->pos + (uint64_t)last->size + tail > media_end(&w);
}
