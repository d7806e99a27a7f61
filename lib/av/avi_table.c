/* lib/av/avi_table.c - of an AVI's table of chunks so much as its segments need, in a record.
 * SPDX-License-Identifier: BSD-2-Clause
 * For each stream the number of its entries; of each the steps from the one before in time and
 * place, and its size with the mark of a keyframe. Numbers are written seven bits at a time. */
#include "lib/av/avi_table.h"

#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "lib/base/buf.h"
#include "lib/hls/grid.h"

enum { FIRST = 16, NUMBER_BITS = 63 }; /* so many entries of a stream are always there */

struct table {
	struct reader *r;
	const struct record *record;
	unsigned char *kept[READER_STREAMS_MAX]; /* of each entry: whether it is */
};

static AVStream *stream(const struct table *t, unsigned i)
{
	return t->r->format->streams[i];
}

/* --- which ------------------------------------------------------------------------------------ */

/* What a stream's times are multiplied by: those of sound of a constant rate count bytes. */
static int64_t unit(AVStream *st)
{
	const AVIndexEntry *a = avformat_index_get_entry(st, 0),
			   *b = avformat_index_get_entry(st, 1);

	return a && b && b->timestamp - a->timestamp == a->size && st->codecpar->block_align > 0
		       ? st->codecpar->block_align
		       : 1;
}

/* The entry that the demuxer takes for another stream when the picture's is `by`. */
static int entry_at(AVStream *st, AVStream *video, const AVIndexEntry *by)
{
	int any = st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO ? 0 : AVSEEK_FLAG_ANY;
	int64_t time = av_rescale_q(by->timestamp, video->time_base, st->time_base) * unit(st);
	int i = av_index_search_timestamp(st, time, AVSEEK_FLAG_BACKWARD | any);

	return i < 0 ? 0 : i;
}

/* Of every stream the entry that is taken for a seek to `time`, and the first one at or behind the
 * place where reading begins then. */
static void keep_place(struct table *t, int64_t time)
{
	AVStream *video = stream(t, t->record->video.stream);
	int at[READER_STREAMS_MAX],
		v = av_index_search_timestamp(video, time, AVSEEK_FLAG_BACKWARD);
	const AVIndexEntry *by = avformat_index_get_entry(video, v < 0 ? 0 : v);
	int64_t begin = by->pos;

	for (unsigned i = 0; i < t->r->format->nb_streams; i++) {
		const AVIndexEntry *e;

		at[i] = i == t->record->video.stream ? (v < 0 ? 0 : v)
						     : entry_at(stream(t, i), video, by);
		e = avformat_index_get_entry(stream(t, i), at[i]);
		if (e && e->pos < begin)
			begin = e->pos;
	}
	for (unsigned i = 0; i < t->r->format->nb_streams; i++) {
		int k = at[i];

		if (!t->kept[i])
			continue;
		t->kept[i][k] = 1;
		while (k > 0 && avformat_index_get_entry(stream(t, i), k - 1)->pos >= begin)
			k--;
		t->kept[i][k] = 1;
	}
}

static int64_t source_time(const struct table *t, int64_t time)
{
	AVRational base = stream(t, t->record->video.stream)->time_base;

	return grid_scale(
		time + t->record->origin, base.den, (int64_t)t->record->timescale * base.num);
}

/* Where segments begin, and once a second between: sound is sought a little before. */
static void keep_places(struct table *t)
{
	const struct record *r = t->record;

	for (size_t n = 0; n < r->segments; n++)
		keep_place(t, source_time(t, r->t[n]));
	for (int64_t time = 0; time < r->t[r->segments]; time += r->timescale)
		keep_place(t, source_time(t, time));
}

/* The first of all, by which an encoder's delay is told, and the last, behind which the demuxer
 * would add what it reads. */
