/* t/av_make.c - makes an index or segments of a film by hand: what the tests of lib/av use.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: av-make FILE [index]                       prints what an index says
 *        av-make FILE RENDITION init >FILE          an init segment
 *        av-make FILE RENDITION N[u] >FILE          segment N; with u as one that somebody waits
 * for av-make FILE RENDITION all DIR [SEED]      init.mp4 and all segments, in any order */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/av/av.h"
#include "lib/base/num.h"

struct file {
	int fd;
	uint64_t bytes, calls;
};

static int read_file(void *of, uint64_t offset, void *to, size_t n)
{
	struct file *file = of;
	ssize_t got = pread(file->fd, to, n, (off_t)offset);

	file->calls++;
	if (got > 0)
		file->bytes += (uint64_t)got;
	return (int)got;
}

static void show(const struct record *r, const struct file *file)
{
	static const char *const flags[] = {"copy", "open-gop", "counted", "interlaced", "vfr",
		"fixed", "hdr", "joined", "walked"};
	const struct record_video *v = &r->video;

	printf("container %d, timescale %u, origin %lld, flags", (int)r->container, r->timescale,
		(long long)r->origin);
	for (size_t i = 0; i < 9; i++)
		printf("%s%s", r->flags >> i & 1 ? " " : "", r->flags >> i & 1 ? flags[i] : "");
	printf("\nvideo '%s' %s #%u %ux%u sar %u:%u rate %u/%u depth %u turn %u extra %zu\n",
		v->codec, v->codecs, v->stream, v->width, v->height, v->sar_n, v->sar_d, v->rate_n,
		v->rate_d, v->depth, v->rotation, v->extra.len);
	for (size_t i = 0; i < r->audio_count; i++) {
		const struct record_audio *a = &r->audio[i];
		printf("audio %s #%u %s %u->%u Hz %u ch frame %u start %lld [%s] '%s'\n", a->codec,
			a->stream, a->copy ? "copy" : "encode", a->source_rate, a->rate,
			a->channels, a->frame, (long long)a->start, a->language, a->title);
	}
	for (size_t i = 0; i < r->text_count; i++)
		printf("text %s #%u [%s] '%s'\n", r->text[i].codec, r->text[i].stream,
			r->text[i].language, r->text[i].title);
	printf("segments %zu, %.3f s, peak %u average %u bit/s, head %zu\n", r->segments,
		(double)r->t[r->segments] / r->timescale, r->peak_bps, r->average_bps, r->head.len);
	for (size_t n = 0; n < r->segments; n++)
		printf("%zu: %.6f at %llu\n", n, (double)r->t[n] / r->timescale,
			(unsigned long long)r->pos[n]);
	fprintf(stderr, "read %llu bytes in %llu ranges\n", (unsigned long long)file->bytes,
		(unsigned long long)file->calls);
}

static int open_out(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		perror(path);
	return fd;
}

/* Every segment by itself, in an order that the seed decides. */
static int make_all(const struct av_source *s, const struct record *r, const struct rendition *x,
	const char *dir, unsigned seed, struct fail *f)
{
	uint32_t *order = calloc(rendition_segments(x, r), sizeof(*order));
	int fd, result = 0;

	for (uint32_t n = 0; order && n < rendition_segments(x, r); n++) {
		uint32_t k = (uint32_t)rand_r(&seed) % (n + 1);
		order[n] = order[k];
		order[k] = n;
	}
	if (rendition_has_init(x)) {
		fd = open_out(dir, "init.mp4");
		result = fd < 0 ? -1 : av_init_segment(s, r, x, fd, f);
		close(fd);
	}
	for (uint32_t i = 0; order && result == 0 && i < rendition_segments(x, r); i++) {
		char name[32];
		snprintf(name, sizeof(name), "%u.%s", order[i], rendition_extension(x));
		fd = open_out(dir, name);
		result = fd < 0 ? -1
				: av_segment(s, r, x, order[i], order[i] % 2 ? AV_URGENT : AV_AHEAD,
					  fd, f);
		close(fd);
	}
	free(order);
	return result;
}

static int make(
	int argc, char **argv, const struct av_source *s, const struct record *r, struct fail *f)
{
	struct rendition x;
	int64_t n, seed = 1;
	struct span what = span_of(argv[3]);
	struct span name = span_of(argv[2]);
	bool urgent = span_ends(what, "u"), ts = span_ends(name, ".ts");

	if (ts)
		name.len -= 3;
	if (!rendition_parse(name, &x) || !rendition_fits(&x, r))
		return fail_set(f, FAIL_MISSING, "The file has no rendition '%.20s'", argv[2]);
	x.format = ts ? RENDITION_TS : RENDITION_FMP4;
	if (span_is(what, "init"))
		return av_init_segment(s, r, &x, STDOUT_FILENO, f);
	if (span_is(what, "all") && argc > 4) {
		if (argc > 5)
			num_parse(span_of(argv[5]), 0, INT32_MAX, &seed);
		return make_all(s, r, &x, argv[4], (unsigned)seed, f);
	}
	if (urgent)
		what.len--;
	if (!num_parse(what, 0, (int64_t)rendition_segments(&x, r) - 1, &n))
		return fail_set(f, FAIL_MISSING, "There is no segment '%.20s'", argv[3]);
	return av_segment(s, r, &x, (uint32_t)n, urgent ? AV_URGENT : AV_AHEAD, STDOUT_FILENO, f);
}

int main(int argc, char **argv)
{
	struct file file = {.fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1};
	struct av_source s = {.of = &file, .read_at = read_file};
	struct fail f = {0};
	struct record r;
	struct arena arena;
	struct stat st;
	int result;

	if (file.fd < 0 || fstat(file.fd, &st) < 0) {
		fprintf(stderr, "usage: av-make FILE [RENDITION init|N[u]|all DIR [SEED]]\n");
		return 2;
	}
	s.size = (uint64_t)st.st_size;
	arena_init(&arena, 1 << 26);
	av_begin();
	result = av_index(&s, &arena, &r, &f);
	if (result == 0 && argc < 4)
		show(&r, &file);
	else if (result == 0)
		result = make(argc, argv, &s, &r, &f);
	if (result < 0)
		fprintf(stderr, "%s: %s\n", fail_name(f.kind), f.text);
	arena_release(&arena);
	close(file.fd);
	return result < 0 ? 1 : 0;
}
