/* t/mock_media.c - a sluice-media without libav*, whose films are scripts of what shall happen.
 * SPDX-License-Identifier: BSD-2-Clause
 * Lines of a film: "segments N", "height N", "copy 1", "sounds N", "index_ms N", "part_ms N" (how
 * long the work takes; an init segment takes none), "bytes N" (of a segment), "echo N" (a segment
 * is the film's own bytes, from N times its number on), "crash N" and "fail N" (segment N does so).
 * Made of the zygote that the product has. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/media/zygote.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/base/span.h"
#include "lib/hls/record.h"
#include "lib/io/feed.h"

enum { TEXT_MAX = 4096, SEGMENT_S = 6 };

struct script {
	int64_t segments, height, copy, sounds, index_ms, part_ms, bytes, crash, fail, echo;
};

static int read_script(const struct media_job *job, int fd, struct script *s, struct fail *f)
{
	const struct {
		const char *name;
		int64_t *value;
	} words[] = {{"segments", &s->segments}, {"height", &s->height}, {"copy", &s->copy},
		{"sounds", &s->sounds}, {"index_ms", &s->index_ms}, {"part_ms", &s->part_ms},
		{"bytes", &s->bytes}, {"crash", &s->crash}, {"fail", &s->fail}, {"echo", &s->echo}};
	char text[TEXT_MAX];
	ssize_t n =
		job->fed ? feed_read(fd, 0, text, sizeof(text)) : pread(fd, text, sizeof(text), 0);
	struct span rest = span_make(text, n > 0 ? (size_t)n : 0), line, word;

	*s = (struct script){
		.segments = 20, .height = 720, .sounds = 1, .bytes = 1000, .crash = -1, .fail = -1};
	if (n < 0)
		return fail_set(f, FAIL_UPSTREAM, "The film cannot be read");
	if (!span_starts(rest, "script\n"))
		return fail_set(f, FAIL_INPUT, "This is no film");
	while (span_next(&rest, '\n', &line)) {
		span_next(&line, ' ', &word);
		for (size_t i = 0; line.ptr && i < sizeof(words) / sizeof(words[0]); i++) {
			if (span_is(word, words[i].name))
				num_parse(line, 0, 1000000000, words[i].value);
		}
	}
	return 0;
}

static int make_index(const struct media_job *job, const struct script *s, int output)
{
	struct record r = {.source = {job->source_bytes, job->source_stamp},
		.container = RECORD_OTHER,
		.flags = s->copy ? RECORD_COPY : RECORD_FIXED_GRID,
		.timescale = 1000,
		.audio_count = (size_t)s->sounds,
		.peak_bps = 3000000,
		.average_bps = 2000000,
		.segments = (size_t)s->segments};
	struct buf bytes;

	r.video = (struct record_video){.codec = "h264",
		.codecs = "avc1.64001F",
		.width = (uint16_t)(s->height * 16 / 9),
		.height = (uint16_t)s->height,
		.sar_n = 1,
		.sar_d = 1,
		.depth = 8,
		.rate_n = 25,
		.rate_d = 1};
	for (uint16_t i = 0; i < s->sounds; i++)
		r.audio[i] = (struct record_audio){.codec = "aac",
			.codecs = "mp4a.40.2",
			.language = "eng",
			.stream = (uint16_t)(i + 1),
			.channels = 2,
			.copy = true,
			.rate = 48000,
			.source_rate = 48000,
			.frame = 1024};
	r.t = calloc(r.segments + 1, sizeof(*r.t));
	r.pos = calloc(r.segments + 1, sizeof(*r.pos));
	for (size_t i = 0; i <= r.segments; i++) {
		r.t[i] = (int64_t)i * SEGMENT_S * 1000;
		r.pos[i] = i;
	}
	buf_init(&bytes, RECORD_MAX_BYTES);
	record_encode(&r, &bytes);
	return write(output, bytes.ptr, bytes.len) == (ssize_t)bytes.len ? 0 : -1;
}

/* The segment is a part of the film itself. */
static int echo(const struct media_job *job, const struct script *s, const int fds[MEDIA_FDS],
	struct fail *f)
{
	uint64_t at = (uint64_t)(job->n * s->echo), end = at + (uint64_t)s->bytes;
	char piece[100000];

	while (at < end) {
		size_t n = end - at < sizeof(piece) ? (size_t)(end - at) : sizeof(piece);
		int got = job->fed ? feed_read(fds[MEDIA_SOURCE], at, piece, n)
				   : (int)pread(fds[MEDIA_SOURCE], piece, n, (off_t)at);

		if (got < 0)
			return fail_set(f, FAIL_UPSTREAM, "The film cannot be read");
		if (got == 0)
			break;
		if (write(fds[MEDIA_OUTPUT], piece, (size_t)got) != got)
			return fail_set(f, FAIL_BUSY, "There is no room for this part");
		at += (uint64_t)got;
	}
	return 0;
}

static int work(const struct media_job *job, const int fds[MEDIA_FDS], struct fail *f)
{
	struct script s;
	char *bytes;
	int n;

	if (read_script(job, fds[MEDIA_SOURCE], &s, f) < 0)
		return -1;
	if (job->kind != MEDIA_INIT)
		poll(NULL, 0, (int)(job->kind == MEDIA_INDEX ? s.index_ms : s.part_ms));
	if (job->kind == MEDIA_INDEX)
		return make_index(job, &s, fds[MEDIA_OUTPUT]);
	if (job->kind == MEDIA_SEGMENT && job->n == s.crash)
		abort();
	if (job->kind == MEDIA_SEGMENT && job->n == s.fail)
		return fail_set(f, FAIL_INPUT, "The film is broken here");
	if (s.echo && job->kind == MEDIA_SEGMENT)
		return echo(job, &s, fds, f);
	bytes = calloc(1, (size_t)s.bytes + 100);
	n = snprintf(bytes, 100, "%s %s %u\n", job->kind == MEDIA_INIT ? "init" : "segment",
		job->rendition, job->n);
	n = job->kind == MEDIA_INIT ? n : (int)s.bytes;
	if (write(fds[MEDIA_OUTPUT], bytes, (size_t)n) != n)
		return fail_set(f, FAIL_BUSY, "There is no room for this part");
	return 0;
}

int main(void)
{
	clock_init();
	signal(SIGPIPE, SIG_IGN);
	return zygote_run(MEDIA_SOCKET, work);
}
