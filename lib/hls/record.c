/* lib/hls/record.c - what is known of a title, as bytes and back.
 * SPDX-License-Identifier: BSD-2-Clause
 * One list of members serves writing and reading: `struct coder` does one or the other, so that the
 * two cannot differ. */
#include "lib/hls/record.h"

#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/grid.h"
#include "lib/hls/ts.h"

enum { CRC_BYTES = 4 };

struct coder {
	struct buf *to; /* writing; NULL: reading */
	const uint8_t *at, *end;
	bool bad;
};

/* A number of `size` bytes, little endian. */
static void number(struct coder *c, size_t size, uint64_t *value)
{
	uint8_t bytes[8];

	if (c->to) {
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)(*value >> (8 * i));
		buf_add(c->to, bytes, size);
		return;
	}
	*value = 0;
	if ((size_t)(c->end - c->at) < size) {
		c->bad = true;
		return;
	}
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t)c->at[i] << (8 * i);
	c->at += size;
}

/* One member; reading, it must lie in [min, max]. */
static uint64_t member(struct coder *c, size_t size, uint64_t value, uint64_t min, uint64_t max)
{
	number(c, size, &value);
	if (value >= min && value <= max)
		return value;
	must(!c->to);
	c->bad = true;
	return min;
}

#define MEMBER(c, size, m, min, max)                                                               \
	((m) = (__typeof__(m))member((c), (size), (uint64_t)(m), (min), (max)))

static void blob(struct coder *c, struct span *s, size_t max)
{
	uint64_t len = s->len;

	MEMBER(c, 4, len, 0, max);
	if (c->to) {
		buf_add(c->to, s->ptr, len);
		return;
	}
	if (c->bad || (uint64_t)(c->end - c->at) < len) {
		c->bad = true;
		len = 0;
	}
	*s = span_make((const char *)c->at, (size_t)len);
	c->at += len;
}

/* Text for playlists and logs: no control characters, no quotes. */
static void text(struct coder *c, char *s, size_t size)
{
	struct span word = span_of(s);

	if (!c->to)
		word = span_make(NULL, 0);
	blob(c, &word, size - 1);
	for (size_t i = 0; i < word.len; i++) {
		if ((unsigned char)word.ptr[i] < ' ' || word.ptr[i] == '"' || word.ptr[i] == 127) {
			must(!c->to);
			c->bad = true;
			word.len = 0;
		}
	}
	if (!c->to)
		c->bad |= !span_copy(word, s, size);
}

/* Times may lie before 0 by as much as a title lasts. */
static void instant(struct coder *c, int64_t *t)
{
	uint64_t value = (uint64_t)*t;

	number(c, 8, &value);
	*t = (int64_t)value;
	if (*t > INT64_MAX / 4 || *t < -(INT64_MAX / 4)) {
		must(!c->to);
		c->bad = true;
		*t = 0;
	}
}

static void video(struct coder *c, struct record_video *v)
{
	text(c, v->codec, sizeof(v->codec));
	if (!v->codec[0])
		return;
	text(c, v->codecs, sizeof(v->codecs));
	MEMBER(c, 2, v->stream, 0, UINT16_MAX);
	MEMBER(c, 2, v->width, 1, RECORD_SIDE_MAX);
	MEMBER(c, 2, v->height, 1, RECORD_SIDE_MAX);
	MEMBER(c, 2, v->sar_n, 1, UINT16_MAX);
	MEMBER(c, 2, v->sar_d, 1, UINT16_MAX);
	MEMBER(c, 2, v->rotation, 0, 270);
	c->bad |= v->rotation % 90 != 0;
	MEMBER(c, 1, v->depth, 1, 16);
	MEMBER(c, 1, v->primaries, 0, UINT8_MAX);
	MEMBER(c, 1, v->transfer, 0, UINT8_MAX);
	MEMBER(c, 1, v->matrix, 0, UINT8_MAX);
	MEMBER(c, 4, v->rate_n, 0, UINT32_MAX);
	MEMBER(c, 4, v->rate_d, 0, UINT32_MAX);
	c->bad |= !v->rate_n != !v->rate_d;
	blob(c, &v->extra, RECORD_BLOB_MAX);
}

static void audio(struct coder *c, struct record_audio *a)
{
	text(c, a->codec, sizeof(a->codec));
	text(c, a->codecs, sizeof(a->codecs));
	text(c, a->language, sizeof(a->language));
	text(c, a->title, sizeof(a->title));
	MEMBER(c, 2, a->stream, 0, UINT16_MAX);
	MEMBER(c, 1, a->channels, 1, 2);
	MEMBER(c, 1, a->copy, 0, 1);
	MEMBER(c, 1, a->is_default, 0, 1);
	MEMBER(c, 4, a->rate, 1000, 768000);
	MEMBER(c, 4, a->source_rate, 1000, 768000);
	MEMBER(c, 4, a->frame, 0, 1 << 20);
	instant(c, &a->start);
	blob(c, &a->extra, RECORD_BLOB_MAX);
}

static void subtitles(struct coder *c, struct record_text *s)
{
	text(c, s->codec, sizeof(s->codec));
	text(c, s->language, sizeof(s->language));
	text(c, s->title, sizeof(s->title));
	MEMBER(c, 2, s->stream, 0, UINT16_MAX);
	MEMBER(c, 1, s->flags, 0, 7);
	blob(c, &s->extra, RECORD_BLOB_MAX);
}

