/* t/unit/av_parts.c - the parts of lib/av that need no film.
 * SPDX-License-Identifier: BSD-2-Clause
 * NAL units, AAC, times, boxes, hostile sources. */
#include <errno.h>
#include <libavcodec/packet.h>
#include <unistd.h>

#include "lib/av/aac.h"
#include "lib/av/av.h"
#include "lib/av/demux.h"
#include "lib/av/fmp4.h"
#include "lib/av/nal.h"
#include "lib/av/track.h"
#include "t/unit/tap.h"

static const char stream[] = "\0\0\0\1\x09\x10\0\0\0\1\x67\x42\xc0\x1e\x11\0\0\1\x68\xce\x38\x80\0"
			     "\0\1\x06\x05\x01\0\0\1\x65\x88\x84";

static void units(void)
{
	struct span all = span_make(stream, sizeof(stream) - 1), rest = all, unit;
	char codecs[32] = "";
	struct buf b;
	int count = 0;

	buf_init(&b, 4096);
	while (nal_next(&rest, &unit))
		count++;
	is_int(count, 5, "units between start codes of three bytes and four");
	ok(nal_has_start_code(all) && !nal_has_start_code(span_of("\1\2\3\4")),
		"a start code is known");
	ok(nal_config(NAL_H264, all, 8, &b), "avcC out of parameter sets");
	is_int(b.len, 6 + 2 + 5 + 1 + 2 + 4, "whole, with trailing zeros cut");
	ok(nal_codecs(NAL_H264, buf_span(&b), codecs, sizeof(codecs)), "which has a name");
	is_str(codecs, "avc1.42C01E", "by RFC 6381");
	ok(!nal_codecs(NAL_HEVC, buf_span(&b), codecs, sizeof(codecs)), "but none as HEVC");
	buf_clear(&b);
	nal_to_lengths(NAL_H264, all, false, &b);
	is_int(b.len, 4 + 5 + 4 + 4 + 4 + 3 + 4 + 3,
		"lengths in place of start codes, the delimiter dropped");
	buf_clear(&b);
	nal_to_lengths(NAL_H264, all, true, &b);
	ok(b.len == 7 && memcmp(b.ptr, "\0\0\0\3\x65\x88\x84", 7) == 0,
		"of our own encoder the picture alone");
	buf_clear(&b);
	ok(!nal_config(NAL_H264, span_make(stream + 24, 10), 8, &b),
		"no avcC without parameter sets");
	ok(!nal_config(NAL_HEVC, all, 8, &b), "no hvcC out of H.264");
	buf_release(&b);
}

static void sound(void)
{
	struct aac a;

	ok(aac_parse_config(span_make("\x11\x90", 2), &a) && a.object == AAC_LC &&
			a.rate == 48000 && a.channels == 2,
		"AAC-LC, 48 kHz, stereo");
	ok(!aac_parse_config(span_make("\x2b\x11\x88", 3), &a), "SBR said outright is not copied");
	ok(!aac_parse_config(span_make("\x11", 1), &a), "a config of one byte is none");
	ok(!aac_parse_config(span_make("\x17\x90", 2), &a), "nor is one of an unknown rate");
	ok(aac_parse_adts(span_make("\xff\xf1\x4c\x80\x01\x1f\xfc", 7), &a) && a.rate == 48000 &&
			a.channels == 2 && memcmp(a.bytes, "\x11\x90", 2) == 0,
		"ADTS says the same");
	is_int(aac_adts_header(span_make("\xff\xf0\x4c\x80\x01\x1f\xfc\0\0", 9)), 9,
		"a header with a CRC");
	is_int(aac_adts_header(span_make("\x21\x10\x04\x60\x8c\x1c\x00", 7)), 0,
		"a bare frame has none");
}

static void times(void)
{
	struct record r = {.timescale = 90000, .origin = 90000};

	is_int(demux_time(&r, (AVRational){1, 1000}, 2000), 90000,
		"2 s in ms, with an origin at 1 s");
	is_int(demux_time(&r, (AVRational){1001, 24000}, 24), 90090 - 90000,
		"pictures of 23.976 a second");
	is_int(demux_time(&r, (AVRational){1, 1000}, AV_NOPTS_VALUE), DEMUX_NO_TIME,
		"no time is none");
	is_int(demux_time(&r, (AVRational){1, 1000}, INT64_MAX), DEMUX_NO_TIME,
		"nor is an absurd one");
	is_int(demux_sample(&r, (AVRational){1, 44100}, 44100 + 7, 44100), 7, "samples are exact");
	is_int(demux_sample(&r, (AVRational){1, 44100}, 44100 - 7, 44100), -7, "before 0 too");
}

static struct track pictures(const int64_t *pts, size_t count, int64_t end)
{
	struct track t = {.is_video = true, .timescale = 90000, .end = end};
	struct fail f;

	memcpy(t.fourcc, "avc1", 5);
	for (size_t i = 0; i < count; i++) {
		AVPacket *p = av_packet_alloc();
		if (!p || av_new_packet(p, 100) < 0 || !track_add(&t, p, &f))
			ok(false, "a sample is added");
		t.samples[i].pts = pts[i];
		t.samples[i].key = i == 0;
		av_packet_free(&p);
	}
	return t;
}

