/* fcgi-app/processes/census.c - counts what is published, a little at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/census.h"

#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"

enum {
	DAY_MS = 86400 * 1000,
	LATE_S = 600, /* after its end a file is still the business of its list */
	BEGIN_TRIES = 100000,
	LOOK_EVERY = 64 /* entries between two looks at the clock */
};

bool census_due(const struct board *board, int64_t now_ms)
{
	int64_t last_ms = board_get(board, BOARD_COUNTED_MS);

	return last_ms == 0 || now_ms - last_ms >= DAY_MS || last_ms > now_ms + DAY_MS;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* The time that the file system would stamp on what changes now: its own, in steps of its own. */
static bool stamp(int root, struct timespec *now)
{
	struct stat st;

	if (fstat(root, &st) < 0 || fchmod(root, st.st_mode & 07777) < 0 || fstat(root, &st) < 0)
		return false;
	*now = st.st_ctim;
	return true;
}

/* Begins where one step of that time ends: a file has been changed either before or after. */
static void note_beginning(struct census *c, int root, const struct board *board)
{
	struct timespec before;
	bool has_stamps = stamp(root, &before);

	for (int i = 0; i < BEGIN_TRIES; i++) {
		publish_count_get(board, &c->then);
		if (!has_stamps || !stamp(root, &c->began)) {
			clock_gettime(CLOCK_REALTIME, &c->began);
			return;
		}
		if (is_later(&c->began, &before))
			return;
	}
}

bool census_begin(struct census *c, struct publisher *p, struct board *board)
{
	*c = (struct census){.store = PUBLISH_WWW};
	note_beginning(c, publish_root(p, PUBLISH_WWW), board);
	c->running = store_walk_open(&c->walk, publish_root(p, PUBLISH_WWW), "");
	return c->running;
}

static void look_at(struct census *c, struct publisher *p, const struct stat *st)
{
	int64_t now_s = clock_real_ms() / 1000, end_s = publish_end_s(st), freed;

	if (end_s && end_s + LATE_S < now_s) {
		freed = publish_drop(p, c->store, c->walk.name, now_s);
		c->lost += freed >= 0;
		if (c->store == PUBLISH_WWW && freed >= 0)
			publish_count_add(&c->freed, c->walk.name, 1, freed);
		return;
	}
	if (c->store != PUBLISH_WWW ||
		(!is_later(&c->began, &st->st_ctim) && !publish_is_renewed(st)))
		return;
	publish_count_add(&c->seen, c->walk.name, 1, st->st_size);
}

static void finish(struct census *c, struct board *board)
{
	struct publish_count now, more;

	publish_count_get(board, &now);
	more = (struct publish_count){c->seen.bytes - c->then.bytes + c->freed.bytes,
		c->seen.files - c->then.files + c->freed.files,
		c->seen.streams - c->then.streams + c->freed.streams,
		c->seen.pictures - c->then.pictures + c->freed.pictures};
	publish_count_put(board, &more);
	board_set(board, BOARD_COUNTED_MS, clock_real_ms());
	log_info("counted", LOG_INT("files", now.files + more.files),
		LOG_INT("bytes", now.bytes + more.bytes), LOG_INT("bytes_before", now.bytes),
		LOG_INT("without_life", c->lost));
}

bool census_step(struct census *c, struct publisher *p, struct board *board, int64_t budget_ms)
{
	int64_t until_ms = clock_mono_ms() + budget_ms;
	enum store_step step;
	struct stat st;

	for (int i = 0; i % LOOK_EVERY || clock_mono_ms() < until_ms; i++) {
		step = store_walk_next(&c->walk, &st);
		if (step == STORE_FILE)
			look_at(c, p, &st);
		if (step != STORE_END)
			continue;
		if (c->store == PUBLISH_LIVE) {
			finish(c, board);
			census_stop(c);
			return true;
		}
		c->store = PUBLISH_LIVE;
		store_walk_open(&c->walk, publish_root(p, PUBLISH_LIVE), "");
	}
	return false;
}

void census_stop(struct census *c)
{
	store_walk_close(&c->walk);
	c->running = false;
}
