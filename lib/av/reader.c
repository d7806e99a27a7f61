/* lib/av/reader.c - packets out of a source, read in bounded ranges.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/reader.h"

#include <errno.h>
#include <libavutil/avstring.h>
#include <string.h>

#include "lib/av/avi.h"
#include "lib/av/avi_table.h"
#include "lib/av/reader_moov.h"
#include "lib/base/must.h"

enum {
	IO_BUFFER = 32768,
	PROBE_SMALL = 65536,
	PROBE_LARGE = 1 << 20,
	ERRORS_MAX = 64,
	TIME_BITS = 50
};

/* What may be opened at all. */
static const struct {
	const char *word; /* one of the demuxer's names */
	enum record_container container;
	size_t at; /* four bytes that stand there are proof enough: */
	const char *magic;
} formats[] = {
	{"matroska", RECORD_MATROSKA, 0, "\x1A\x45\xDF\xA3"},
	{"mp4", RECORD_MP4, 4, "ftyp"},
	{"avi", RECORD_AVI, 8, "AVI "},
	{"flv", RECORD_FLV, 0, "FLV\1"},
	{"mpegts", RECORD_MPEG_TS, 0, NULL},
	{"mpeg", RECORD_OTHER, 0, NULL},
	{"asf", RECORD_OTHER, 0, NULL},
	{"mp3", RECORD_OTHER, 0, NULL},
	{"aac", RECORD_OTHER, 0, NULL},
	{"flac", RECORD_OTHER, 0, NULL},
	{"ogg", RECORD_OTHER, 0, NULL},
	{"wav", RECORD_OTHER, 0, NULL},
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]), MAGIC_BYTES = 4, MAGIC_WITHIN = 12 };

int reader_fail(const struct reader *r, int av_error, const char *what, struct fail *f)
{
	char words[AV_ERROR_MAX_STRING_SIZE] = "";

	if (r->error == EDQUOT)
		return fail_set(f, FAIL_INPUT, "%s takes too much reading", what);
	if (r->error)
		return fail_errno(f, FAIL_UPSTREAM, r->error, "The source cannot be read");
	if (av_error == AVERROR(ENOMEM))
		return fail_set(f, FAIL_INTERNAL, "There is no memory for this file");
	av_strerror(av_error, words, sizeof(words));
	return fail_set(f, FAIL_INPUT, "%s cannot be read: %s", what, words);
}

/* How much to ask for at `offset`: more each time while it goes on, over small gaps too. */
static size_t range_size(struct reader *r, uint64_t offset)
{
	size_t most = r->source->most ? r->source->most : READER_RANGE_MAX, n;
	uint64_t end = r->window_at + r->window_len;

	must(most >= READER_RANGE_MIN && most <= READER_RANGE_MAX);
	if (r->window_len && offset >= end && offset - end < READER_RANGE_MIN)
		n = r->next_range;
	else
		n = READER_RANGE_MIN;
	r->next_range = n * 2 < most ? n * 2 : most;
	if (r->expect > offset && n > r->expect - offset)
		n = (size_t)(r->expect - offset);
	else if (r->expect && r->expect <= offset)
		n = READER_RANGE_MIN;
	return n;
}

/* Reads into the window, from r->window_at on, until `need` bytes are there or the source ends: it
 * may give less at a time than it is asked for. */
static bool fill_up(struct reader *r, size_t want, size_t need)
{
	while (r->window_len < need) {
		int got = r->source->read_at(r->source->of, r->window_at + r->window_len,
			r->window + r->window_len, want - r->window_len);

		if (got < 0)
			r->error = errno ? errno : EIO;
		if (got <= 0)
			return got == 0;
		must((size_t)got <= want - r->window_len);
		r->window_len += (size_t)got;
		r->bytes += (uint64_t)got;
		r->ranges++;
	}
	return true;
}

/* Makes source[offset .. + need) stand in the window, but for what is behind the end. Returns the
 * bytes there from `offset` on, 0 at the end, -1. */
