/* fcgi-app/processes/live/playout.c - what a channel has to show.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/playout.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/hls/recipe.h"
#include "lib/hls/repeat.h"
#include "lib/hls/sps.h"
#include "lib/hls/ts.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/publish.h"

enum {
	LIFE_S = WINDOW_COLUMNS * WINDOW_TARGET_S + 60,
	LATE_COLUMNS = 3,   /* behind the list, that stay while the disk is nearly full */
	SHORT_COLUMNS = 4,  /* on the list, when it is full: three times the target at least */
	NEXT_COLUMNS = 3,   /* for which there should be room */
	USEFUL_MS = 45000,  /* a list this old has segments that will die before they are fetched */
	FULL_BYTES = 16384, /* with less than that free a disk is full */
	SAVE_MS = 2000,
	RECORD_MAX = 16384,
	SLATE_MAX = 1 << 20,
	HEAD_BYTES = 16 * TS_PACKET,
	NAME_BYTES = 200,
	RUN_TTL_S = 90, /* of the run in memcached */
	DATE_PART = 4,	/* of a segment's time, by which dates may be put right with it */
};

/* --- the run -------------------------------------------------------------------------------- */

/* Nobody can guess it, and the same start of the same channel gives the same one. */
static int new_run(struct playout *p, struct fail *f)
{
	unsigned char key[SIGN_SIZE], digest[SIGN_SIZE];
	char path[LIVE_PATH_BYTES], text[128];
	int n;

	if (!file_path(path, sizeof(path), "%s/key", p->conf->state_dir))
		return fail_set(f, FAIL_INPUT, "The path of state_dir is too long");
	if (sign_key_load(path, key, f) < 0)
		return -1;
	n = snprintf(text, sizeof(text), "run %s %lld", p->id, (long long)clock_real_ms());
	sign_hmac(span_make((char *)key, sizeof(key)), span_make(text, (size_t)n), digest);
	num_print_hex(digest, (LIVE_RUN_BYTES - 1) / 2, p->state.run);
	return 0;
}

/* What the next process needs, wherever it runs: the run, and where its numbers go on. */
static void tell_run(struct playout *p)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %lld %lld", p->state.run,
		(long long)p->state.window.next_n, (long long)p->state.window.period);

	mc_set(p->mc, "run", p->id, span_make(text, (size_t)n), RUN_TTL_S);
}

static bool take_run(struct playout *p)
{
	struct span rest, run, n, period;
	struct window w = {0};
	struct buf text;
	bool good;

	buf_init(&text, 128);
	good = mc_get(p->mc, "run", p->id, &text, NULL) == MC_OK;
	rest = buf_span(&text);
	good = good && span_next(&rest, ' ', &run) && span_next(&rest, ' ', &n) &&
	       span_next(&rest, ' ', &period) && run.len == LIVE_RUN_BYTES - 1 &&
	       num_parse(n, 0, INT64_MAX / 2, &w.next_n) &&
	       num_parse(period, 0, INT64_MAX / 2, &w.period) &&
	       span_copy(run, p->state.run, sizeof(p->state.run));
	if (good)
		p->state.window = w;
	buf_release(&text);
	return good;
}

/* The record of the process before us, if what it lists can still be fetched. */
static bool take_record(struct playout *p)
{
	struct live_state s;
	struct buf text;
	char path[LIVE_PATH_BYTES];
	int64_t age_ms;
	bool good;

	live_path(p->conf, p->id, "state", path);
	buf_init(&text, RECORD_MAX);
	good = file_read(path, &text, NULL) == 0 &&
	       live_state_parse(buf_span(&text), p->ladder, &s) && *s.run;
	buf_release(&text);
	age_ms = good ? clock_real_ms() - s.updated_ms : 0;
	if (!good || age_ms > USEFUL_MS || age_ms < -USEFUL_MS)
		return false;
	memcpy(p->state.run, s.run, sizeof(s.run));
	p->state.window = s.window;
	return true;
}

static bool segment_name(const struct playout *p, size_t rung, int64_t n, char to[NAME_BYTES])
{
	return file_path(to, NAME_BYTES, "%s/%s/%s/%lld.ts", p->id, p->state.run,
		p->ladder->rungs[rung]->name, (long long)n);
}

