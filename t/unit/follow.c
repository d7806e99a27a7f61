/* t/unit/follow.c - which segment of a live playlist comes next.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/follow.h"
#include "t/unit/tap.h"

enum { TARGET_S = 4 };

static struct playlist list;

/* Segments `first` to `last` of four seconds. */
static void make(int64_t first, int64_t last)
{
	list.target_us = TARGET_S * 1000000;
	list.count = 0;
	for (int64_t n = first; n <= last; n++)
		list.segments[list.count++] =
			(struct playlist_segment){.n = n, .duration_us = TARGET_S * 1000000};
}

/* What a list, asked for at that time, makes of it; and which segments are then read, up to `read`
 * of them. */
struct step {
	const char *what;
	int64_t at_s, first, last;
	enum follow_news news;
	int64_t next; /* -1: none is there */
	int read;
};

static void run(const char *name, const struct step *steps, size_t count)
{
	struct follow f = {0};

	follow_join(&f, 0);
	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps[i];
		const struct playlist_segment *next;
		int64_t now_ms = s->at_s * 1000;

		make(s->first, s->last);
		follow_asked(&f, now_ms);
		is_int(follow_list(&f, &list, now_ms), s->news, "%s: %s", name, s->what);
		next = follow_next(&f, &list);
		is_int(next ? next->n : -1, s->next, "%s: the next one then", name);
		for (int k = 0; k < s->read && follow_next(&f, &list); k++)
			f.next_n++;
	}
}

static const struct step usual[] = {
	{"three targets from the end", 0, 10, 19, FOLLOW_BEGUN, 17, 2},
	{"the rest", 4, 11, 20, FOLLOW_ON, 19, 9},
	{"nothing new", 6, 11, 20, FOLLOW_ON, -1, 9},
	{"one more", 8, 12, 21, FOLLOW_ON, 21, 9},
};
static const struct step brief[] = {
	{"a list of one", 0, 5, 5, FOLLOW_BEGUN, 5, 9},
	{"and of two", 4, 5, 6, FOLLOW_ON, 6, 9},
};
static const struct step empty[] = {
	{"no segment yet", 0, 1, 0, FOLLOW_ON, -1, 9},
	{"the first ones", 2, 1, 2, FOLLOW_BEGUN, 1, 9},
};
static const struct step slides[] = {
	{"begun", 0, 1, 4, FOLLOW_BEGUN, 2, 9},
	{"the window has slid on", 60, 16, 20, FOLLOW_MISSED, 18, 9},
	{"and goes on", 64, 17, 21, FOLLOW_ON, 21, 9},
};
static const struct step late[] = {
	{"begun", 0, 1, 3, FOLLOW_BEGUN, 1, 0},
	{"too much waits", 40, 1, 12, FOLLOW_MISSED, 10, 9},
};
static const struct step back[] = {
	{"begun", 0, 1000, 1004, FOLLOW_BEGUN, 1002, 9},
	{"it begins to count anew", 4, 0, 1, FOLLOW_ANEW, 0, 9},
	{"and goes on", 8, 0, 2, FOLLOW_ON, 2, 9},
};
static const struct step stale[] = {
	{"begun", 0, 1, 5, FOLLOW_BEGUN, 3, 9},
	{"a cache is behind", 4, 0, 4, FOLLOW_ON, -1, 9},
	{"and catches up", 8, 2, 6, FOLLOW_ON, 6, 9},
	{"a little less", 12, 1, 5, FOLLOW_ON, -1, 9},
	{"for long", 18, 1, 5, FOLLOW_ON, -1, 9},
	{"for too long: it counts anew", 21, 1, 5, FOLLOW_ANEW, 3, 9},
};

static void gaps(void)
{
	struct follow f = {0};

	make(1, 3);
	list.segments[0].gap = list.segments[1].gap = true;
	follow_list(&f, &list, 0);
	is_int(follow_next(&f, &list)->n, 3, "gaps are passed over");
	list.segments[2].gap = true;
	ok(!follow_next(&f, &list), "to the end");
	is_int(f.next_n, 4, "and the next is behind them");
}

static void pace(void)
{
	struct follow f = {0};

	follow_join(&f, 1000);
	make(1, 3);
	follow_list(&f, &list, 1000);
	is_int(follow_wait_ms(&f, 1000), 4000, "the next list after a target duration");
	is_int(follow_wait_ms(&f, 4500), 500, "of which a part has gone by");
	is_int(follow_wait_ms(&f, 9000), 0, "or all of it");
	follow_asked(&f, 5000);
	follow_list(&f, &list, 5000);
	is_int(follow_wait_ms(&f, 5000), 2000, "after half of one when nothing was new");
	is_int(follow_wait_ms(&f, 1000), 2000, "also when the clock went back");
	ok(!follow_is_frozen(&f, 13000), "three targets without news are the most");
	ok(follow_is_frozen(&f, 13001), "then the list is frozen");
	make(2, 4);
	follow_list(&f, &list, 13001);
	ok(!follow_is_frozen(&f, 13001), "until something is new");
	follow_join(&f, 90000);
	ok(!follow_is_frozen(&f, 90000), "or there is another connection");
	is_int(follow_ahead_us(&f, &list), 16000000 - 4000000, "what is listed and not read");
	list.target_us = 1;
	follow_list(&f, &list, 90000);
	is_int(follow_wait_ms(&f, 90000), 500, "never too often");
	ok(!follow_is_frozen(&f, 96000), "and never frozen too soon");
}

#define RUN(name) run(#name, name, sizeof(name) / sizeof(name[0]))

int main(void)
{
	RUN(usual);
	RUN(brief);
	RUN(empty);
	RUN(slides);
	RUN(late);
	RUN(back);
	RUN(stale);
	gaps();
	pace();
	return tap_done();
}