static bool keep_ends(struct table *t)
{
	for (unsigned i = 0; i < t->r->format->nb_streams && i < READER_STREAMS_MAX; i++) {
		int count = avformat_index_get_entries_count(stream(t, i));

		if (count == 0)
			continue;
		t->kept[i] = av_mallocz((size_t)count);
		if (!t->kept[i])
			return false;
		for (int k = 0; k < count && k < FIRST; k++)
			t->kept[i][k] = 1;
		t->kept[i][count - 1] = 1;
	}
	return true;
}

/* --- as bytes --------------------------------------------------------------------------------- */

static void put(struct buf *to, uint64_t value)
{
	unsigned char byte;

	do {
		byte = value & 127;
		value >>= 7;
		byte |= value ? 128 : 0;
		buf_add(to, &byte, 1);
	} while (value);
}

/* Small numbers of either sign are short. */
static void put_signed(struct buf *to, int64_t value)
{
	put(to, value < 0 ? (uint64_t)-value * 2 - 1 : (uint64_t)value * 2);
}

static void put_stream(const struct table *t, unsigned i, struct buf *to)
{
	int count = t->kept[i] ? avformat_index_get_entries_count(stream(t, i)) : 0;
	int64_t time = 0, place = 0;
	uint64_t some = 0;

	for (int k = 0; k < count; k++)
		some += t->kept[i][k];
	put(to, some);
	for (int k = 0; k < count; k++) {
		const AVIndexEntry *e = avformat_index_get_entry(stream(t, i), k);

		if (!t->kept[i][k])
			continue;
		put_signed(to, e->timestamp - time);
		put_signed(to, e->pos - place);
		put(to, (uint64_t)e->size * 2 + (e->flags & AVINDEX_KEYFRAME ? 1 : 0));
		time = e->timestamp;
		place = e->pos;
	}
}

int avi_table_keep(struct reader *r, struct record *record, struct arena *arena, struct fail *f)
{
	struct table t = {.r = r, .record = record};
	bool good = r->format->nb_streams <= READER_STREAMS_MAX && keep_ends(&t);
	struct buf b;
	char *mine;

	buf_init(&b, RECORD_TABLE_MAX);
	if (good && t.kept[record->video.stream])
		keep_places(&t);
	put(&b, r->format->nb_streams);
	for (unsigned i = 0; good && i < r->format->nb_streams; i++) {
		put_stream(&t, i, &b);
		av_free(t.kept[i]);
	}
	mine = good && !b.failed ? arena_copy(arena, buf_span(&b)) : NULL;
	record->table = span_make(mine, mine ? b.len : 0);
	good = good && (mine || b.failed);
	buf_release(&b);
	return good ? 0 : fail_set(f, FAIL_INTERNAL, "There is no memory for an index");
}

/* Takes a number off *from; false where none is. */
static bool take(struct span *from, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < NUMBER_BITS && from->len; shift += 7) {
		unsigned char byte = (unsigned char)*from->ptr;

		*from = span_make(from->ptr + 1, from->len - 1);
		*value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return *value <= INT64_MAX / 4;
	}
	return false;
}

/* Adds a signed step to *sum. */
static bool take_step(struct span *from, int64_t *sum)
{
	uint64_t value;

	if (!take(from, &value))
		return false;
	*sum += value % 2 ? -(int64_t)(value / 2) - 1 : (int64_t)(value / 2);
	return *sum >= 0 && *sum <= INT64_MAX / 4;
}

bool avi_table_give(struct reader *r, struct span table)
{
	uint64_t streams, count, size;

	if (!take(&table, &streams) || streams != r->format->nb_streams)
		return false;
	for (unsigned i = 0; i < r->format->nb_streams; i++) {
		int64_t time = 0, place = 0;

		if (!take(&table, &count))
			return false;
		while (count--) {
			if (!take_step(&table, &time) || !take_step(&table, &place) ||
				!take(&table, &size) || size / 2 > INT32_MAX)
				return false;
			if (av_add_index_entry(r->format->streams[i], place, time, (int)(size / 2),
				    0, size % 2 ? AVINDEX_KEYFRAME : 0) < 0)
				return false;
		}
	}
	return table.len == 0;
}