int playout_open(struct playout *p, const struct conf *conf, const struct ladder *ladder,
	struct mc *mc, struct publisher *publisher, const char *id, struct fail *f)
{
	char name[NAME_BYTES];

	*p = (struct playout){
		.conf = conf, .ladder = ladder, .mc = mc, .publisher = publisher, .id = id};
	if (!take_record(p) && !take_run(p) && new_run(p, f) < 0)
		return -1;
	/* Linked by a process that was killed before it could list them. */
	for (size_t i = 0; i < ladder->count; i++) {
		if (segment_name(p, i, p->state.window.next_n, name))
			publish_remove(publisher, PUBLISH_LIVE, name, 0);
	}
	p->state.status = p->state.window.count ? LIVE_ON : LIVE_STARTING;
	playout_write(p);
	return 0;
}

int64_t playout_begin(struct playout *p)
{
	p->encoder_voice = ++p->voices;
	p->date_ms = 0;
	p->state.width = p->state.height = 0;
	p->state.rate_milli = 0;
	return window_start(&p->state.window, clock_real_ms());
}

bool playout_is_on(const struct playout *p)
{
	return p->last_voice && p->last_voice == p->encoder_voice;
}

/* --- the segments --------------------------------------------------------------------------- */

/* What the source's picture is like is read from the first one that we made of it. */
static void look_at_picture(struct playout *p, const char *path)
{
	char head[HEAD_BYTES];
	struct sps sps;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || !sps_find(head, (size_t)n, &sps))
		return;
	p->state.width = sps.width;
	p->state.height = sps.height;
	p->state.rate_milli = sps.rate_milli;
}

/* ffmpeg lists a segment though the disk was full before it was written out, and ends a little
 * later. What ends within a packet was cut; what ends between two may have been where nothing is
 * free now. */
static bool is_whole(const struct playout *p, const struct stat *st)
{
	struct publish_room room;

	publish_room(p->conf, NULL, PUBLISH_LIVE, &room);
	return st->st_size > 0 && st->st_size % TS_PACKET == 0 && room.free >= FULL_BYTES;
}

/* `file_n` names the file, c->n what is published of it. */
static bool publish_one(struct playout *p, struct window_column *c, size_t rung, int64_t file_n)
{
	char path[LIVE_PATH_BYTES], name[NAME_BYTES];
	struct fail f = {0};
	enum publish_result result = PUBLISH_FAILED;
	struct stat st;

	if (!file_path(path, sizeof(path), "%s/work/%s/seg/%s/%lld.ts", p->conf->live_dir, p->id,
		    p->ladder->rungs[rung]->name, (long long)file_n))
		return false;
	if (!p->state.width && p->ladder->rungs[rung]->height)
		look_at_picture(p, path);
	if (stat(path, &st) < 0)
		st.st_size = 0;
	p->column_bytes += st.st_size;
	if (!is_whole(p, &st))
		fail_set(&f, FAIL_BUSY, "The disk was full before the segment's end");
	else if (segment_name(p, rung, c->n, name))
		result = publish_link(p->publisher, PUBLISH_LIVE, path, name, LIFE_S, &f);
	unlink(path);
	if (result == PUBLISH_OK)
		return true;
	c->duration_us[rung] = WINDOW_MISSING;
	if (!p->full.kind)
		log_warn(
			"segment_not_published", LOG_STR("channel", p->id), LOG_STR("why", f.text));
	fail_set(&p->full, FAIL_BUSY, "%s", f.text);
	return false;
}

/* Removes what is published of the columns up to `end_n`. */
static void remove_before(struct playout *p, int64_t end_n)
{
	int64_t n = p->pruned_n;
	char name[NAME_BYTES];

	if (n < end_n - LIFE_S)
		n = end_n - LIFE_S; /* older ones have died: most are no shorter than a second */
	for (; n < end_n; n++) {
		for (size_t i = 0; i < p->ladder->count; i++) {
			if (segment_name(p, i, n, name))
				publish_remove(p->publisher, PUBLISH_LIVE, name, 0);
		}
	}
	p->pruned_n = end_n;
}

