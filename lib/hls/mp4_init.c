/* lib/hls/mp4_init.c - what the tracks of a fragmented MP4 are.
 * SPDX-License-Identifier: BSD-2-Clause
 * Section numbers are those of ISO/IEC 14496-12. */
#include <string.h>

#include "lib/hls/bits.h"
#include "lib/hls/mp4.h"
#include "lib/hls/mp4_box.h"

enum {
	ESDS_ES = 3,
	ESDS_DECODER = 4,
	ESDS_SPECIFIC = 5,
	OBJECT_AAC = 0x40,
	OBJECT_MPEG2_AAC = 0x66, /* to 0x68 */
	OBJECT_MPEG2_AUDIO = 0x69,
	OBJECT_MPEG1_AUDIO = 0x6b,
	H265_VPS = 32,
	H265_PPS = 34,
	DELAY_MOST_S = 3600,
	VIDEO_ENTRY = 78, /* bytes of a sample entry before its boxes (12.1.3, 12.2.3) */
	AUDIO_ENTRY = 28
};

/* Adds a parameter set behind a start code. */
static bool add_set(struct mp4_track *t, const struct mp4_box *from, size_t len)
{
	static const uint8_t start[] = {0, 0, 0, 1};

	if (len > from->len || t->sets_len + sizeof(start) + len > sizeof(t->sets))
		return false;
	memcpy(t->sets + t->sets_len, start, sizeof(start));
	memcpy(t->sets + t->sets_len + sizeof(start), from->p, len);
	t->sets_len += sizeof(start) + len;
	return true;
}

static bool add_sets(struct mp4_track *t, struct mp4_box *b, size_t count, bool wanted)
{
	while (count-- > 0) {
		size_t len = (size_t)mp4_box_get(b, 2);
		if (b->over || (wanted && !add_set(t, b, len)))
			return false;
		mp4_box_skip(b, len);
	}
	return true;
}

/* ISO/IEC 14496-15 section 5.3.3.1.2 */
static bool read_avc(struct mp4_track *t, struct mp4_box b)
{
	mp4_box_skip(&b, 4);
	t->codec = TS_H264;
	t->nal_length = (unsigned)(mp4_box_get(&b, 1) & 3) + 1;
	return add_sets(t, &b, mp4_box_get(&b, 1) & 31, true) &&
	       add_sets(t, &b, mp4_box_get(&b, 1), true) && !b.over;
}

/* ISO/IEC 14496-15 section 8.3.3.1.2 */
static bool read_hevc(struct mp4_track *t, struct mp4_box b)
{
	size_t arrays;

	mp4_box_skip(&b, 21);
	t->codec = TS_H265;
	t->nal_length = (unsigned)(mp4_box_get(&b, 1) & 3) + 1;
	for (arrays = (size_t)mp4_box_get(&b, 1); arrays > 0 && !b.over; arrays--) {
		unsigned type = mp4_box_get(&b, 1) & 63;
		if (!add_sets(t, &b, mp4_box_get(&b, 2), type >= H265_VPS && type <= H265_PPS))
			return false;
	}
	return !b.over;
}

/* ISO/IEC 14496-1 section 7.2.6: takes a descriptor off the front. */
static bool next_descriptor(struct mp4_box *from, uint8_t *tag, struct mp4_box *to)
{
	size_t size = 0;
	uint8_t byte = 0x80;

	*tag = (uint8_t)mp4_box_get(from, 1);
	for (int i = 0; i < 4 && byte & 0x80; i++) {
		byte = (uint8_t)mp4_box_get(from, 1);
		size = size << 7 | (byte & 0x7f);
	}
	if (from->over || size > from->len)
		return false;
	*to = (struct mp4_box){from->p, size, "", false};
	mp4_box_skip(from, size);
	return true;
}

static unsigned read_object_type(struct bits *b)
{
	unsigned type = bits_get(b, 5);

	return type == 31 ? 32 + bits_get(b, 6) : type;
}

/* ISO/IEC 14496-3 section 1.6.2.1. What has a replicated band is sent as its core, which decoders
 * know to look into. */
