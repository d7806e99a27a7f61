/* fcgi-app/processes/live/admission.c - as many encoders as the machine can run.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/admission.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/base/span.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/proc.h"
#include "lib/svc/live.h"

enum {
	DECODE = 100,	  /* thousandths of a processor, for reading and decoding a channel */
	PER_PIXELS = 300, /* and for so many 1000 pixels of each picture, at 25 a second, */
	PER_PIXELS_COSTS = 100,
	SOUND = 10,
	SPARE = 50, /* of each processor, for everything else */
	MEASURE_MS = 10000,
	TRY_MS = 1000,
	WANTED_MS = 3000
};

void admission_init(struct admission *a, const struct ladder *l)
{
	*a = (struct admission){.fd = -1, .weight = DECODE};
	for (size_t i = 0; i < l->count; i++)
		a->weight += SOUND + (int64_t)l->rungs[i]->width * l->rungs[i]->height / 1000 *
					     PER_PIXELS_COSTS / PER_PIXELS;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static bool path_of(const struct conf *conf, const char *name, char to[LIVE_PATH_BYTES])
{
	return file_path(to, LIVE_PATH_BYTES, "%s/encoders/%s", conf->run_dir, name);
}

/* --- who is in -------------------------------------------------------------------------------- */

struct crowd {
	int64_t count, weight; /* of those that are in */
	int64_t load;	       /* what they take, or are expected to where it is not known yet */
	int64_t known_weight, known_load;
};

static void add_file(struct crowd *c, int fd)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct span rest = span_make(text, n > 0 ? (size_t)n : 0), word;
	int64_t weight = 0, measured = 0;

	if (!span_next(&rest, ' ', &word) || !num_parse(word, 0, 1000000, &weight) ||
		!span_next(&rest, ' ', &word) || !num_parse(word, 0, 1000000, &measured))
		return;
	c->count++;
	c->weight += weight;
	if (measured) {
		c->known_weight += weight;
		c->known_load += measured;
	}
}

/* Files that nobody holds any more are removed. */
static void look_around(const struct conf *conf, struct crowd *c)
{
	char path[LIVE_PATH_BYTES];
	struct dirent *e;
	DIR *d;

	*c = (struct crowd){0};
	if (!path_of(conf, "", path) || !(d = opendir(path)))
		return;
	while ((e = readdir(d))) {
		int fd;

		if (e->d_name[0] == '.' || strcmp(e->d_name, "door") == 0 ||
			strcmp(e->d_name, "wanted") == 0 || !path_of(conf, e->d_name, path))
			continue;
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			unlink(path);
		else if (errno == EWOULDBLOCK)
			add_file(c, fd);
		close(fd);
	}
	closedir(d);
	c->load = c->known_load + c->weight - c->known_weight;
}

static int64_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* What the channel will take: its weight, as heavy as those that run have turned out to be. */
static int64_t expected(const struct admission *a, const struct crowd *c)
{
	return c->known_weight ? a->weight * c->known_load / c->known_weight : a->weight;
}

static bool has_room(const struct admission *a, const struct conf *conf, const struct crowd *c)
{
	if (conf->live_max)
		return c->count < conf->live_max;
	return c->count == 0 || c->load + expected(a, c) <= processors() * (1000 - SPARE);
}

/* --- one's own place -------------------------------------------------------------------------- */

static void say(const struct admission *a)
{
	char text[64];
	/* The blanks cover what stood there before. */
	int n = snprintf(text, sizeof(text), "%lld %lld %16s\n", (long long)a->weight,
		(long long)a->measured, "");

	if (pwrite(a->fd, text, (size_t)n, 0) != n)
		return; /* a full disk: the others reckon with what stands there */
}

static bool enter(struct admission *a, const char *path)
{
	a->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->fd < 0)
		return false;
	if (flock(a->fd, LOCK_EX | LOCK_NB) == 0) {
		say(a);
		return true;
	}
	admission_drop(a);
	return false;
}

/* Looks and enters with nobody else at the door. */
static void try_enter(struct admission *a, const struct conf *conf, const char *id, struct fail *f)
{
	char path[LIVE_PATH_BYTES], door[LIVE_PATH_BYTES];
	struct crowd crowd;
	int fd;

	if (!path_of(conf, "", path) || file_mkdirs(path, 0700, f) < 0 ||
		!path_of(conf, "door", door) || !path_of(conf, id, path))
		return;
	fd = open(door, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
		look_around(conf, &crowd);
		if (has_room(a, conf, &crowd))
			enter(a, path);
		fail_set(f, FAIL_BUSY, "This machine plays %lld channels, as many as it can",
			(long long)crowd.count);
	} else {
		fail_errno(f, FAIL_BUSY, errno, "%s cannot be locked", door);
	}
	close_fd(fd);
	if (a->fd < 0 && path_of(conf, "wanted", path) && !file_touch(path))
		close_fd(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

bool admission_step(
	struct admission *a, const struct conf *conf, struct board *board, const char *id)
{
	int64_t now_ms = clock_mono_ms();
	struct fail f = {0};

	if (a->fd >= 0 || now_ms < a->next_try_ms)
		return a->fd >= 0;
	a->next_try_ms = now_ms + TRY_MS;
	try_enter(a, conf, id, &f);
	if (a->fd >= 0) {
		a->why = (struct fail){0};
		return true;
	}
	if (!a->why.kind) {
		log_warn("no_room", LOG_STR("channel", id), LOG_STR("why", f.text));
		board_add(board, BOARD_LIVE_REFUSED, 1);
	}
	a->why = f;
	return false;
}

void admission_measure(struct admission *a, pid_t pid)
{
	int64_t now_ms = clock_mono_ms(), used_ms;

	if (a->fd < 0 || pid == 0 || now_ms - a->looked_ms < MEASURE_MS)
		return;
	used_ms = proc_cpu_ms(pid);
	/* The first look is a beginning only; a new encoder begins anew. */
	if (a->looked_ms && used_ms > a->used_ms && now_ms - a->looked_ms < 2 * MEASURE_MS) {
		a->measured = (used_ms - a->used_ms) * 1000 / (now_ms - a->looked_ms);
		say(a);
	}
	a->looked_ms = now_ms;
	a->used_ms = used_ms;
}

bool admission_is_wanted(const struct conf *conf)
{
	char path[LIVE_PATH_BYTES];

	return path_of(conf, "wanted", path) && clock_real_ms() - file_mtime_ms(path) < WANTED_MS;
}

void admission_drop(struct admission *a)
{
	close_fd(a->fd);
	a->fd = -1;
}
