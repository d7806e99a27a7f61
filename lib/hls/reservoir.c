/* lib/hls/reservoir.c - segments that were fetched and wait to be given on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/reservoir.h"

#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/ts.h"

void reservoir_release(struct reservoir *r)
{
	for (size_t i = 0; i < r->count; i++)
		buf_release(&r->list[i].bytes);
	r->count = 0;
}

bool reservoir_has_room(const struct reservoir *r)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->count; i++)
		bytes += r->list[i].bytes.len;
	return r->count < RESERVOIR_SEGMENTS && bytes < RESERVOIR_BYTES;
}

void reservoir_add(struct reservoir *r, struct buf *bytes, int64_t duration_us, enum seam seam)
{
	must(r->count < RESERVOIR_SEGMENTS);
	r->list[r->count++] = (struct reservoir_segment){
		.bytes = *bytes, .duration_us = duration_us > 0 ? duration_us : 1, .seam = seam};
	*bytes = (struct buf){0};
}

int64_t reservoir_left_us(const struct reservoir *r)
{
	int64_t us = 0;

	for (size_t i = 0; i < r->count; i++)
		us += r->list[i].duration_us - r->list[i].given_us;
	return us;
}

static void drop_first(struct reservoir *r)
{
	buf_release(&r->list[0].bytes);
	r->count--;
	memmove(r->list, r->list + 1, r->count * sizeof(r->list[0]));
}

/* Where the bytes of a moment end. */
static size_t place_of(const struct reservoir_segment *s, int64_t us)
{
	size_t at;

	if (us >= s->duration_us)
		return s->bytes.len;
	at = (size_t)((double)s->bytes.len * (double)us / (double)s->duration_us);
	return at - at % TS_PACKET;
}

int64_t reservoir_give(
	struct reservoir *r, int64_t us, const struct reservoir_feed *feed, bool *wanted)
{
	struct reservoir_segment *s = r->list;
	int64_t left_us;
	size_t to;

	*wanted = true;
	if (!r->count)
		return 0;
	if (!s->begun)
		feed->on_seam(feed->ctx, s->seam);
	s->begun = true;
	left_us = s->duration_us - s->given_us;
	us = us < left_us ? us : left_us;
	s->given_us += us;
	to = place_of(s, s->given_us);
	if (to > s->given)
		*wanted = feed->on_data(feed->ctx, s->bytes.ptr + s->given, to - s->given);
	s->given = to;
	if (s->given_us == s->duration_us)
		drop_first(r);
	return us;
}