bool playout_make_room(struct playout *p)
{
	struct window *w = &p->state.window;
	struct publish_room room;

	publish_room(p->conf, NULL, PUBLISH_LIVE, &room);
	if (room.free >= room.floor || w->count == 0)
		return true;
	if (room.free >= NEXT_COLUMNS * p->column_bytes) {
		remove_before(p, w->columns[0].n - LATE_COLUMNS);
		return true;
	}
	window_trim(w, SHORT_COLUMNS);
	remove_before(p, w->columns[0].n);
	publish_room(p->conf, NULL, PUBLISH_LIVE, &room);
	return room.free >= p->column_bytes;
}

/* When the last segment listed has ended. */
static int64_t end_ms(const struct window *w)
{
	const struct window_column *last = w->columns + w->count - 1;

	return w->count ? last->date_ms + window_column_us(last) / 1000 : 0;
}

/* The date goes on without a step back while the list does. What was given cannot be later than
 * now: where a busy machine began late, or a source with a new clock sent its last seconds again,
 * the dates come back to the truth a little with each segment. */
static void set_date(struct playout *p, struct window_column *c, int64_t start_us)
{
	int64_t earliest_ms = end_ms(&p->state.window), given_us, zero_ms;
	int64_t step_ms = window_column_us(c) / 1000 / DATE_PART;

	/* A source that begins with its last seconds is ahead of what comes out. */
	given_us = start_us + window_column_us(c);
	if (given_us < p->given_us)
		given_us = p->given_us;
	zero_ms = clock_real_ms() - given_us / 1000;
	if (!playout_is_on(p)) {
		p->date_ms = zero_ms;
		if (p->date_ms + start_us / 1000 < earliest_ms)
			p->date_ms = earliest_ms - start_us / 1000;
	} else if (p->date_ms > zero_ms) {
		p->date_ms -= p->date_ms - zero_ms < step_ms ? p->date_ms - zero_ms : step_ms;
	}
	c->date_ms = p->date_ms + start_us / 1000;
}

static void list(struct playout *p, const struct window_column *c, int64_t voice)
{
	struct window *w = &p->state.window;

	if (p->last_voice != voice && w->next_n)
		window_break(w);
	p->last_voice = voice;
	p->state.slate = voice == p->slate_voice;
	window_add(w, c);
	if (p->state.status != LIVE_ON)
		log_info("playable", LOG_STR("channel", p->id), LOG_STR("run", p->state.run),
			LOG_INT("n", c->n));
	p->state.status = LIVE_ON;
	p->listed_ms = clock_mono_ms();
	playout_make_room(p);
	playout_write(p);
	tell_run(p);
}

void playout_add(struct playout *p, struct window_column *c, int64_t start_us)
{
	int64_t bytes_before = p->column_bytes, file_n = c->n;
	bool any = false, all = true;

	set_date(p, c, start_us);
	p->column_bytes = 0;
	c->n = window_start(&p->state.window, clock_real_ms());
	for (size_t i = 0; i < p->ladder->count; i++) {
		if (c->duration_us[i] <= 0)
			continue;
		if (publish_one(p, c, i, file_n))
			any = true;
		else
			all = false;
	}
	if (!all && p->column_bytes < bytes_before)
		p->column_bytes = bytes_before;
	if (all && p->full.kind) {
		log_info("segments_published_again", LOG_STR("channel", p->id), LOG_INT("n", c->n));
		p->full = (struct fail){0};
	}
	if (any)
		list(p, c, p->encoder_voice);
	else
		p->last_voice = 0; /* there is a hole before what comes next */
}

/* --- slates --------------------------------------------------------------------------------- */

static int publish_slate(struct playout *p, enum live_reason reason, int64_t times, int64_t n,
	size_t rung, struct fail *f)
{
	char path[LIVE_PATH_BYTES], name[NAME_BYTES];
	struct buf bytes;
	int result = -1;

	buf_init(&bytes, SLATE_MAX);
	if (!file_path(path, sizeof(path), "%s/%s/%s.ts", p->conf->slate_dir,
		    live_reason_name(reason), p->ladder->rungs[rung]->name) ||
		!segment_name(p, rung, n, name)) {
		fail_set(f, FAIL_INPUT, "The path of slate_dir is too long");
	} else if (file_read(path, &bytes, f) == 0) {
		repeat_shift((uint8_t *)bytes.ptr, bytes.len, times, RECIPE_SLATE_US * 9 / 100);
		result = publish_bytes(p->publisher, PUBLISH_LIVE, name, buf_span(&bytes), LIFE_S,
				 0, f) == PUBLISH_OK
				 ? 0
				 : -1;
	}
	buf_release(&bytes);
	return result;
}

