/* fcgi-app/processes/live/encoder.c - ffmpeg as a child.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/file.h"

enum {
	PIPE_BYTES = 1 << 20,
	LINES_MAX = 65536, /* bytes of lines that are not whole */
	LOG_LINES_A_SECOND = 3,
	LOG_LINE_BYTES = 300,
	ARGS_BYTES = 65536,
	NICE = 5, /* below the workers that answer requests */
	REAP_MS = 1000
};

/* Five renditions of 720p reserve 0.9 GB and touch a quarter of it. */
#define AS_BYTES (4LL << 30)
#define SEGMENT_BYTES (64LL << 20)

void encoder_init(struct encoder *e)
{
	*e = (struct encoder){.child = {0, -1}, .in_fd = -1, .list_fd = -1, .log_fd = -1};
	buf_init(&e->list, LINES_MAX);
	buf_init(&e->log, LINES_MAX);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int make_dirs(const struct recipe *r, struct fail *f)
{
	char path[600];

	for (size_t i = 0; i < r->ladder->count; i++) {
		if (!file_path(path, sizeof(path), "%s/%s", r->dir, r->ladder->rungs[i]->name))
			return fail_set(f, FAIL_INPUT, "The path of live_dir is too long");
		if (file_mkdirs(path, 0700, f) < 0)
			return -1;
	}
	return 0;
}

/* pipes[i][0] is read from, pipes[i][1] written to. */
static int start_child(struct encoder *e, const char *const *argv, int pipes[3][2], struct fail *f)
{
	char path[1024];
	const char *env[] = {path, "MALLOC_ARENA_MAX=2", NULL};
	struct child_fd list = {pipes[1][1], RECIPE_LIST_FD};
	struct child_spec spec = {
		.argv = argv,
		.env = env,
		.stdin_fd = pipes[0][0],
		.stdout_fd = -1,
		.stderr_fd = pipes[2][1],
		.fds = &list,
		.fd_count = 1,
		.limits = {.as_bytes = AS_BYTES, .fsize_bytes = SEGMENT_BYTES, .nofile = 128},
		.no_network = true,
		.nice = NICE,
	};
	const char *search = getenv("PATH");

	if (!file_path(path, sizeof(path), "PATH=%s", search ? search : "/usr/bin:/bin"))
		return fail_set(f, FAIL_INPUT, "PATH is too long");
	if (child_start(&spec, &e->child, f) < 0)
		return -1;
	e->in_fd = pipes[0][1];
	e->list_fd = pipes[1][0];
	e->log_fd = pipes[2][0];
	pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
	fcntl(e->in_fd, F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(e->in_fd, F_SETFL, O_WRONLY | O_NONBLOCK);
	fcntl(e->list_fd, F_SETFL, O_RDONLY | O_NONBLOCK);
	fcntl(e->log_fd, F_SETFL, O_RDONLY | O_NONBLOCK);
	return 0;
}

int encoder_start(struct encoder *e, const struct recipe *r, struct fail *f)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, result = -1;
	const char *const *argv;
	struct arena arena;

	buf_clear(&e->list);
	buf_clear(&e->log);
	pieces_begin(&e->pieces, r);
	arena_init(&arena, ARGS_BYTES);
	argv = recipe_args(r, &arena);
	if (!argv)
		fail_set(f, FAIL_INTERNAL, "There is no memory for ffmpeg's arguments");
	else if (pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0 ||
		 pipe2(pipes[2], O_CLOEXEC) < 0)
		fail_errno(f, FAIL_INTERNAL, errno, "A pipe to ffmpeg cannot be made");
	else if (make_dirs(r, f) == 0)
		result = start_child(e, argv, pipes, f);
	for (int i = 0; i < 3; i++) {
		close_fd(&pipes[i][0]);
		close_fd(&pipes[i][1]);
	}
	arena_release(&arena);
	return result;
}

void encoder_feed_packet(struct encoder *e, const uint8_t packet[TS_PACKET])
{
	/* An empty pipe has room for a packet; a child that is gone already is noticed as such. */
	if (e->in_fd >= 0 && write(e->in_fd, packet, TS_PACKET) != TS_PACKET)
		close_fd(&e->in_fd);
}

bool encoder_feed(struct encoder *e, struct ring *ring)
{
	const uint8_t *bytes;
	size_t len;

	while (e->in_fd >= 0 && (len = ring_peek(ring, &bytes)) > 0) {
		ssize_t n = write(e->in_fd, bytes, len);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		ring_take(ring, (size_t)n);
	}
	return true;
}

/* Adds what can be read; a line without end that fills the buffer is forgotten. */
static void read_lines(int fd, struct buf *lines)
{
	char bytes[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		if (lines->len + (size_t)n > lines->max)
			buf_clear(lines);
		buf_add(lines, bytes, (size_t)n);
	}
}

/* Takes one whole line off, without its end. */
static bool next_line(struct buf *lines, size_t *at, struct span *line)
{
	const char *from = buf_str(lines) + *at;
	const char *end = memchr(from, '\n', lines->len - *at);

	if (!end)
		return false;
	*line = span_make(from, (size_t)(end - from));
	*at += line->len + 1;
	return true;
}

void encoder_segments(struct encoder *e, const struct ladder *l,
	void (*each)(void *ctx, const struct recipe_segment *s), void *ctx)
{
	struct recipe_segment segment;
	struct span line;
	size_t at = 0;

	read_lines(e->list_fd, &e->list);
	while (next_line(&e->list, &at, &line)) {
		if (recipe_line(l, line, &segment) &&
			(!segment.piece || pieces_add(&e->pieces, &segment)))
			each(ctx, &segment);
	}
	buf_drop(&e->list, at);
}

void encoder_listen(struct encoder *e, const char *id)
{
	int64_t second = clock_mono_ms() / 1000;
	struct span line;
	size_t at = 0;

	read_lines(e->log_fd, &e->log);
	while (next_line(&e->log, &at, &line)) {
		char text[LOG_LINE_BYTES];
		if (second != e->log_second) {
			e->log_second = second;
			e->log_lines = 0;
		}
		if (e->log_lines++ >= LOG_LINES_A_SECOND)
			continue;
		if (line.len >= sizeof(text))
			line.len = sizeof(text) - 1;
		if (span_copy(line, text, sizeof(text)))
			log_debug("ffmpeg", LOG_STR("channel", id), LOG_STR("says", text));
	}
	buf_drop(&e->log, at);
}

/* Nobody writes any more: what is in the pipes is all. */
static void read_rest(struct encoder *e)
{
	read_lines(e->list_fd, &e->list);
	read_lines(e->log_fd, &e->log);
	close_fd(&e->in_fd);
	close_fd(&e->list_fd);
	close_fd(&e->log_fd);
}

bool encoder_ended(struct encoder *e, int *status)
{
	if (!e->child.pid || !child_reap(&e->child, status))
		return false;
	read_rest(e);
	return true;
}

void encoder_stop(struct encoder *e)
{
	if (!e->child.pid)
		return;
	child_kill(&e->child, SIGKILL);
	child_wait(&e->child, REAP_MS, NULL);
	read_rest(e);
}

void encoder_release(struct encoder *e)
{
	encoder_stop(e);
	buf_release(&e->list);
	buf_release(&e->log);
}