static void header(struct coder *c, struct record *r)
{
	uint64_t magic = 'V' | 'X' << 8 | 'I' << 16 | (uint64_t)RECORD_VERSION << 24;

	MEMBER(c, 4, magic, magic, magic);
	MEMBER(c, 8, r->source.size, 0, UINT64_MAX);
	MEMBER(c, 8, r->source.stamp, 0, UINT64_MAX);
	MEMBER(c, 1, r->container, RECORD_MATROSKA, RECORD_OTHER);
	MEMBER(c, 4, r->flags, 0, RECORD_FLAGS);
	MEMBER(c, 4, r->timescale, 1, 10000000);
	instant(c, &r->origin);
	MEMBER(c, 4, r->peak_bps, 0, UINT32_MAX);
	MEMBER(c, 4, r->average_bps, 0, UINT32_MAX);
	video(c, &r->video);
	MEMBER(c, 1, r->audio_count, 0, RECORD_AUDIO_MAX);
	for (size_t i = 0; i < r->audio_count; i++)
		audio(c, &r->audio[i]);
	MEMBER(c, 1, r->text_count, 0, RECORD_TEXT_MAX);
	for (size_t i = 0; i < r->text_count; i++)
		subtitles(c, &r->text[i]);
	blob(c, &r->head, RECORD_BLOB_MAX);
	if (r->flags & RECORD_WALKED)
		blob(c, &r->table, RECORD_TABLE_MAX);
	MEMBER(c, 4, r->segments, 1, RECORD_SEGMENTS_MAX);
}

/* Durations, then places. */
static void table(struct coder *c, struct record *r)
{
	int64_t longest = (int64_t)RECORD_HOURS_MAX * 3600 * r->timescale;

	for (size_t i = 0; i < r->segments; i++) {
		uint64_t duration = c->to ? (uint64_t)(r->t[i + 1] - r->t[i]) : 0;
		MEMBER(c, 4, duration, 1, UINT32_MAX);
		if (!c->to)
			r->t[i + 1] = r->t[i] + (int64_t)duration;
		c->bad |= r->t[i + 1] > longest;
		if (c->bad)
			return;
	}
	for (size_t i = 0; i <= r->segments; i++)
		MEMBER(c, 8, r->pos[i], 0, INT64_MAX);
}

void record_encode(const struct record *r, struct buf *to)
{
	size_t from = to->len;
	struct coder c = {.to = to};
	struct record mine = *r; /* a coder writes to what it reads */

	must(r->segments > 0 && r->t[0] == 0);
	header(&c, &mine);
	table(&c, &mine);
	must(!c.bad);
	if (!to->failed) {
		uint64_t crc = ts_crc(to->ptr + from, to->len - from);
		number(&c, CRC_BYTES, &crc);
	}
}

int record_decode(struct span bytes, struct arena *arena, struct record *out, struct fail *f)
{
	struct coder c = {.at = (const uint8_t *)bytes.ptr};
	uint32_t crc;

	*out = (struct record){0};
	if (bytes.len < CRC_BYTES || bytes.len > RECORD_MAX_BYTES)
		return fail_set(f, FAIL_INPUT, "An index record has a size that none has");
	crc = ts_crc(bytes.ptr, bytes.len - CRC_BYTES);
	for (size_t i = 0; i < CRC_BYTES; i++) {
		if (c.at[bytes.len - CRC_BYTES + i] != (uint8_t)(crc >> (8 * i)))
			return fail_set(f, FAIL_INPUT, "An index record is damaged");
	}
	c.end = c.at + bytes.len - CRC_BYTES;
	header(&c, out);
	/* Each segment takes 12 bytes, so that no number makes us take more than they are. */
	if (c.bad || (size_t)(c.end - c.at) != out->segments * 12 + 8)
		return fail_set(f, FAIL_INPUT, "An index record makes no sense");
	out->t = arena_alloc(arena, (out->segments + 1) * sizeof(*out->t));
	out->pos = arena_alloc(arena, (out->segments + 1) * sizeof(*out->pos));
	if (!out->t || !out->pos)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for an index record");
	table(&c, out);
	if (c.bad || c.at != c.end)
		return fail_set(f, FAIL_INPUT, "An index record makes no sense");
	return 0;
}

int64_t record_begin_us(const struct record *r, size_t n)
{
	must(n <= r->segments);
	return grid_scale(r->t[n], 1000000, r->timescale);
}

int64_t record_duration_us(const struct record *r, size_t n)
{
	must(n < r->segments);
	return record_begin_us(r, n + 1) - record_begin_us(r, n);
}

int record_target_s(const struct record *r)
{
	int64_t longest = 0;

	for (size_t n = 0; n < r->segments; n++) {
		if (record_duration_us(r, n) > longest)
			longest = record_duration_us(r, n);
	}
	longest = (longest + 500000) / 1000000;
	return longest ? (int)longest : 1;
}

void record_shown(const struct record *r, int *width, int *height)
{
	const struct record_video *v = &r->video;
	int64_t w = v->width, h = v->height;

	*width = *height = 0;
	if (!v->codec[0])
		return;
	/* Samples that are not square are made so by widening or by heightening, never by loss. */
	if (v->sar_n >= v->sar_d)
		w = grid_scale(w, v->sar_n, v->sar_d);
	else
		h = grid_scale(h, v->sar_d, v->sar_n);
	if (w > 4 * RECORD_SIDE_MAX)
		w = 4 * RECORD_SIDE_MAX;
	if (h > 4 * RECORD_SIDE_MAX)
		h = 4 * RECORD_SIDE_MAX;
	*width = (int)(v->rotation % 180 ? h : w);
	*height = (int)(v->rotation % 180 ? w : h);
}

int record_lines(const struct record *r)
{
	int width, height, lines;

	record_shown(r, &width, &height);
	lines = (int)grid_scale(width, 9, 16);
	return lines > height ? lines : height;
}
