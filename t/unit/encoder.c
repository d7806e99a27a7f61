/* t/unit/encoder.c - what a real ffmpeg leaves when it is run as a channel's encoder.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-app/processes/live/encoder.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

enum { SEGMENTS_MAX = 64, PATIENCE_MS = 30000, STEP_MS = 20 };

/* Each segment as it was when ffmpeg said that it is finished. */
struct heard {
	const char *dir;
	const struct ladder *ladder;
	size_t count;
	struct {
		char path[200];
		int64_t bytes;
		struct recipe_segment of;
	} segment[SEGMENTS_MAX];
};

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : st.st_size;
}

static void hear(void *ctx, const struct recipe_segment *s)
{
	struct heard *h = ctx;

	if (h->count == SEGMENTS_MAX)
		return;
	file_path(h->segment[h->count].path, sizeof(h->segment[0].path), "%s/%s/%lld.ts", h->dir,
		h->ladder->rungs[s->rung]->name, (long long)s->n);
	h->segment[h->count].bytes = size_of(h->segment[h->count].path);
	h->segment[h->count].of = *s;
	h->count++;
}

static bool make_source(const char *path)
{
	char command[600];

	snprintf(command, sizeof(command),
		"ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=320x180:r=25:d=12 "
		"-f lavfi -i sine=r=48000:d=12 -c:v libx264 -preset ultrafast -g 50 -c:a aac "
		"-f mpegts %s",
		path);
	return system(command) == 0;
}

/* Feeds the whole source; whenever ffmpeg says something it is stopped at once, as a busy machine
 * might stop it, until that has been looked at. */
static void encode(struct encoder *e, struct ring *source, struct heard *h)
{
	int status = 0;

	for (int waited_ms = 0; !encoder_ended(e, &status) && waited_ms < PATIENCE_MS;) {
		struct pollfd said = {.fd = e->list_fd, .events = POLLIN};

		if (e->in_fd >= 0) {
			encoder_feed(e, source);
			if (source->count == 0 && source->rest_len == 0) {
				close(e->in_fd);
				e->in_fd = -1;
			}
		}
		waited_ms += poll(&said, 1, STEP_MS) == 0 ? STEP_MS : 0;
		if (said.revents & POLLIN) {
			child_kill(&e->child, SIGSTOP);
			encoder_segments(e, h->ladder, hear, h);
			child_kill(&e->child, SIGCONT);
		}
	}
	is_int(status, 0, "ffmpeg ends well");
}

static void fill(struct ring *ring, const char *path)
{
	uint8_t packet[TS_PACKET];
	FILE *in = fopen(path, "rb");

	while (in && fread(packet, sizeof(packet), 1, in) == 1)
		ring_push(ring, packet, true);
	if (in)
		fclose(in);
}

/* Sound alone is cut where the picture is, but for a frame of sound; what ends the stream is as
 * long as it is. */
static void same_times(const struct heard *h, int64_t last_n)
{
	const int64_t frame_us = 21334;
	int compared = 0, far = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct recipe_segment *picture = &h->segment[i].of;

		for (size_t k = 0; picture->rung == 0 && k < h->count; k++) {
			const struct recipe_segment *sound = &h->segment[k].of;
			int64_t begin_us = sound->start_us - picture->start_us;
			int64_t end_us = sound->end_us - picture->end_us;

			if (sound->rung != 1 || sound->n != picture->n || sound->n >= last_n)
				continue;
			compared++;
			far += begin_us < -frame_us || begin_us > frame_us || end_us < -frame_us ||
			       end_us > frame_us;
		}
	}
	is_int(compared, last_n, "each picture has its sound alone");
	is_int(far, 0, "of the same time");
}

static void finished_segments(const char *dir, const char *source, bool quick)
{
	struct recipe r = {
		.ffmpeg = "ffmpeg", .dir = dir, .has_audio = true, .threads = 1, .quick = quick};
	struct heard h = {.dir = dir};
	struct ring ring = {0};
	struct ladder ladder;
	struct encoder e;
	struct fail f = {0};
	char left[200];
	int grown = 0;

	ladder_parse("240p audio", NULL, NULL, &ladder, &f);
	r.ladder = h.ladder = &ladder;
	r.encodes[0] = r.encodes[1] = true;
	encoder_init(&e);
	ok(ring_init(&ring, 65536), "the source has room");
	fill(&ring, source);
	ok(encoder_start(&e, &r, &f) == 0, "ffmpeg starts %s", f.text);
	encode(&e, &ring, &h);
	ok(h.count >= 9, "segments of both renditions are finished: %zu", h.count);
	same_times(&h, quick ? 7 : 5);
	for (size_t i = 0; i < h.count; i++) {
		int64_t bytes = size_of(h.segment[i].path);
		grown += bytes != h.segment[i].bytes;
		ok(bytes > 0 && bytes % TS_PACKET == 0, "%s has whole packets",
			h.segment[i].path + strlen(dir));
	}
	is_int(grown, 0, "what is said to be finished grows no more");
	file_path(left, sizeof(left), "%s/audio/p0.ts", dir);
	is_int(size_of(left), -1, "of its pieces nothing is left");
	encoder_release(&e);
	ring_release(&ring);
}

/* An ffmpeg that says what it has finished, ends, and is looked at only then. */
static void last_words(const char *dir)
{
	struct recipe r = {.dir = dir, .has_audio = true, .threads = 1};
	struct heard h = {.dir = dir};
	struct ladder ladder;
	struct encoder e;
	struct fail f = {0};
	char path[80];
	FILE *script;
	int status = -1;

	file_path(path, sizeof(path), "%s/last-words", dir);
	script = fopen(path, "w");
	if (script) {
		fputs("#!/bin/sh\necho 240p/7.ts,0.000000,2.000000 >&3\n"
		      "echo audio/9.ts,0.000000,2.000000 >&3\nexit 3\n",
			script);
		fclose(script);
	}
	ok(chmod(path, 0755) == 0, "there is a script");
	ladder_parse("240p audio", NULL, NULL, &ladder, &f);
	r.ffmpeg = path;
	r.ladder = h.ladder = &ladder;
	r.encodes[0] = r.encodes[1] = true;
	for (int forced = 0; forced < 2; forced++) {
		encoder_init(&e);
		h.count = 0;
		ok(encoder_start(&e, &r, &f) == 0, "it starts %s", f.text);
		poll(&(struct pollfd){.fd = e.log_fd}, 1, PATIENCE_MS); /* until it has ended */
		if (forced)
			encoder_stop(&e);
		for (int i = 0; !forced && !encoder_ended(&e, &status) && i < 1000; i++)
			usleep(STEP_MS * 1000);
		encoder_segments(&e, &ladder, hear, &h);
		is_int((int64_t)h.count, 2, "what it said last is heard, %s",
			forced ? "after a stop" : "after its end");
		encoder_release(&e);
	}
	is_int(status, 3, "and how it ended");
}

int main(void)
{
	char dir[] = "/tmp/sluice-encoder-XXXXXX", source[64], command[64];

	if (system("command -v ffmpeg >/dev/null") != 0) {
		printf("1..0 # SKIP ffmpeg is not installed\n");
		return 0;
	}
	if (!mkdtemp(dir))
		return 99;
	signal(SIGPIPE, SIG_IGN);
	file_path(source, sizeof(source), "%s/in.ts", dir);
	ok(make_source(source), "a source is made");
	finished_segments(dir, source, false);
	finished_segments(dir, source, true);
	last_words(dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ok(system(command) == 0, "tidied up");
	return tap_done();
}
