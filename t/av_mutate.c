/* t/av_mutate.c - damages a film in many ways, and uses what an index finds in it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: av-mutate FILE COUNT SEED
 *
 * Each time a child gets a copy with up to 20 bytes changed, most of them at its beginning, or cut
 * short. It makes an index, which must encode and decode, and the last segment of each kind; or is
 * told in a sentence why not. A child that dies, or takes a minute, is counted and its film kept.
 * Two are at work at a
 * time. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/av/av.h"
#include "lib/base/must.h"
#include "lib/base/num.h"

enum {
	SECONDS = 60,
	CHANGES = 20,
	BEGINNING = 4000,
	FILE_MAX = 64 << 20,
	BAD_MAX = 5,
	AT_ONCE = 2
};

struct bytes {
	uint8_t *data;
	size_t size;
};

static int read_bytes(void *of, uint64_t offset, void *to, size_t n)
{
	const struct bytes *b = of;

	if (offset >= b->size)
		return 0;
	if (n > b->size - offset)
		n = b->size - (size_t)offset;
	memcpy(to, b->data + offset, n);
	return (int)n;
}

static void use(const struct av_source *s, const struct record *r, int fd)
{
	static const char *const names[] = {"source", "a0", "s0", "240p", "thumbnails"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fail f = {0};
		struct rendition x;
		must(rendition_parse(span_of(names[i]), &x));
		if (!rendition_fits(&x, r))
			continue;
		if (rendition_has_init(&x) && av_init_segment(s, r, &x, fd, &f) < 0)
			must(f.kind != FAIL_NONE && f.text[0]);
		f = (struct fail){0};
		if (av_segment(s, r, &x, (uint32_t)rendition_segments(&x, r) - 1, AV_URGENT, fd,
			    &f) < 0)
			must(f.kind != FAIL_NONE && f.text[0]);
	}
}

static void try_one(struct bytes *b)
{
	struct av_source s = {b, read_bytes, b->size, 0};
	struct fail f = {0};
	struct arena arena;
	struct record r, back;
	struct buf encoded;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	av_begin();
	must(fd >= 0);
	arena_init(&arena, 1 << 26);
	buf_init(&encoded, RECORD_MAX_BYTES);
	if (av_index(&s, &arena, &r, &f) == 0) {
		record_encode(&r, &encoded);
		must(encoded.failed || record_decode(buf_span(&encoded), &arena, &back, &f) == 0);
		use(&s, &r, fd);
	} else {
		must(f.kind != FAIL_NONE && f.text[0] && !strchr(f.text, '\n'));
	}
	buf_release(&encoded);
	arena_release(&arena);
	close(fd);
}

static struct bytes damaged(const struct bytes *whole, unsigned *seed)
{
	size_t near = whole->size < BEGINNING ? whole->size : BEGINNING;
	struct bytes b = {malloc(whole->size), whole->size};

	must(b.data != NULL);
	memcpy(b.data, whole->data, b.size);
	for (int i = rand_r(seed) % CHANGES; i >= 0; i--) {
		size_t below = rand_r(seed) % 3 ? near : b.size;
		b.data[(size_t)rand_r(seed) % below] = (uint8_t)rand_r(seed);
	}
	if (rand_r(seed) % 5 == 0)
		b.size = (size_t)rand_r(seed) % b.size + 1;
	return b;
}

/* A child with its film. */
struct trial {
	pid_t pid; /* 0: none */
	int64_t number;
	struct bytes film;
};

static void begin(struct trial *t, struct bytes film, int64_t number)
{
	*t = (struct trial){fork(), number, film};
	must(t->pid >= 0);
	if (t->pid == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		alarm(SECONDS);
		try_one(&t->film);
		_exit(0);
	}
}

static void keep(const struct bytes *b, int64_t i)
{
	char name[64];
	FILE *to;

	snprintf(name, sizeof(name), "av-mutate-%lld", (long long)i);
	to = fopen(name, "wb");
	if (to) {
		fwrite(b->data, 1, b->size, to);
		fclose(to);
	}
	printf("dies of %s\n", name);
}

/* Waits for one of the children; how many did not survive: 0 or 1. */
static int end_one(struct trial *trials)
{
	int status = 1;
	pid_t pid = wait(&status);

	must(pid > 0);
	for (int i = 0; i < AT_ONCE; i++) {
		if (trials[i].pid != pid)
			continue;
		if (status != 0)
			keep(&trials[i].film, trials[i].number);
		free(trials[i].film.data);
		trials[i].pid = 0;
		return status != 0;
	}
	return 0;
}

/* Each in a child of its own, as many at once as there are processors for. */
static int try_all(const struct bytes *whole, int64_t count, unsigned *seed)
{
	struct trial trials[AT_ONCE] = {0};
	int64_t begun = 0, ended = 0;
	int bad = 0;

	while (ended < begun || (begun < count && bad < BAD_MAX)) {
		int i = 0;

		while (i < AT_ONCE && trials[i].pid)
			i++;
		if (i < AT_ONCE && begun < count && bad < BAD_MAX) {
			begin(&trials[i], damaged(whole, seed), begun++);
			continue;
		}
		bad += end_one(trials);
		ended++;
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct bytes whole = {malloc(FILE_MAX), 0};
	FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
	int64_t count, seed;
	unsigned state;
	int bad;

	if (!file || !whole.data || !num_parse(span_of(argv[2]), 1, INT32_MAX, &count) ||
		!num_parse(span_of(argv[3]), 0, INT32_MAX, &seed)) {
		fprintf(stderr, "usage: av-mutate FILE COUNT SEED\n");
		return 2;
	}
	whole.size = fread(whole.data, 1, FILE_MAX, file);
	fclose(file);
	must(whole.size > 0);
	state = (unsigned)seed;
	bad = try_all(&whole, count, &state);
	printf("%lld of them, %d died\n", (long long)count, bad);
	free(whole.data);
	return bad > 0;
}
