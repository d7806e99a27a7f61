/* lib/hls/remux.c - segments of fragmented MP4 as MPEG-TS.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/remux.h"

#include <string.h>

#include "lib/hls/pes.h"

enum {
	CLOCK = 90000,
	AHEAD = 63000, /* of the clock reference before the times of units */
	ADTS = 7,
	STREAM_VIDEO = 0xe0, /* ISO/IEC 13818-1 table 2-22 */
	STREAM_AUDIO = 0xc0,
	STREAM_PRIVATE = 0xbd
};

/* A segment on its way. */
struct work {
	struct remux *remux;
	const struct mp4 *mp4;
	const uint8_t *bytes;
	struct buf unit; /* a PES packet */
	struct buf *out;
};

static void put_packet(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	(void)entry;
	buf_add(ctx, packet, TS_PACKET);
}

/* Of 33 bits in the end, so that nonsense may wrap. */
static int64_t to_clock(int64_t units, uint32_t timescale)
{
	int64_t rest = units % timescale * CLOCK / timescale;

	return (int64_t)((uint64_t)(units / timescale) * CLOCK + (uint64_t)rest);
}

static void put_tables(struct work *w)
{
	static const uint16_t pids[MP4_TRACKS] = {REMUX_VIDEO_PID, REMUX_AUDIO_PID};
	struct psi psi = {.pmt_pid = REMUX_PMT_PID,
		.version = w->remux->version,
		.counters = w->remux->tables};

	for (int i = 0; i < MP4_TRACKS; i++) {
		if (!w->mp4->tracks[i].known)
			continue;
		if (!psi.count)
			psi.pcr_pid = pids[i];
		psi.streams[psi.count++] = (struct psi_stream){pids[i], w->mp4->tracks[i].codec, 0};
	}
	psi_print(&psi, put_packet, w->out);
}

/* The beginning of a PES packet; its length is put in when it is known. */
static void begin_unit(struct work *w, uint8_t stream, int64_t dts, int64_t pts)
{
	uint8_t head[] = {
		0, 0, 1, stream, 0, 0, 0x84, 0xc0, 10, 0x31, 0, 1, 0, 1, 0x11, 0, 1, 0, 1};
	struct pes_times zero = {.has_pts = true, .has_dts = true};

	if (dts == pts) { /* 2.4.3.7: said only where they differ */
		head[7] = 0x80;
		head[8] = 5;
		head[9] = 0x21;
		zero.has_dts = false;
	}
	zero.pts = pts;
	zero.dts = dts;
	pes_move(head, &zero, 0);
	buf_clear(&w->unit);
	buf_add(&w->unit, head, 9 + (size_t)head[8]);
}

static void end_unit(struct work *w, int track, bool entry, int64_t pcr)
{
	static const uint16_t pids[MP4_TRACKS] = {REMUX_VIDEO_PID, REMUX_AUDIO_PID};
	struct pes_out how = {.pid = pids[track],
		.counter = &w->remux->counters[track],
		.entry = entry,
		.pcr = pcr};
	size_t size = w->unit.len - 6;

	if (size <= 0xffff) {
		w->unit.ptr[4] = (char)(size >> 8);
		w->unit.ptr[5] = (char)size;
	}
	if (!w->unit.failed)
		pes_print((const uint8_t *)w->unit.ptr, w->unit.len, &how, put_packet, w->out);
	else
		w->out->failed = true;
}

/* --- pictures --------------------------------------------------------------------------------- */

/* Whether a NAL unit is an access unit delimiter (H.264 table 7-1, H.265 table 7-1). */
static bool is_delimiter(enum ts_codec codec, uint8_t first)
{
	return codec == TS_H264 ? (first & 31) == 9 : (first >> 1 & 63) == 35;
}

static void put_delimiter(struct work *w, enum ts_codec codec)
{
	static const uint8_t h264[] = {0, 0, 0, 1, 9, 0xf0}, h265[] = {0, 0, 0, 1, 0x46, 1, 0x50};

	if (codec == TS_H264)
		buf_add(&w->unit, h264, sizeof(h264));
	else
		buf_add(&w->unit, h265, sizeof(h265));
}

/* Lengths become start codes (ISO/IEC 14496-15 section 5.3.4). What makes no sense is left out. */
static void put_nals(struct work *w, const struct mp4_track *t, const uint8_t *p, size_t len)
{
	static const uint8_t start[] = {0, 0, 0, 1};

	while (len > t->nal_length) {
		size_t size = 0;
		for (unsigned i = 0; i < t->nal_length; i++)
			size = size << 8 | p[i];
		p += t->nal_length;
		len -= t->nal_length;
		if (size > len)
			return;
		if (size && !is_delimiter(t->codec, p[0])) {
			buf_add(&w->unit, start, sizeof(start));
			buf_add(&w->unit, p, size);
		}
		p += size;
		len -= size;
	}
}