static int fill(struct reader *r, uint64_t offset, size_t need)
{
	uint64_t end = r->window_at + r->window_len;
	size_t want;

	if (offset >= r->source->size)
		return 0;
	if (need > r->source->size - offset)
		need = (size_t)(r->source->size - offset);
	if (offset >= r->window_at && offset < end && end - offset >= need)
		return (int)(end - offset);
	want = range_size(r, offset);
	want = want < need ? need : want;
	r->window_at = offset;
	r->window_len = 0;
	if (r->budget && r->bytes + want > r->budget) {
		r->error = EDQUOT;
		return -1;
	}
	if (!fill_up(r, want, need)) {
		r->window_len = 0;
		return -1;
	}
	return (int)r->window_len;
}

int reader_read(struct reader *r, uint64_t offset, void *to, size_t n)
{
	size_t have = 0;

	while (have < n && offset + have < r->source->size) {
		int got = r->source->read_at(r->source->of, offset + have, (char *)to + have,
			n - have < READER_RANGE_MAX ? n - have : READER_RANGE_MAX);

		if (got < 0) {
			r->error = errno ? errno : EIO;
			return -1;
		}
		if (got == 0)
			break;
		have += (size_t)got;
		r->bytes += (uint64_t)got;
		r->ranges++;
	}
	return (int)have;
}

static int read_joined(struct reader *r, uint8_t *to, int n)
{
	size_t rest = r->head.len - (size_t)r->at;

	if ((size_t)n > rest)
		n = (int)rest;
	memcpy(to, r->head.ptr + r->at, (size_t)n);
	r->at += n;
	return n;
}

static int on_read(void *of, uint8_t *to, int n)
{
	struct reader *r = of;
	uint64_t offset = (uint64_t)r->at;
	int have;

	if (r->joined && offset < r->head.len)
		return read_joined(r, to, n);
	if (r->dry) {
		if (r->dry_given)
			return AVERROR_EOF;
		r->dry_given = true;
		*to = 0;
		r->at++;
		return 1;
	}
	if (r->joined)
		offset = offset - r->head.len + r->from;
	have = fill(r, offset, 1);
	if (have <= 0)
		return have < 0 ? AVERROR(EIO) : AVERROR_EOF;
	if (n > have)
		n = have;
	memcpy(to, r->window + (offset - r->window_at), (size_t)n);
	r->at += n;
	return n;
}

static int64_t on_seek(void *of, int64_t offset, int whence)
{
	struct reader *r = of;

	if (whence & AVSEEK_SIZE)
		return (int64_t)(r->source->size + r->head.len - r->from);
	if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0)
		return AVERROR(EINVAL);
	r->at = offset;
	r->dry_given = false;
	return offset;
}

/* Media name other files; none of them is opened. */
static int no_other_file(
	AVFormatContext *c, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
	(void)c, (void)url, (void)flags, (void)options;
	*io = NULL;
	return AVERROR(EPERM);
}

static int prepare(struct reader *r, const struct av_source *s, struct fail *f)
{
	uint8_t *buffer;

	*r = (struct reader){.source = s};
	r->window = av_malloc(READER_RANGE_MAX);
	r->format = avformat_alloc_context();
	buffer = av_malloc(IO_BUFFER);
	if (r->window && r->format && buffer) {
		r->format->pb = avio_alloc_context(buffer, IO_BUFFER, 0, r, on_read, NULL, on_seek);
		if (r->format->pb)
			return 0;
	}
	av_free(buffer);
	return fail_set(f, FAIL_INTERNAL, "There is no memory to read a file");
}