int playout_add_slate(struct playout *p, enum live_reason reason, int64_t times, struct fail *f)
{
	struct live_state *s = &p->state;
	struct window_column c = {.n = window_start(&s->window, clock_real_ms()), .slate = true};
	bool any = false;

	for (size_t i = 0; i < p->ladder->count; i++) {
		bool good = publish_slate(p, reason, times, c.n, i, f) == 0;
		c.duration_us[i] = good ? RECIPE_SLATE_US : 0;
		any |= good;
	}
	if (!any)
		return -1;
	if (times == 0 || !p->slate_voice)
		p->slate_voice = ++p->voices;
	c.date_ms = clock_real_ms();
	if (c.date_ms < end_ms(&s->window))
		c.date_ms = end_ms(&s->window);
	if (!p->encoder_voice && !s->window.count) { /* nobody knows yet what there will be */
		memset(s->encodes, true, sizeof(s->encodes));
		s->has_audio = true;
	}
	list(p, &c, p->slate_voice);
	return 0;
}

/* --- the record ----------------------------------------------------------------------------- */

void playout_write(struct playout *p)
{
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};
	struct buf text;

	p->state.updated_ms = clock_real_ms();
	buf_init(&text, RECORD_MAX);
	live_state_print(&p->state, p->ladder, &text);
	live_path(p->conf, p->id, "state", path);
	if (file_renew(path, buf_span(&text), 0600, &f) < 0)
		log_warn("state_not_written", LOG_STR("channel", p->id), LOG_STR("why", f.text));
	buf_release(&text);
	p->saved_ms = clock_mono_ms();
}

void playout_save(struct playout *p, const struct fail *why, enum live_reason reason)
{
	int64_t now_ms = clock_mono_ms();
	struct live_state *s = &p->state;
	bool news;

	if (p->full.kind) {
		why = &p->full;
		reason = why->kind == FAIL_BUSY ? LIVE_MACHINE_BUSY : LIVE_SOURCE_DOWN;
	}
	if (!p->listed_ms)
		p->listed_ms = now_ms; /* what a process before us listed is as old as its record */
	news = why->kind != s->why.kind || reason != s->reason ||
	       strcmp(why->text, s->why.text) != 0;
	s->why = *why;
	s->reason = reason;
	if (s->window.count && now_ms - p->listed_ms > USEFUL_MS) {
		window_clear(&s->window);
		s->status = LIVE_STARTING;
		news = true;
		log_warn("nothing_to_show", LOG_STR("channel", p->id), LOG_STR("why", why->text));
	}
	if (news || now_ms - p->saved_ms >= SAVE_MS)
		playout_write(p);
}

static void remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	char path[LIVE_PATH_BYTES + 300];
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			file_path(path, sizeof(path), "%s/%s", dir, e->d_name))
			unlink(path); /* directories stay */
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

void playout_sweep(const struct playout *p)
{
	char path[LIVE_PATH_BYTES], name[32];

	for (size_t i = 0; i < p->ladder->count; i++) {
		file_path(name, sizeof(name), "seg/%s", p->ladder->rungs[i]->name);
		live_path(p->conf, p->id, name, path);
		remove_files(path);
	}
}

void playout_end(struct playout *p)
{
	char path[LIVE_PATH_BYTES];

	mc_delete(p->mc, "run", p->id);
	live_path(p->conf, p->id, "state", path);
	unlink(path);
	playout_sweep(p);
	live_path(p->conf, p->id, "seg", path);
	rmdir(path);
}

void playout_forget(struct playout *p)
{
	window_clear(&p->state.window);
	p->state.status = LIVE_STARTING;
	p->state.slate = false;
	p->encoder_voice = p->slate_voice = p->last_voice = 0;
	playout_sweep(p);
	playout_write(p);
}

void playout_elsewhere(
	const struct conf *conf, const struct ladder *ladder, const char *id, const char *base)
{
	struct playout p = {.conf = conf, .ladder = ladder, .id = id};

	p.state.status = LIVE_ELSEWHERE;
	snprintf(p.state.base, sizeof(p.state.base), "%s", base);
	playout_write(&p);
}