static bool read_aac(struct mp4_track *t, const struct mp4_box *config)
{
	struct bits b = {config->p, config->len, 0, false};
	unsigned type = read_object_type(&b), rate = bits_get(&b, 4), channels;

	if (rate == 15)
		bits_skip(&b, 24);
	channels = bits_get(&b, 4);
	if (type == 5 || type == 29) {
		if (bits_get(&b, 4) == 15)
			bits_skip(&b, 24);
		type = read_object_type(&b);
	}
	if (b.over || type < 1 || type > 4 || rate > 12 || channels < 1 || channels > 7)
		return false;
	t->codec = TS_AAC;
	t->profile = (uint8_t)(type - 1);
	t->rate_index = (uint8_t)rate;
	t->channels = (uint8_t)channels;
	return true;
}

/* ISO/IEC 14496-1 sections 7.2.6.5, 7.2.6.6 */
static bool read_esds(struct mp4_track *t, struct mp4_box b)
{
	struct mp4_box es, decoder, specific;
	uint32_t flags;
	unsigned object;
	uint8_t tag;

	mp4_box_full(&b, &flags);
	if (!next_descriptor(&b, &tag, &es) || tag != ESDS_ES)
		return false;
	mp4_box_skip(&es, 2);
	flags = (uint32_t)mp4_box_get(&es, 1);
	mp4_box_skip(&es, flags & 0x80 ? 2 : 0);
	mp4_box_skip(&es, flags & 0x40 ? mp4_box_get(&es, 1) : 0);
	mp4_box_skip(&es, flags & 0x20 ? 2 : 0);
	if (!next_descriptor(&es, &tag, &decoder) || tag != ESDS_DECODER)
		return false;
	object = (unsigned)mp4_box_get(&decoder, 1);
	mp4_box_skip(&decoder, 12);
	if (object == OBJECT_MPEG1_AUDIO || object == OBJECT_MPEG2_AUDIO) {
		t->codec = TS_MPEG_AUDIO;
		return true;
	}
	return (object == OBJECT_AAC ||
		       (object >= OBJECT_MPEG2_AAC && object < OBJECT_MPEG2_AUDIO)) &&
	       next_descriptor(&decoder, &tag, &specific) && tag == ESDS_SPECIFIC &&
	       read_aac(t, &specific);
}

/* 8.5.2: the first sample entry. False when it is nothing that we know. */
static bool read_entry(struct mp4_track *t, struct mp4_box stsd, bool *encrypted)
{
	struct mp4_box entry, inner;
	uint32_t flags;
	bool sound;

	mp4_box_full(&stsd, &flags);
	mp4_box_skip(&stsd, 4);
	if (!mp4_box_next(&stsd, &entry))
		return false;
	*encrypted |= memcmp(entry.type, "enc", 3) == 0;
	sound = memcmp(entry.type, "mp4a", 4) == 0;
	if (memcmp(entry.type, "ac-3", 4) == 0 || memcmp(entry.type, "ec-3", 4) == 0) {
		t->codec = entry.type[0] == 'a' ? TS_AC3 : TS_EAC3;
		return true;
	}
	mp4_box_skip(&entry, sound ? AUDIO_ENTRY : VIDEO_ENTRY);
	if (sound)
		return mp4_box_find(&entry, "esds", &inner) && read_esds(t, inner);
	if (memcmp(entry.type, "avc", 3) == 0)
		return mp4_box_find(&entry, "avcC", &inner) && read_avc(t, inner);
	return (memcmp(entry.type, "hvc1", 4) == 0 || memcmp(entry.type, "hev1", 4) == 0) &&
	       mp4_box_find(&entry, "hvcC", &inner) && read_hevc(t, inner);
}

/* 8.6.6: what an empty edit delays, and what the first one leaves out. */
static void read_edits(struct mp4_track *t, struct mp4_box b, uint32_t movie_scale)
{
	uint32_t flags;
	bool wide = mp4_box_full(&b, &flags) == 1;
	size_t count = (size_t)mp4_box_get(&b, 4);

	for (; count > 0 && !b.over; count--) {
		uint64_t duration = mp4_box_get(&b, wide ? 8 : 4);
		int64_t time = wide ? (int64_t)mp4_box_get(&b, 8) : (int32_t)mp4_box_get(&b, 4);
		mp4_box_skip(&b, 4);
		if (b.over || duration > UINT32_MAX || time > UINT32_MAX)
			return;
		if (time >= 0) {
			t->shift -= time;
			return;
		}
		if (movie_scale && duration / movie_scale < DELAY_MOST_S)
			t->shift += (int64_t)(duration * t->timescale / movie_scale);
	}
}