static int open_demuxer(struct reader *r, const AVInputFormat *format, struct fail *f)
{
	AVFormatContext *c = r->format;
	AVIOContext *io = c->pb;
	AVDictionary *options = NULL;
	int e;

	c->flags |= AVFMT_FLAG_CUSTOM_IO;
	c->io_open = no_other_file;
	c->max_streams = READER_STREAMS_MAX;
	c->probesize = READER_RANGE_MAX;
	c->format_whitelist = av_strdup(format->name);
	c->protocol_whitelist = av_strdup("none");
	c->correct_ts_overflow = 0;
	io->seekable = (r->joined && !r->thin) || r->tableless ? 0 : AVIO_SEEKABLE_NORMAL;
	if (r->container == RECORD_MPEG_TS)
		av_dict_set(&options, "merge_pmt_versions", "1", 0);
	e = avformat_open_input(&r->format, NULL, format, &options);
	av_dict_free(&options);
	if (e < 0) {
		/* The context is gone, but what we lent to it is not. */
		int result = reader_fail(r, e, "The file", f);
		av_freep(&io->buffer);
		avio_context_free(&io);
		return result;
	}
	return 0;
}

static const AVInputFormat *probe(struct reader *r, size_t size, int *score)
{
	AVProbeData data = {.filename = ""};
	const AVInputFormat *found;
	uint8_t *bytes = av_mallocz(size + AVPROBE_PADDING_SIZE);
	size_t have = 0;

	*score = 0;
	while (bytes && have < size) {
		int n = fill(r, have, 1);
		if (n <= 0)
			break;
		if ((size_t)n > size - have)
			n = (int)(size - have);
		memcpy(bytes + have, r->window + (have - r->window_at), (size_t)n);
		have += (size_t)n;
	}
	data.buf = bytes;
	data.buf_size = (int)have;
	found = bytes ? av_probe_input_format3(&data, 1, score) : NULL;
	av_free(bytes);
	return r->error ? NULL : found;
}

/* Most films say what they are, and none of hundreds of demuxers needs to be asked. */
static const AVInputFormat *by_magic(struct reader *r)
{
	const uint8_t *p;

	if (reader_peek(r, 0, MAGIC_WITHIN, &p) < MAGIC_WITHIN)
		return NULL;
	for (size_t i = 0; i < FORMATS; i++) {
		if (formats[i].magic &&
			memcmp(p + formats[i].at, formats[i].magic, MAGIC_BYTES) == 0)
			return av_find_input_format(formats[i].word);
	}
	return NULL;
}

/* Finds the demuxer, from the short list, by the first bytes. */
static const AVInputFormat *recognise(struct reader *r, struct fail *f)
{
	const AVInputFormat *format = by_magic(r);
	int score = AVPROBE_SCORE_MAX;

	if (!r->error && !format)
		format = probe(r, PROBE_SMALL, &score);
	if (!r->error && (!format || score <= AVPROBE_SCORE_RETRY))
		format = probe(r, PROBE_LARGE, &score);
	if (r->error)
		reader_fail(r, 0, "The file", f);
	else if (!format)
		fail_set(f, FAIL_INPUT, "This is no film and no sound that we know");
	for (size_t i = 0; format && !r->error && i < FORMATS; i++) {
		if (av_match_name(formats[i].word, format->name)) {
			r->container = formats[i].container;
			return format;
		}
	}
	if (format && !r->error)
		fail_set(f, FAIL_INPUT, "Files of the kind '%.40s' are not played", format->name);
	return NULL;
}

/* What there is to read, and the demuxer for it; NULL with *f set. */
static const AVInputFormat *begin(struct reader *r, const struct av_source *s, struct fail *f)
{
	return prepare(r, s, f) < 0 ? NULL : recognise(r, f);
}

int reader_open(struct reader *r, const struct av_source *s, struct fail *f)
{
	const AVInputFormat *format = begin(r, s, f);

	return format ? open_demuxer(r, format, f) : -1;
}

int reader_open_walked(
	struct reader *r, const struct av_source *s, struct span table, struct fail *f)
{
	const AVInputFormat *format = begin(r, s, f);

