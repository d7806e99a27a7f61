/* lib/hls/mp4.c - where the samples of a segment of fragmented MP4 lie.
 * SPDX-License-Identifier: BSD-2-Clause
 * Section numbers are those of ISO/IEC 14496-12. */
#include "lib/hls/mp4.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hls/mp4_box.h"

/* 8.8.7, 8.8.8 */
enum {
	TFHD_BASE = 0x1,
	TFHD_DESCRIPTION = 0x2,
	TFHD_DURATION = 0x8,
	TFHD_SIZE = 0x10,
	TFHD_FLAGS = 0x20,
	TRUN_OFFSET = 0x1,
	TRUN_FIRST_FLAGS = 0x4,
	TRUN_DURATION = 0x100,
	TRUN_SIZE = 0x200,
	TRUN_FLAGS = 0x400,
	TRUN_COMPOSITION = 0x800,
	SAMPLE_NOT_SYNC = 0x10000
};

/* A track within a fragment. */
struct run {
	const struct mp4_track *track;
	struct mp4_samples *to;
	uint32_t duration, size, flags;
	uint64_t base; /* of the data, in the segment */
	uint64_t at;   /* where the next sample begins */
	int64_t dts;
};

bool mp4_begins(struct span bytes)
{
	static const char *const types[] = {"styp", "moof", "sidx", "ftyp", "emsg", "prft", "moov"};

	for (size_t i = 0; bytes.len >= 8 && i < sizeof(types) / sizeof(types[0]); i++) {
		if (memcmp(bytes.ptr + 4, types[i], 4) == 0)
			return true;
	}
	return false;
}

struct mp4_sample *mp4_add(struct mp4_samples *s)
{
	struct mp4_sample *bigger;
	size_t room = s->room ? s->room * 2 : 512;

	if (s->count == s->room) {
		if (room > MP4_SAMPLES)
			return NULL;
		bigger = realloc(s->list, room * sizeof(*bigger));
		if (!bigger)
			return NULL;
		s->list = bigger;
		s->room = room;
	}
	return &s->list[s->count++];
}

/* 8.8.7: false for a track that is not ours. */
static bool read_header(const struct mp4 *mp4, struct mp4_box b, struct mp4_samples *out,
	uint64_t moof_at, struct run *r)
{
	uint32_t flags, id;
	int i = 0;

	mp4_box_full(&b, &flags);
	id = (uint32_t)mp4_box_get(&b, 4);
	while (i < MP4_TRACKS && (!mp4->tracks[i].known || mp4->tracks[i].id != id))
		i++;
	if (i == MP4_TRACKS)
		return false;
	*r = (struct run){.track = &mp4->tracks[i], .to = &out[i], .base = moof_at};
	if (flags & TFHD_BASE)
		r->base = mp4_box_get(&b, 8);
	mp4_box_skip(&b, flags & TFHD_DESCRIPTION ? 4 : 0);
	r->duration = flags & TFHD_DURATION ? (uint32_t)mp4_box_get(&b, 4) : r->track->duration;
	r->size = flags & TFHD_SIZE ? (uint32_t)mp4_box_get(&b, 4) : r->track->size;
	r->flags = flags & TFHD_FLAGS ? (uint32_t)mp4_box_get(&b, 4) : r->track->flags;
	r->at = r->base;
	return !b.over;
}

static bool read_sample(
	struct run *r, struct mp4_box *b, uint32_t has, uint32_t flags, size_t total)
{
	uint32_t duration = has & TRUN_DURATION ? (uint32_t)mp4_box_get(b, 4) : r->duration;
	uint32_t size = has & TRUN_SIZE ? (uint32_t)mp4_box_get(b, 4) : r->size;
	struct mp4_sample *s;

	if (has & TRUN_FLAGS)
		flags = (uint32_t)mp4_box_get(b, 4);
	if (b->over || r->at > total || size > total - r->at || !(s = mp4_add(r->to)))
		return false;
	*s = (struct mp4_sample){.at = (size_t)r->at,
		.len = size,
		.dts = r->dts + r->track->shift,
		.sync = !(flags & SAMPLE_NOT_SYNC)};
	if (has & TRUN_COMPOSITION)
		s->pts = (int32_t)mp4_box_get(b, 4);
	r->at += size;
	r->dts += duration;
	return !b->over;
}

/* 8.8.8 */
static bool read_run(struct run *r, struct mp4_box b, size_t total)
{
	uint32_t has, count, first;

	mp4_box_full(&b, &has);
	count = (uint32_t)mp4_box_get(&b, 4);
	if (has & TRUN_OFFSET)
		r->at = r->base + (uint64_t)(int64_t)(int32_t)mp4_box_get(&b, 4);
	first = has & TRUN_FIRST_FLAGS ? (uint32_t)mp4_box_get(&b, 4) : r->flags;
	if (b.over || count > MP4_SAMPLES)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!read_sample(r, &b, has, i ? r->flags : first, total))
			return false;
	}
	return true;
}

/* 8.8.6 */
static bool read_fragment(const struct mp4 *mp4, const struct mp4_box *traf, uint64_t moof_at,
	size_t total, struct mp4_samples *out)
{
	struct mp4_box b, rest = *traf;
	uint32_t flags;
	struct run r;

	if (!mp4_box_find(traf, "tfhd", &b) || !read_header(mp4, b, out, moof_at, &r))
		return true;
	if (mp4_box_find(traf, "tfdt", &b)) { /* 8.8.12 */
		uint64_t time = mp4_box_get(&b, mp4_box_full(&b, &flags) == 1 ? 8 : 4);
		if (b.over || time > INT64_MAX / 4)
			return false;
		r.dts = (int64_t)time;
	}
	while (mp4_box_next(&rest, &b)) {
		if (memcmp(b.type, "trun", 4) == 0 && !read_run(&r, b, total))
			return false;
	}
	return true;
}

int mp4_segment(const struct mp4 *mp4, struct span bytes, struct mp4_samples out[MP4_TRACKS],
	struct fail *f)
{
	struct mp4_box file = {(const uint8_t *)bytes.ptr, bytes.len, "", false}, moof, traf;
	bool good = true;

	memset(out, 0, MP4_TRACKS * sizeof(out[0]));
	for (const uint8_t *at = file.p; good && mp4_box_next(&file, &moof); at = file.p) {
		struct mp4_box rest = moof;
		if (memcmp(moof.type, "moof", 4) != 0)
			continue;
		while (good && mp4_box_next(&rest, &traf)) {
			if (memcmp(traf.type, "traf", 4) == 0)
				good = read_fragment(mp4, &traf,
					(uint64_t)(at - (const uint8_t *)bytes.ptr), bytes.len,
					out);
		}
		good &= !rest.over;
	}
	if (!good || file.over)
		return fail_set(f, FAIL_UPSTREAM, "The source's segment is damaged");
	if (!out[MP4_VIDEO].count && !out[MP4_AUDIO].count)
		return fail_set(f, FAIL_UPSTREAM, "The source's segment has nothing to play in it");
	return 0;
}

void mp4_release(struct mp4_samples samples[MP4_TRACKS])
{
	for (int i = 0; i < MP4_TRACKS; i++)
		free(samples[i].list);
	memset(samples, 0, MP4_TRACKS * sizeof(samples[0]));
}
