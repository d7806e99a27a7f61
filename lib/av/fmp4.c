/* lib/av/fmp4.c - fragmented MP4: init segments and media segments of one track.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/fmp4.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "lib/base/must.h"

enum {
	TRACK_ID = 1,
	HEAD_MAX = 16 << 20,
	PIECES = 512, /* of one writev */
	/* sample_flags (8.8.3.1): depends on no other; depends on others and is no sync sample */
	FLAGS_KEY = 0x02000000,
	FLAGS_OTHER = 0x01010000
};

static void put(struct buf *b, int bytes, uint64_t value)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_putc(b, (char)(value >> (8 * i)));
}

static void zeros(struct buf *b, int count)
{
	while (count-- > 0)
		buf_putc(b, 0);
}

static size_t box(struct buf *b, const char *type)
{
	size_t at = b->len;

	put(b, 4, 0);
	buf_add(b, type, 4);
	return at;
}

static size_t full_box(struct buf *b, const char *type, int version, uint32_t flags)
{
	size_t at = box(b, type);

	put(b, 1, (uint64_t)version);
	put(b, 3, flags);
	return at;
}

static void patch(struct buf *b, size_t at, uint32_t value)
{
	for (int i = 0; i < 4 && !b->failed; i++)
		b->ptr[at + (size_t)i] = (char)(value >> (24 - 8 * i));
}

static void end(struct buf *b, size_t at)
{
	patch(b, at, (uint32_t)(b->len - at));
}

static void matrix(struct buf *b)
{
	static const uint32_t unity[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};

	for (int i = 0; i < 9; i++)
		put(b, 4, unity[i]);
}

static void movie_header(const struct track *t, struct buf *b)
{
	size_t at = full_box(b, "mvhd", 0, 0);

	zeros(b, 8);
	put(b, 4, t->timescale);
	put(b, 4, 0); /* its duration is that of its fragments */
	put(b, 4, 0x10000);
	put(b, 2, 0x100);
	zeros(b, 10);
	matrix(b);
	zeros(b, 24);
	put(b, 4, TRACK_ID + 1);
	end(b, at);
}

static void track_header(const struct track *t, struct buf *b)
{
	size_t at = full_box(b, "tkhd", 0, 3); /* enabled, in the movie */
	uint64_t shown = (uint64_t)t->width;

	if (t->is_video && t->sar_n > 0 && t->sar_d > 0)
		shown = shown * (uint64_t)t->sar_n / (uint64_t)t->sar_d;
	zeros(b, 8);
	put(b, 4, TRACK_ID);
	zeros(b, 4 + 4 + 8 + 4);
	put(b, 2, t->is_video ? 0 : 0x100); /* volume */
	zeros(b, 2);
	matrix(b);
	put(b, 4, t->is_video ? (shown < 65535 ? shown : 65535) << 16 : 0);
	put(b, 4, t->is_video ? (uint64_t)t->height << 16 : 0);
	end(b, at);
}

static void handler(const struct track *t, struct buf *b)
{
	size_t at = full_box(b, "hdlr", 0, 0);

	zeros(b, 4);
	buf_add(b, t->is_video ? "vide" : "soun", 4);
	zeros(b, 12 + 1);
	end(b, at);
}

static void data_information(struct buf *b)
{
	size_t dinf = box(b, "dinf"), dref = full_box(b, "dref", 0, 0), url;

	put(b, 4, 1);
	url = full_box(b, "url ", 0, 1); /* in this file */
	end(b, url);
	end(b, dref);
	end(b, dinf);
}

static void video_entry(const struct track *t, struct buf *b)
{
	size_t at = box(b, t->fourcc), inner;

	zeros(b, 6);
	put(b, 2, 1);
	zeros(b, 16);
	put(b, 2, (uint64_t)t->width);
	put(b, 2, (uint64_t)t->height);
	put(b, 4, 0x480000);
	put(b, 4, 0x480000);
	zeros(b, 4);
	put(b, 2, 1);
	zeros(b, 32);
	put(b, 2, 0x18);
	put(b, 2, 0xffff);
	inner = box(b, strcmp(t->fourcc, "hvc1") == 0 ? "hvcC" : "avcC");
	buf_add(b, t->config.ptr, t->config.len);
	end(b, inner);
	if (t->sar_n > 0 && t->sar_d > 0 && t->sar_n != t->sar_d) {
		inner = box(b, "pasp");
		put(b, 4, (uint64_t)t->sar_n);
		put(b, 4, (uint64_t)t->sar_d);
		end(b, inner);
	}
	end(b, at);
}

/* A descriptor of ISO/IEC 14496-1 section 8.3.3, with a length of four bytes. */
static void descriptor(struct buf *b, int tag, size_t len)
{
	put(b, 1, (uint64_t)tag);
	put(b, 3, 0x808080);
	put(b, 1, len);
}

static void elementary_stream(const struct track *t, struct buf *b)
{
	size_t at = full_box(b, "esds", 0, 0), config = t->config.len;

	must(config < 64);
	descriptor(b, 3, 3 + 5 + 13 + 5 + config + 5 + 1);
	put(b, 2, TRACK_ID);
	put(b, 1, 0);
	descriptor(b, 4, 13 + 5 + config);
	put(b, 1, 0x40); /* ISO/IEC 14496-3 */
	put(b, 1, 0x15); /* a stream of sound */
	zeros(b, 3 + 4 + 4);
	descriptor(b, 5, config);
	buf_add(b, t->config.ptr, config);
	descriptor(b, 6, 1);
	put(b, 1, 2);
	end(b, at);
}