	if (!format)
		return -1;
	r->tableless = r->container == RECORD_AVI;
	if (open_demuxer(r, format, f) < 0)
		return -1;
	r->format->pb->seekable = AVIO_SEEKABLE_NORMAL;
	if (!r->tableless)
		return 0;
	if (!table.len)
		return avi_walk(r, f);
	return avi_table_give(r, table)
		       ? 0
		       : fail_set(f, FAIL_MISSING, "The file is not the one it was");
}

int reader_open_part(
	struct reader *r, const struct av_source *s, const struct reader_part *part, struct fail *f)
{
	const AVInputFormat *format = begin(r, s, f);

	if (!format)
		return -1;
	if (r->container != RECORD_MP4 || !reader_moov(r, part))
		return r->error ? reader_fail(r, 0, "The file", f) : open_demuxer(r, format, f);
	if (open_demuxer(r, format, f) == 0 && reader_moov_fits(r))
		return 0;
	reader_close(r);
	return reader_open(r, s, f);
}

int reader_join(struct reader *r, const struct av_source *s, enum record_container container,
	struct span head, uint64_t from, struct fail *f)
{
	const AVInputFormat *format = NULL;

	if (prepare(r, s, f) < 0)
		return -1;
	r->joined = true;
	r->head = head;
	r->from = from;
	r->container = container;
	for (size_t i = 0; i < FORMATS; i++) {
		if (formats[i].container == container && container != RECORD_OTHER)
			format = av_find_input_format(formats[i].word);
	}
	must(format != NULL);
	return open_demuxer(r, format, f);
}

void reader_close(struct reader *r)
{
	AVIOContext *io = r->format ? r->format->pb : NULL;

	if (r->format && r->format->iformat)
		avformat_close_input(&r->format);
	avformat_free_context(r->format);
	if (io) {
		av_freep(&io->buffer);
		avio_context_free(&io);
	}
	av_freep(&r->window);
	reader_moov_release(r);
	r->format = NULL;
}

int reader_peek(struct reader *r, uint64_t offset, size_t n, const uint8_t **bytes)
{
	int have;

	must(n <= READER_RANGE_MIN);
	have = fill(r, offset, n);
	if (have > 0)
		*bytes = r->window + (offset - r->window_at);
	return have > (int)n ? (int)n : have;
}

/* Times that no film has are none, so that nobody need fear to add two. */
static void tame(AVPacket *p)
{
	int64_t *times[] = {&p->pts, &p->dts}, most = (int64_t)1 << TIME_BITS;

	for (int i = 0; i < 2; i++) {
		if (*times[i] > most || *times[i] < -most)
			*times[i] = AV_NOPTS_VALUE;
	}
	if (p->duration < 0 || p->duration > most)
		p->duration = 0;
}

int reader_next(struct reader *r, AVPacket *p, struct fail *f)
{
	for (int errors = 0; errors < ERRORS_MAX; errors++) {
		int e = av_read_frame(r->format, p);
		if (e >= 0) {
			tame(p);
			return 1;
		}
		if (r->error)
			return reader_fail(r, e, "The file", f);
		if (e == AVERROR_EOF)
			return 0;
		if (e != AVERROR(EAGAIN) && e != AVERROR_INVALIDDATA)
			break;
	}
	/* Damage that the demuxer does not get past is where the file ends. */
	return 0;
}

void reader_choose(struct reader *r, int stream)
{
	for (unsigned i = 0; i < r->format->nb_streams; i++)
		r->format->streams[i]->discard =
			stream < 0 || (unsigned)stream == i ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

uint64_t reader_source_place(const struct reader *r, int64_t pos)
{
	if (pos < 0 || (r->joined && (size_t)pos < r->head.len))
		return 0;
	return r->joined ? (uint64_t)pos - r->head.len + r->from : (uint64_t)pos;
}

uint64_t reader_place(const struct reader *r, const AVPacket *p)
{
	return reader_source_place(r, p->pos);
}
