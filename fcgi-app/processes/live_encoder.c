/* fcgi-app/processes/live_encoder.c - ffmpeg as a child: transport stream in, segments out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live_encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"

enum {
	ARGS_MAX = 400,
	LIST_FD = 3, /* in the child */
	LINE_MAX_BYTES = 8192,
	PIPE_BYTES = 1024 * 1024,
	WORDS_PER_READ = 3,
	STOP_MS = 2000,
};

struct args {
	struct arena arena;
	const char *list[ARGS_MAX + 1];
	size_t count;
};

static void add(struct args *a, const char *text)
{
	must(a->count < ARGS_MAX);
	a->list[a->count++] = text;
}

#define addf(a_, ...) add((a_), arena_printf(&(a_)->arena, __VA_ARGS__))

static void add_pair(struct args *a, const char *name, const char *value)
{
	add(a, name);
	add(a, value);
}

/* One picture is decoded, made progressive and split, and each branch scaled at its own aspect. */
static void add_filter(struct args *a, const struct ladder *l)
{
	struct buf graph;
	size_t pictures = 0;

	for (size_t i = 0; i < l->count; i++)
		pictures += l->rungs[i]->height > 0;
	if (pictures == 0)
		return;
	buf_init(&graph, 4096);
	buf_printf(&graph, "[0:v:0]yadif=deint=interlaced,split=%zu", pictures);
	for (size_t i = 0; i < l->count; i++) {
		if (l->rungs[i]->height)
			buf_printf(&graph, "[s%zu]", i);
	}
	for (size_t i = 0; i < l->count; i++) {
		int height = l->rungs[i]->height;
		if (height)
			buf_printf(&graph,
				";[s%zu]scale=w='trunc(dar*%d/2+0.5)*2':h=%d,setsar=1,"
				"format=yuv420p[v%zu]",
				i, height, height, i);
	}
	add(a, "-filter_complex");
	add(a, arena_copy(&a->arena, buf_span(&graph)));
	buf_release(&graph);
}

static void add_picture(struct args *a, const struct rung *r, size_t i)
{
	add(a, "-map");
	addf(a, "[v%zu]", i);
	add_pair(a, "-c:v", "libx264");
	add_pair(a, "-preset", "superfast");
	add_pair(a, "-threads:v", "2");
	/* Only forced key frames, at any frame rate: 0, 1, 2, 4, 6 … s. */
	add_pair(a, "-g", "10000");
	add_pair(a, "-sc_threshold", "0");
	add_pair(a, "-flags", "+cgop");
	add_pair(a, "-force_key_frames",
		"expr:if(lt(n_forced,3),gte(t,n_forced),gte(t,2*n_forced-2))");
	add_pair(a, "-x264-params", "rc-lookahead=10");
	add_pair(a, "-profile:v", r->profile);
	add_pair(a, "-level:v", r->level);
	add(a, "-b:v");
	addf(a, "%dk", r->video_kbps * 9 / 10);
	add(a, "-maxrate:v");
	addf(a, "%dk", r->video_kbps);
	add(a, "-bufsize:v");
	addf(a, "%dk", r->video_buffer_kbit);
}

static void add_sound(struct args *a, const struct rung *r)
{
	add_pair(a, "-map", "0:a:0");
	add_pair(a, "-af", "aresample=async=1:first_pts=0");
	add_pair(a, "-c:a", "aac");
	add_pair(a, "-aac_coder", "fast");
	add(a, "-b:a");
	addf(a, "%dk", r->audio_kbps);
	add_pair(a, "-ac", "2");
	add_pair(a, "-ar", "48000");
}

/* The muxer goes on across segments: counters and times are those of one stream, and each segment
 * begins with its tables (RFC 8216 section 3). */
static void add_output(struct args *a, const struct rung *r, const char *dir, int64_t first_n)
{
	add_pair(a, "-f", "segment");
	add_pair(a, "-segment_format", "mpegts");
	add_pair(a, "-individual_header_trailer", "0");
	add_pair(a, "-segment_time", r->height ? "1" : "2");
	add(a, "-segment_start_number");
	addf(a, "%lld", (long long)(r->height ? first_n : first_n + 1));
	add(a, "-segment_list");
	addf(a, "pipe:%d", LIST_FD);
	add_pair(a, "-segment_list_type", "csv");
	add(a, "-segment_list_entry_prefix");
	addf(a, "%s/", r->name);
	addf(a, "%s/%s/%%d.ts", dir, r->name);
}

static void make_args(struct args *a, const struct conf *conf, const struct ladder *l,
	const char *dir, bool has_audio, int64_t first_n)
{
	static const char *const begin[] = {"-nostdin", "-hide_banner", "-loglevel", "warning",
		"-fflags", "+genpts+discardcorrupt+nobuffer", "-analyzeduration", "500000",
		"-probesize", "2000000", "-f", "mpegts", "-i", "pipe:0"};

	add(a, conf->ffmpeg);
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		add(a, begin[i]);
	add(a, "-filter_complex_threads");
	addf(a, "%lld", (long long)conf->encoder_threads);
	add_filter(a, l);
	for (size_t i = 0; i < l->count; i++) {
		const struct rung *r = l->rungs[i];

		if (!r->height && !has_audio)
			continue;
		if (r->height)
			add_picture(a, r, i);
		if (has_audio)
			add_sound(a, r);
		add_output(a, r, dir, first_n);
	}
	a->list[a->count] = NULL;
}