static void audio_entry(const struct track *t, struct buf *b)
{
	size_t at = box(b, "mp4a");

	zeros(b, 6);
	put(b, 2, 1);
	zeros(b, 8);
	put(b, 2, (uint64_t)t->channels);
	put(b, 2, 16);
	zeros(b, 4);
	put(b, 4, t->timescale < 65536 ? (uint64_t)t->timescale << 16 : 0);
	elementary_stream(t, b);
	end(b, at);
}

static void sample_table(const struct track *t, struct buf *b)
{
	static const char *const empty[] = {"stts", "stsc", "stco"};
	size_t stbl = box(b, "stbl"), at = full_box(b, "stsd", 0, 0);

	put(b, 4, 1);
	if (t->is_video)
		video_entry(t, b);
	else
		audio_entry(t, b);
	end(b, at);
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		at = full_box(b, empty[i], 0, 0);
		put(b, 4, 0);
		end(b, at);
	}
	at = full_box(b, "stsz", 0, 0);
	put(b, 8, 0);
	end(b, at);
	end(b, stbl);
}

static void media(const struct track *t, struct buf *b)
{
	size_t mdia = box(b, "mdia"), at = full_box(b, "mdhd", 0, 0), minf;

	zeros(b, 8);
	put(b, 4, t->timescale);
	put(b, 4, 0);
	put(b, 2, 0x55c4); /* language: und */
	put(b, 2, 0);
	end(b, at);
	handler(t, b);
	minf = box(b, "minf");
	at = t->is_video ? full_box(b, "vmhd", 0, 1) : full_box(b, "smhd", 0, 0);
	zeros(b, t->is_video ? 8 : 4);
	end(b, at);
	data_information(b);
	sample_table(t, b);
	end(b, minf);
	end(b, mdia);
}

void fmp4_init(const struct track *t, struct buf *b)
{
	size_t at = box(b, "ftyp"), moov, inner;

	buf_add(b, "iso6\0\0\2\0iso6cmfcmp41", 20);
	end(b, at);
	moov = box(b, "moov");
	movie_header(t, b);
	at = box(b, "trak");
	track_header(t, b);
	media(t, b);
	end(b, at);
	at = box(b, "mvex");
	inner = full_box(b, "trex", 0, 0);
	put(b, 4, TRACK_ID);
	put(b, 4, 1);
	zeros(b, 12);
	end(b, inner);
	end(b, at);
	end(b, moov);
}

static void run(const struct track *t, struct buf *b, size_t *data_offset)
{
	/* data offset, durations, sizes; of pictures their flags and composition offsets too */
	size_t at = full_box(b, "trun", 1, t->is_video ? 0xf01 : 0x301);

	put(b, 4, t->count);
	*data_offset = b->len;
	put(b, 4, 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct sample *s = &t->samples[i];
		put(b, 4, (uint64_t)s->duration);
		put(b, 4, s->size);
		if (!t->is_video)
			continue;
		put(b, 4, s->key ? FLAGS_KEY : FLAGS_OTHER);
		put(b, 4, (uint64_t)(s->pts - s->dts));
	}
	end(b, at);
}

void fmp4_head(const struct track *t, uint32_t n, struct buf *b)
{
	size_t at = box(b, "styp"), moof, traf, data_offset;
	uint64_t bytes = 8;

	buf_add(b, "msdh\0\0\0\0msdhmsixcmfs", 20);
	end(b, at);
	moof = box(b, "moof");
	at = full_box(b, "mfhd", 0, 0);
	put(b, 4, (uint64_t)n + 1);
	end(b, at);
	traf = box(b, "traf");
	at = full_box(b, "tfhd", 0, 0x020000); /* default-base-is-moof */
	put(b, 4, TRACK_ID);
	end(b, at);
	at = full_box(b, "tfdt", 1, 0);
	put(b, 8, (uint64_t)(t->count ? t->samples[0].dts : t->begin));
	end(b, at);
	run(t, b, &data_offset);
	end(b, traf);
	end(b, moof);
	patch(b, data_offset, (uint32_t)(b->len + 8 - moof));
	for (size_t i = 0; i < t->count; i++)
		bytes += t->samples[i].size;
	must(bytes <= UINT32_MAX);
	put(b, 4, bytes);
	buf_add(b, "mdat", 4);
}

int fmp4_write_all(int fd, struct iovec *pieces, size_t count, struct fail *f)
{
	while (count > 0) {
		ssize_t n = writev(fd, pieces, count < PIECES ? (int)count : PIECES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f,
				errno == ENOSPC || errno == EDQUOT ? FAIL_BUSY : FAIL_INTERNAL,
				errno, "A segment cannot be written");
		while (count > 0 && (size_t)n >= pieces->iov_len) {
			n -= (ssize_t)pieces->iov_len;
			pieces++;
			count--;
		}
		if (count > 0) {
			pieces->iov_base = (char *)pieces->iov_base + n;
			pieces->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int fmp4_write(const struct track *t, uint32_t n, int fd, struct fail *f)
{
	struct iovec *pieces = calloc(t->count + 1, sizeof(*pieces));
	struct buf head;
	int result;

	buf_init(&head, HEAD_MAX);
	fmp4_head(t, n, &head);
	if (!pieces || head.failed) {
		result = fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
		goto out;
	}
	pieces[0] = (struct iovec){head.ptr, head.len};
	for (size_t i = 0; i < t->count; i++) {
		const struct sample *s = &t->samples[i];
		pieces[i + 1] = (struct iovec){(void *)(uintptr_t)s->data, s->size};
	}
	result = fmp4_write_all(fd, pieces, t->count + 1, f);
out:
	buf_release(&head);
	free(pieces);
	return result;
}