static void decoding_times(void)
{
	static const struct {
		const char *name;
		int64_t pts[6];
		size_t count;
		int64_t end;
	} cases[] = {
		{"in order", {0, 3600, 7200}, 3, 10800},
		{"one picture", {0}, 1, 3600},
		{"with B pictures", {0, 10800, 3600, 7200, 14400}, 5, 18000},
		{"with a pyramid", {7200, 21600, 14400, 10800, 18000}, 5, 25200},
		{"uneven", {0, 30000, 100, 20000}, 4, 30001},
		{"twice the same time", {0, 3600, 3600}, 3, 7200},
	};
	struct fail f;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct track t = pictures(cases[i].pts, cases[i].count, cases[i].end);
		bool rising = true, early = true;
		int64_t sum = 0, first = INT64_MAX;
		is_int(track_set_times(&t, &f), 0, "%s: decoding times", cases[i].name);
		for (size_t k = 0; k < t.count; k++) {
			rising &= k == 0 || t.samples[k].dts > t.samples[k - 1].dts;
			early &= t.samples[k].dts <= t.samples[k].pts || i == 5;
			sum += t.samples[k].duration;
			if (t.samples[k].pts < first)
				first = t.samples[k].pts;
		}
		ok(rising, "%s: rise", cases[i].name);
		ok(early, "%s: are never after the picture is shown", cases[i].name);
		is_int(t.samples[0].dts, first, "%s: begin with the first picture", cases[i].name);
		is_int(sum, cases[i].end - first, "%s: and last until the end", cases[i].name);
		track_release(&t);
	}
}

/* The box of that type inside bytes[from, to), 0 for none. */
static size_t find_box(const struct buf *b, const char *type)
{
	for (size_t i = 4; i + 4 <= b->len; i++) {
		if (memcmp(b->ptr + i, type, 4) == 0)
			return i + 4;
	}
	return 0;
}

static void boxes(void)
{
	static const int64_t pts[] = {(int64_t)1 << 33, ((int64_t)1 << 33) + 3600};
	struct track t = pictures(pts, 2, ((int64_t)1 << 33) + 7200);
	struct fail f;
	struct buf b;
	size_t at;

	buf_init(&b, 65536);
	track_set_times(&t, &f);
	fmp4_head(&t, 6, &b);
	at = find_box(&b, "tfdt");
	ok(at && memcmp(b.ptr + at, "\1\0\0\0\0\0\0\2\0\0\0\0", 12) == 0,
		"a decoding time beyond 32 bits");
	at = find_box(&b, "mfhd");
	ok(at && memcmp(b.ptr + at + 4, "\0\0\0\7", 4) == 0, "fragments are numbered from 1");
	ok(memcmp(b.ptr + b.len - 8, "\0\0\0\xd0mdat", 8) == 0, "and the samples come last");
	buf_clear(&b);
	t.config = span_of("avcC of the film");
	t.width = 720, t.height = 576, t.sar_n = 64, t.sar_d = 45;
	fmp4_init(&t, &b);
	at = find_box(&b, "pasp");
	ok(at && memcmp(b.ptr + at, "\0\0\0\x40\0\0\0\x2d", 8) == 0,
		"samples that are not square are said");
	ok(find_box(&b, "avcC") && find_box(&b, "mvex") && !find_box(&b, "elst"),
		"an init segment without edits");
	buf_release(&b);
	track_release(&t);
}

struct bytes {
	const char *text;
	size_t len;
	int error;
};

static int read_bytes(void *of, uint64_t offset, void *to, size_t n)
{
	const struct bytes *b = of;

	if (b->error) {
		errno = b->error;
		return -1;
	}
	if (offset >= b->len)
		return 0;
	if (n > b->len - offset)
		n = b->len - (size_t)offset;
	memcpy(to, b->text + offset, n);
	return (int)n;
}

static void hostile(void)
{
	static char zeros[100000];
	static const struct {
		const char *name, *text, *want;
		size_t len;
		int error;
		enum fail_kind kind;
	} cases[] = {
		{"a playlist", "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile:///etc/passwd\n",
			"hls", 0, 0, FAIL_INPUT},
		{"a concat script", "ffconcat version 1.0\nfile '/etc/passwd'\n", "concat", 0, 0,
			FAIL_INPUT},
		{"a picture", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", NULL, 16, 0, FAIL_INPUT},
		{"text", "hello, this is no film", NULL, 0, 0, FAIL_INPUT},
		{"nothing", "", NULL, 0, 0, FAIL_INPUT},
		{"zeros", zeros, NULL, sizeof(zeros), 0, FAIL_INPUT},
		{"an EBML header alone", "\x1a\x45\xdf\xa3\x84webm", NULL, 9, 0, FAIL_INPUT},
		{"a source that cannot be read", "x", "source", 0, EIO, FAIL_UPSTREAM},
	};

	av_begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {cases[i].text,
			cases[i].len ? cases[i].len : strlen(cases[i].text), cases[i].error};
		struct av_source s = {&b, read_bytes, b.len ? b.len : 0, 0};
		struct fail f = {0};
		struct arena arena;
		struct record r;
		arena_init(&arena, 1 << 24);
		is_int(av_index(&s, &arena, &r, &f), -1, "%s is refused", cases[i].name);
		is_int(f.kind, cases[i].kind, "%s: as %s", cases[i].name, fail_name(cases[i].kind));
		ok(f.text[0] && (!cases[i].want || strstr(f.text, cases[i].want)), "%s: %s",
			cases[i].name, f.text);
		arena_release(&arena);
	}
}

int main(void)
{
	units();
	sound();
	times();
	decoding_times();
	boxes();
	hostile();
	return tap_done();
}
