/* fcgi-app/media/work.c - a job's work, in its child: from descriptors to lib/av and back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/media/work.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/av/av.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"
#include "lib/io/feed.h"

enum {
	ARENA_MAX = 64 << 20,
	FILE_RANGE = 128 << 10 /* the disk is asked ahead anyway; fewer pages need to be had */
};

void work_begin(void)
{
	av_begin();
}

static int read_file(void *of, uint64_t offset, void *to, size_t n)
{
	const int *fd = of;
	ssize_t got;

	if (offset > INT64_MAX)
		return 0;
	do {
		got = pread(*fd, to, n > INT_MAX ? INT_MAX : n, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return (int)got;
}

static int read_feeder(void *of, uint64_t offset, void *to, size_t n)
{
	const int *fd = of;

	return feed_read(*fd, offset, to, n);
}

static int write_all(int fd, struct span bytes, struct fail *f)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f, FAIL_BUSY, errno, "There is no room for this part");
		bytes = span_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
	return 0;
}

static int make_index(
	const struct media_job *job, const struct av_source *source, int output, struct fail *f)
{
	struct arena arena;
	struct record r;
	struct buf bytes;
	int result;

	arena_init(&arena, ARENA_MAX);
	if (av_index(source, &arena, &r, f) < 0)
		return -1;
	r.source.size = job->source_bytes;
	r.source.stamp = job->source_stamp;
	buf_init(&bytes, RECORD_MAX_BYTES);
	record_encode(&r, &bytes);
	if (bytes.failed)
		return fail_set(f, FAIL_INPUT, "The film has too long an index");
	result = write_all(output, buf_span(&bytes), f);
	buf_release(&bytes);
	arena_release(&arena);
	return result;
}

static int read_record(
	int fd, struct buf *bytes, struct arena *arena, struct record *r, struct fail *f)
{
	char piece[16384];
	ssize_t n;
	off_t at = 0;

	while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
		buf_add(bytes, piece, (size_t)n);
		at += n;
	}
	if (n < 0 || bytes->failed)
		return fail_set(f, FAIL_BUSY, "The film's index cannot be read");
	return record_decode(buf_span(bytes), arena, r, f);
}

static int make_part(const struct media_job *job, const struct av_source *source,
	const int fds[MEDIA_FDS], struct fail *f)
{
	struct rendition x;
	struct arena arena;
	struct record r;
	struct buf bytes;

	if (!rendition_parse_part(span_of(job->rendition), span_of(job->suffix), &x))
		return fail_set(f, FAIL_MISSING, "The film has no such rendition");
	arena_init(&arena, ARENA_MAX);
	buf_init(&bytes, RECORD_MAX_BYTES);
	if (read_record(fds[MEDIA_RECORD], &bytes, &arena, &r, f) < 0)
		return -1;
	if (job->kind == MEDIA_INIT)
		return av_init_segment(source, &r, &x, fds[MEDIA_OUTPUT], f);
	return av_segment(
		source, &r, &x, job->n, job->urgent ? AV_URGENT : AV_AHEAD, fds[MEDIA_OUTPUT], f);
}

int work_do(const struct media_job *job, const int fds[MEDIA_FDS], struct fail *f)
{
	int file = fds[MEDIA_SOURCE];
	struct av_source source = {&file, job->fed ? read_feeder : read_file, job->source_bytes,
		job->fed ? 0 : FILE_RANGE};

	switch ((enum media_kind)job->kind) {
	case MEDIA_INDEX:
		return make_index(job, &source, fds[MEDIA_OUTPUT], f);
	case MEDIA_INIT:
	case MEDIA_SEGMENT:
		if (fds[MEDIA_RECORD] >= 0)
			return make_part(job, &source, fds, f);
		break;
	case MEDIA_ART:
		return av_art(&source, (int)(job->n & 0xffff), fds[MEDIA_OUTPUT], f);
	case MEDIA_MUSIC:
		return av_music(&source, job->suffix, (int)(job->n & 0xffff), fds[MEDIA_OUTPUT], f);
	case MEDIA_CANCEL:
		break;
	}
	return fail_set(f, FAIL_BUSY, "sluice and sluice-media do not fit together");
}