void encoder_init(struct encoder *e)
{
	*e = (struct encoder){.child = {0, -1}, .in = -1, .list = -1, .errors = -1};
	buf_init(&e->lines, LINE_MAX_BYTES);
	buf_init(&e->words, LINE_MAX_BYTES);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Three pipes: ours in [0..2], the child's in [3..5]. */
static int make_pipes(int fds[6], struct fail *f)
{
	for (int i = 0; i < 6; i++)
		fds[i] = -1;
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return fail_errno(f, FAIL_INTERNAL, errno, "No pipe to ffmpeg");
		fds[i] = i == 0 ? ends[1] : ends[0];
		fds[i + 3] = i == 0 ? ends[0] : ends[1];
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
	return 0;
}

int encoder_start(struct encoder *e, const struct conf *conf, const struct ladder *ladder,
	const char *dir, bool has_audio, int64_t first_n, struct fail *f)
{
	struct args a = {.count = 0};
	int fds[6], result = -1;

	arena_init(&a.arena, 256 * 1024);
	make_args(&a, conf, ladder, dir, has_audio, first_n);
	if (make_pipes(fds, f) == 0 && !a.arena.full) {
		const struct child_fd more[] = {{fds[4], LIST_FD}};
		struct child_spec spec = {.argv = a.list,
			.stdin_fd = fds[3],
			.stdout_fd = -1,
			.stderr_fd = fds[5],
			.fds = more,
			.fd_count = 1,
			.limits = {.as_bytes = (int64_t)4 << 30,
				.nofile = 256,
				.fsize_bytes = 64 << 20},
			.no_network = true,
			.nice = 5};

		result = child_start(&spec, &e->child, f);
	}
	for (int i = result < 0 ? 0 : 3; i < 6; i++)
		close_fd(&fds[i]);
	arena_release(&a.arena);
	if (result < 0)
		return -1;
	e->in = fds[0];
	e->list = fds[1];
	e->errors = fds[2];
	e->first_n = first_n;
	e->started_ms = e->segment_ms = clock_mono_ms();
	buf_clear(&e->lines);
	buf_clear(&e->words);
	return 0;
}

void encoder_stop(struct encoder *e)
{
	close_fd(&e->in);
	if (e->child.pid) {
		child_kill(&e->child, SIGKILL);
		child_wait(&e->child, STOP_MS, NULL);
	}
	close_fd(&e->list);
	close_fd(&e->errors);
	buf_release(&e->lines);
	buf_release(&e->words);
}

/* "12.345678" seconds as microseconds. */
static bool read_seconds(struct span text, int64_t *us)
{
	struct span whole;
	int64_t s, part = 0;

	span_next(&text, '.', &whole);
	if (!num_parse(whole, 0, INT64_MAX / 2000000, &s))
		return false;
	if (text.len && (text.len != 6 || !num_parse(text, 0, 999999, &part)))
		return false;
	*us = s * 1000000 + part;
	return true;
}

/* 720p/880123.ts,4.000000,6.000000 */
static bool read_segment(struct span line, const struct ladder *l, struct encoder_segment *out)
{
	struct span path, from, name;
	int64_t from_us, to_us;

	span_next(&line, ',', &path);
	span_next(&line, ',', &from);
	span_next(&path, '/', &name);
	if (!read_seconds(from, &from_us) || !read_seconds(span_trim(line), &to_us) ||
		!span_ends(path, ".ts") || to_us <= from_us)
		return false;
	path.len -= 3;
	for (out->rung = 0; out->rung < l->count; out->rung++) {
		if (span_is(name, l->rungs[out->rung]->name))
			break;
	}
	out->duration_us = to_us - from_us;
	return out->rung < l->count && num_parse(path, 0, INT64_MAX / 2, &out->n);
}

/* Reads what is there into `to`: bytes, 0 when there is nothing now, -1 at the end. */
static int fill(int fd, struct buf *to)
{
	char bytes[2048];
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || !buf_add(to, bytes, (size_t)n))
		return -1;
	return (int)n;
}

int encoder_next(struct encoder *e, const struct ladder *ladder, struct encoder_segment *out)
{
	for (;;) {
		const char *end = e->lines.len ? memchr(e->lines.ptr, '\n', e->lines.len) : NULL;
		int got;

		if (end) {
			size_t len = (size_t)(end - e->lines.ptr);
			bool good = read_segment(span_make(e->lines.ptr, len), ladder, out);

			buf_drop(&e->lines, len + 1);
			if (!good)
				continue;
			e->segment_ms = clock_mono_ms();
			return 1;
		}
		got = fill(e->list, &e->lines);
		if (got <= 0)
			return got;
	}
}

void encoder_log(struct encoder *e, const char *id)
{
	const char *end;

	for (int i = 0; i < WORDS_PER_READ; i++) {
		if (fill(e->errors, &e->words) <= 0)
			break;
	}
	for (int i = 0; i < WORDS_PER_READ && e->words.len &&
			(end = memchr(e->words.ptr, '\n', e->words.len));
		i++) {
		char line[240];
		size_t len = (size_t)(end - e->words.ptr);

		span_copy(span_make(e->words.ptr, len < sizeof(line) ? len : sizeof(line) - 1),
			line, sizeof(line));
		log_debug("ffmpeg", LOG_STR("channel", id), LOG_STR("said", line));
		buf_drop(&e->words, len + 1);
	}
	if (e->words.len > LINE_MAX_BYTES / 2 || e->words.failed)
		buf_clear(&e->words); /* it says more than anybody wants to read */
}