/* 8.3.2, 8.4.2 */
static bool read_numbers(
	struct mp4_track *t, const struct mp4_box *trak, const struct mp4_box *mdia)
{
	struct mp4_box tkhd, mdhd;
	uint32_t flags;

	if (!mp4_box_find(trak, "tkhd", &tkhd) || !mp4_box_find(mdia, "mdhd", &mdhd))
		return false;
	mp4_box_skip(&tkhd, mp4_box_full(&tkhd, &flags) == 1 ? 16 : 8);
	t->id = (uint32_t)mp4_box_get(&tkhd, 4);
	mp4_box_skip(&mdhd, mp4_box_full(&mdhd, &flags) == 1 ? 16 : 8);
	t->timescale = (uint32_t)mp4_box_get(&mdhd, 4);
	return !tkhd.over && !mdhd.over && t->timescale > 0;
}

static void read_track(
	struct mp4 *out, const struct mp4_box *trak, uint32_t movie_scale, bool *encrypted)
{
	struct mp4_track t = {.known = true};
	struct mp4_box mdia, minf, stbl, stsd, edts, elst;
	struct mp4_track *to;

	if (!mp4_box_find(trak, "mdia", &mdia) || !read_numbers(&t, trak, &mdia) ||
		!mp4_box_find(&mdia, "minf", &minf) || !mp4_box_find(&minf, "stbl", &stbl) ||
		!mp4_box_find(&stbl, "stsd", &stsd) || !read_entry(&t, stsd, encrypted))
		return;
	if (mp4_box_find(trak, "edts", &edts) && mp4_box_find(&edts, "elst", &elst))
		read_edits(&t, elst, movie_scale);
	to = &out->tracks[ts_is_video(t.codec) ? MP4_VIDEO : MP4_AUDIO];
	if (!to->known)
		*to = t;
}

/* 8.8.3 */
static void read_defaults(struct mp4 *out, const struct mp4_box *mvex)
{
	struct mp4_box rest = *mvex, b;
	uint32_t flags, id;

	while (mp4_box_next(&rest, &b)) {
		if (memcmp(b.type, "trex", 4) != 0)
			continue;
		mp4_box_full(&b, &flags);
		id = (uint32_t)mp4_box_get(&b, 4);
		mp4_box_skip(&b, 4);
		for (int i = 0; i < MP4_TRACKS; i++) {
			struct mp4_box values = b;
			if (!out->tracks[i].known || out->tracks[i].id != id)
				continue;
			out->tracks[i].duration = (uint32_t)mp4_box_get(&values, 4);
			out->tracks[i].size = (uint32_t)mp4_box_get(&values, 4);
			out->tracks[i].flags = (uint32_t)mp4_box_get(&values, 4);
		}
	}
}

int mp4_init(struct span bytes, struct mp4 *out, struct fail *f)
{
	struct mp4_box file = {(const uint8_t *)bytes.ptr, bytes.len, "", false}, moov, b;
	uint32_t flags, movie_scale = 0;
	bool encrypted = false;

	*out = (struct mp4){0};
	if (!mp4_box_find(&file, "moov", &moov))
		return fail_set(f, FAIL_UPSTREAM, "The source's initialization section is none");
	if (mp4_box_find(&moov, "mvhd", &b)) {
		mp4_box_skip(&b, mp4_box_full(&b, &flags) == 1 ? 16 : 8);
		movie_scale = (uint32_t)mp4_box_get(&b, 4);
	}
	for (struct mp4_box rest = moov; mp4_box_next(&rest, &b);) {
		if (memcmp(b.type, "trak", 4) == 0)
			read_track(out, &b, movie_scale, &encrypted);
	}
	if (mp4_box_find(&moov, "mvex", &b))
		read_defaults(out, &b);
	if (out->tracks[MP4_VIDEO].known || out->tracks[MP4_AUDIO].known)
		return 0;
	return fail_set(f, FAIL_UPSTREAM,
		encrypted ? "The source's segments are encrypted in a way that needs its own player"
			  : "The source's segments hold nothing that can be played");
}
