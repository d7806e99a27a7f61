/* lib/hls/packed.c - segments of sound alone, without a container.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/packed.h"

#include <string.h>

#include "lib/hls/es.h"
#include "lib/hls/pes.h"

enum {
	CLOCK = 90000,
	HEAD = 8, /* bytes of a frame that say all there is to know */
	TAG_HEAD = 10,
	FIELD_HEAD = 10
};

/* What a frame's first bytes say. */
struct frame {
	enum ts_codec codec;
	size_t len, skip;  /* all of it; what is no part of the sound, before it */
	int rate, samples; /* a second; in the frame */
	uint8_t aac[3];	   /* profile, rate index, channels */
};

/* --- frames ----------------------------------------------------------------------------------- */

static bool read_aac(const uint8_t *b, struct frame *f)
{
	static const int rates[16] = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000,
		12000, 11025, 8000, 7350};

	f->aac[0] = b[2] >> 6;
	f->aac[1] = b[2] >> 2 & 15;
	f->aac[2] = (uint8_t)((b[2] & 1) << 2 | b[3] >> 6);
	f->rate = rates[f->aac[1]];
	f->samples = 1024 * (1 + (b[6] & 3));
	f->len = (size_t)(b[3] & 3) << 11 | (size_t)b[4] << 3 | b[5] >> 5;
	f->skip = b[1] & 1 ? 7 : 9; /* with a checksum */
	return f->rate && f->len > f->skip;
}