static void put_picture(struct work *w, const struct mp4_sample *s)
{
	const struct mp4_track *t = &w->mp4->tracks[MP4_VIDEO];
	int64_t dts = to_clock(s->dts, t->timescale);

	if (s->sync)
		put_tables(w);
	begin_unit(w, STREAM_VIDEO, dts, to_clock(s->dts + s->pts, t->timescale));
	put_delimiter(w, t->codec);
	if (s->sync)
		buf_add(&w->unit, t->sets, t->sets_len);
	put_nals(w, t, w->bytes + s->at, s->len);
	end_unit(w, MP4_VIDEO, s->sync, (dts - AHEAD) & (PES_WRAP - 1));
}

/* --- sounds ----------------------------------------------------------------------------------- */

/* ISO/IEC 14496-3 tables 1.A.6 and 1.A.7, without a checksum */
static void put_adts(struct work *w, const struct mp4_track *t, size_t len)
{
	size_t size = len + ADTS;
	const uint8_t head[ADTS] = {0xff, 0xf1,
		(uint8_t)(t->profile << 6 | t->rate_index << 2 | t->channels >> 2),
		(uint8_t)((size_t)(t->channels & 3) << 6 | size >> 11), (uint8_t)(size >> 3),
		(uint8_t)((size & 7) << 5 | 0x1f), 0xfc};

	buf_add(&w->unit, head, sizeof(head));
}

static void put_sound(struct work *w, const struct mp4_sample *s)
{
	const struct mp4_track *t = &w->mp4->tracks[MP4_AUDIO];
	bool alone = !w->mp4->tracks[MP4_VIDEO].known;
	int64_t dts = to_clock(s->dts, t->timescale);

	if (t->codec == TS_AAC && s->len + ADTS > 0x1fff)
		return;
	begin_unit(w, t->codec == TS_AC3 || t->codec == TS_EAC3 ? STREAM_PRIVATE : STREAM_AUDIO,
		dts, dts);
	if (t->codec == TS_AAC)
		put_adts(w, t, s->len);
	buf_add(&w->unit, w->bytes + s->at, s->len);
	end_unit(w, MP4_AUDIO, alone, alone ? (dts - AHEAD) & (PES_WRAP - 1) : -1);
}

/* --- both ------------------------------------------------------------------------------------- */

static int64_t time_of(const struct mp4 *mp4, const struct mp4_samples *s, int track, size_t i)
{
	return i < s[track].count ? to_clock(s[track].list[i].dts, mp4->tracks[track].timescale)
				  : INT64_MAX;
}

/* Puts out what was found in a segment of `len` bytes. */
static int put_samples(
	struct work *w, size_t len, const struct mp4_samples samples[MP4_TRACKS], struct fail *f)
{
	size_t at[MP4_TRACKS] = {0};
	int64_t video = 0, audio = 0;

	buf_init(&w->unit, len + MP4_SETS + (len + 64) * 4);
	if (!(samples[MP4_VIDEO].count && samples[MP4_VIDEO].list[0].sync))
		put_tables(w);
	while (!w->out->failed && (video != INT64_MAX || audio != INT64_MAX)) {
		video = time_of(w->mp4, samples, MP4_VIDEO, at[MP4_VIDEO]);
		audio = time_of(w->mp4, samples, MP4_AUDIO, at[MP4_AUDIO]);
		if (video < audio || (video == audio && video != INT64_MAX))
			put_picture(w, &samples[MP4_VIDEO].list[at[MP4_VIDEO]++]);
		else if (audio != INT64_MAX)
			put_sound(w, &samples[MP4_AUDIO].list[at[MP4_AUDIO]++]);
	}
	buf_release(&w->unit);
	if (w->out->failed)
		return fail_set(f, FAIL_UPSTREAM, "The source's segment is too large");
	return 0;
}

int remux_segment(
	struct remux *r, const struct mp4 *mp4, struct span bytes, struct buf *out, struct fail *f)
{
	struct work w = {r, mp4, (const uint8_t *)bytes.ptr, {0}, out};
	struct mp4_samples samples[MP4_TRACKS];
	int result = mp4_segment(mp4, bytes, samples, f);

	if (result == 0)
		result = put_samples(&w, bytes.len, samples, f);
	mp4_release(samples);
	return result;
}

int remux_packed(struct remux *r, struct span bytes, struct buf *out, struct fail *f)
{
	struct work w = {r, &r->sound, (const uint8_t *)bytes.ptr, {0}, out};
	struct mp4_samples samples[MP4_TRACKS];
	unsigned kinds = r->packed.kinds;
	int result = packed_segment(&r->packed, bytes, &r->sound, samples, f);

	r->version += r->packed.kinds - kinds;
	if (result == 0)
		result = put_samples(&w, bytes.len, samples, f);
	mp4_release(samples);
	return result;
}