/* Tables of 2.4.2.3; the second rows are those of 13818-3. */
static bool read_mpeg(const uint8_t *b, struct frame *f)
{
	static const int16_t kbps[2][3][15] = {
		{{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
			{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
			{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}},
		{{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}}};
	static const int rates[3] = {44100, 48000, 32000}, samples[3] = {384, 1152, 1152};
	unsigned version = b[1] >> 3 & 3, layer = 3 - (b[1] >> 1 & 3); /* 0: the first one */
	unsigned bits = b[2] >> 4, rate = b[2] >> 2 & 3, padding = b[2] >> 1 & 1;
	bool low = version != 3; /* MPEG-2, or 2.5 */

	if (version == 1 || layer == 3 || bits == 0 || bits == 15 || rate == 3)
		return false;
	f->rate = rates[rate] >> (low + (version == 0));
	f->samples = low && layer == 2 ? 576 : samples[layer];
	f->len = (size_t)(f->samples / 8 * kbps[low][layer][bits] * 1000 / f->rate);
	f->len = layer == 0 ? f->len / 4 * 4 + padding * 4 : f->len + padding;
	return true;
}

static bool read_ac3(const uint8_t *b, struct frame *f)
{
	static const int rates[3] = {48000, 44100, 32000};
	static const int16_t kbps[19] = {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256,
		320, 384, 448, 512, 576, 640};
	unsigned rate = b[4] >> 6, size = b[4] & 63;

	if (rate == 3 || size / 2 >= sizeof(kbps) / sizeof(kbps[0]))
		return false;
	f->rate = rates[rate];
	f->samples = 1536;
	f->len = (size_t)(kbps[size / 2] * 1000 * 1536 / 16 / f->rate); /* words */
	f->len = 2 * (f->len + (rate == 1 && size % 2));
	return true;
}

static bool read_eac3(const uint8_t *b, struct frame *f)
{
	static const int rates[3] = {48000, 44100, 32000}, blocks[4] = {1, 2, 3, 6};
	unsigned rate = b[4] >> 6, second = b[4] >> 4 & 3;

	if (rate == 3 && second == 3)
		return false;
	f->rate = rate == 3 ? rates[second] / 2 : rates[rate];
	f->samples = 256 * (rate == 3 ? 6 : blocks[second]);
	f->len = 2 * (((size_t)(b[2] & 7) << 8 | b[3]) + 1);
	if (b[2] >> 6 == 1) /* goes with the one before */
		f->samples = 0;
	return true;
}

static bool read_frame(const uint8_t *b, size_t len, struct frame *f)
{
	*f = (struct frame){.codec = es_audio_codec(b, len)};
	if (len < HEAD)
		return false;
	switch (f->codec) {
	case TS_AAC:
		return read_aac(b, f);
	case TS_MPEG_AUDIO:
		return read_mpeg(b, f);
	case TS_AC3:
		return read_ac3(b, f);
	case TS_EAC3:
		return read_eac3(b, f);
	default:
		return false;
	}
}

/* --- tags ------------------------------------------------------------------------------------- */

/* ID3v2.4.0 section 6.2 */
static size_t get_synchsafe(const uint8_t *b)
{
	return (size_t)(b[0] & 127) << 21 | (size_t)(b[1] & 127) << 14 | (size_t)(b[2] & 127) << 7 |
	       (b[3] & 127);
}

/* Bytes of the tag that begins here; 0: none does. */
static size_t tag_len(const uint8_t *b, size_t len)
{
	if (len < TAG_HEAD || memcmp(b, "ID3", 3) != 0)
		return 0;
	return TAG_HEAD + get_synchsafe(b + 6) + (b[5] & 0x10 ? TAG_HEAD : 0);
}

/* The time in a tag's PRIV field, RFC 8216 section 3.4. */
static bool read_time(const uint8_t *b, size_t len, int64_t *time)
{
	static const char owner[] = "com.apple.streaming.transportStreamTimestamp";

	for (size_t at = TAG_HEAD; at + FIELD_HEAD <= len;) {
		const uint8_t *field = b + at + FIELD_HEAD;
		size_t size = get_synchsafe(b + at + 4);

		at += FIELD_HEAD;
		if (size > len - at)
			return false;
		at += size;
		if (memcmp(field - FIELD_HEAD, "PRIV", 4) != 0 || size != sizeof(owner) + 8 ||
			memcmp(field, owner, sizeof(owner)) != 0)
			continue;
		field += sizeof(owner);
		*time = (int64_t)(field[3] & 1) << 32 | (int64_t)field[4] << 24 |
			(int64_t)field[5] << 16 | (int64_t)field[6] << 8 | field[7];
		return true;
	}
	return false;
}

/* --- segments --------------------------------------------------------------------------------- */

bool packed_begins(struct span bytes)
{
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	struct frame frame;

	return tag_len(b, bytes.len) > 0 || read_frame(b, bytes.len, &frame);
}

/* Whether a frame really begins here: what follows it is another one, a tag, or the end. */
static bool is_frame(const uint8_t *b, size_t len, struct frame *frame)
{
	struct frame next;

	if (!read_frame(b, len, frame) || frame->len < HEAD || frame->len > len)
		return false;
	b += frame->len;
	len -= frame->len;
	return len < HEAD || tag_len(b, len) ||
	       (read_frame(b, len, &next) && next.codec == frame->codec);
}

/* To the nearest: over and back gives the same, so that what goes on does so without a gap. */
static int64_t to_units(int64_t value, int64_t from, int64_t to)
{
	return (value * to + from / 2) / from;
}

static bool is_same(const struct mp4_track *t, const struct frame *f)
{
	return t->known && t->codec == f->codec && t->timescale == (uint32_t)f->rate &&
	       (f->codec != TS_AAC || (t->profile == f->aac[0] && t->channels == f->aac[2]));
}

static void begin_track(struct packed *p, struct mp4 *mp4, const struct frame *f)
{
	struct mp4_track *t = &mp4->tracks[MP4_AUDIO];

	if (!is_same(t, f))
		p->kinds++;
	*mp4 = (struct mp4){0};
	*t = (struct mp4_track){.known = true,
		.timescale = (uint32_t)f->rate,
		.codec = f->codec,
		.profile = f->aac[0],
		.rate_index = f->aac[1],
		.channels = f->aac[2]};
}

int packed_segment(struct packed *p, struct span bytes, struct mp4 *mp4,
	struct mp4_samples out[MP4_TRACKS], struct fail *f)
{
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	struct mp4_samples *to = &out[MP4_AUDIO];
	struct mp4_sample *sample;
	struct frame frame;
	int64_t dts = 0;
	size_t skip;

	memset(out, 0, MP4_TRACKS * sizeof(out[0]));
	for (size_t at = 0, left; (left = bytes.len - at) >= HEAD; at += skip) {
		if ((skip = tag_len(b + at, left)) > 0) {
			skip = skip < left ? skip : left;
			if (!to->count)
				read_time(b + at, skip, &p->next);
			continue;
		}
		skip = 1;
		if (!is_frame(b + at, left, &frame) ||
			(to->count && !is_same(&mp4->tracks[MP4_AUDIO], &frame)))
			continue;
		if (!to->count) {
			begin_track(p, mp4, &frame);
			dts = to_units(p->next, CLOCK, frame.rate);
		}
		if (!(sample = mp4_add(to)))
			break;
		skip = frame.len;
		*sample = (struct mp4_sample){.at = at + frame.skip,
			.len = frame.len - frame.skip,
			.dts = dts,
			.sync = true};
		dts += frame.samples;
		p->next = to_units(dts, frame.rate, CLOCK) & (PES_WRAP - 1);
	}
	return to->count ? 0
			 : fail_set(f, FAIL_UPSTREAM, "The source's segment has no sound in it");
}
