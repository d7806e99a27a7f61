/* fcgi-app/processes/live.c - the process of a channel that somebody watches.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fcgi-app/processes/live_encoder.h"
#include "fcgi-app/processes/live_feed.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lease.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"
#include "lib/svc/publish.h"

enum {
	POLL_MS = 200,
	RENEW_MS = 1500,     /* how old the record may become */
	SEGMENT_LIFE_S = 90, /* the window, and a minute for the slow */
	SILENT_MS = 8000,    /* an encoder without a segment for so long, though bytes come */
	GAP_MS = 30000,	     /* a window whose process was away longer is of no use */
	LAG_COLUMNS = 2,     /* how far a rendition may stay behind before the rest goes on */
	PENDING_MAX = 6,
	MEMORY_S = 120, /* how long memcached keeps the run after its owner's end */
	DIR_MODE = 0700,
};

struct live {
	const struct conf *conf;
	const char *id;
	struct board *board;
	struct ladder ladder;
	struct mc *mc;
	struct lease *lease;
	struct publisher *publisher;
	struct feed feed;
	struct encoder encoder;
	struct ts_program program; /* that the encoder was started for */
	struct live_state state;
	struct window_column pending[PENDING_MAX]; /* not all of their segments are there */
	size_t pending_count;
	int lock, signals;
	int64_t written_ms;  /* of the record, monotonic */
	int64_t restarts_ms; /* no new encoder before, monotonic */
	bool full;	     /* segments cannot be published */
};

/* --- what is remembered
 * ------------------------------------------------------------------------------ */

static void write_state(struct live *v)
{
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};
	struct buf text;

	v->state.updated_ms = clock_real_ms();
	v->state.why = v->feed.why;
	v->written_ms = clock_mono_ms();
	buf_init(&text, 32768);
	live_state_print(&v->state, &v->ladder, &text);
	live_path(v->conf, v->id, "state", path);
	if (file_replace(path, buf_span(&text), 0640, &f) < 0)
		log_warn("state_not_written", LOG_STR("channel", v->id), LOG_STR("why", f.text));
	buf_release(&text);
}

/* run, next number and period, so that another host or a later process goes on with them. */
static void remember(struct live *v)
{
	char text[100];

	snprintf(text, sizeof(text), "%s %lld %lld", v->state.run,
		(long long)v->state.window.next_n, (long long)v->state.window.period);
	mc_set(v->mc, "live", v->id, span_of(text), MEMORY_S);
}

static bool recall(struct live *v)
{
	struct span rest, run, next;
	struct buf text;
	bool good = false;

	buf_init(&text, 200);
	if (mc_get(v->mc, "live", v->id, &text, NULL) == MC_OK) {
		rest = buf_span(&text);
		span_next(&rest, ' ', &run);
		span_next(&rest, ' ', &next);
		good = run.len == LIVE_RUN_BYTES - 1 &&
		       num_parse(next, 1, INT64_MAX / 2, &v->state.window.next_n) &&
		       num_parse(rest, 0, INT64_MAX / 2, &v->state.window.period) &&
		       span_copy(run, v->state.run, sizeof(v->state.run));
	}
	buf_release(&text);
	return good;
}

/* {run}: nobody guesses it, and it is another one after every idle stop. */
static int new_run(struct live *v, struct fail *f)
{
	unsigned char key[SIGN_SIZE], digest[SIGN_SIZE];
	char path[LIVE_PATH_BYTES], text[120];

	if (!file_path(path, sizeof(path), "%s/key", v->conf->state_dir))
		return fail_set(f, FAIL_INPUT, "state_dir is too long");
	if (sign_key_load(path, key, f) < 0)
		return -1;
	snprintf(text, sizeof(text), "run\n%s\n%lld", v->id, (long long)clock_real_ms());
	sign_hmac(span_make((const char *)key, sizeof(key)), span_of(text), digest);
	num_print_hex(digest, (LIVE_RUN_BYTES - 1) / 2, v->state.run);
	return 0;
}

/* Goes on where a process before this one stopped, or begins a run. */
static int begin_run(struct live *v, struct fail *f)
{
	char path[LIVE_PATH_BYTES];
	struct live_state *s = &v->state;
	struct buf text;
	bool known;

	live_path(v->conf, v->id, "state", path);
	buf_init(&text, 32768);
	known = file_read(path, &text, NULL) == 0 &&
		live_state_parse(buf_span(&text), &v->ladder, s) && *s->run;
	buf_release(&text);
	if (known && llabs(clock_real_ms() - s->updated_ms) > GAP_MS)
		window_clear(&s->window);
	if (!known) {
		*s = (struct live_state){0};
		known = recall(v);
	}
	if (known)
		window_break(&s->window);
	else if (new_run(v, f) < 0)
		return -1;
	s->status = s->window.count ? LIVE_ON : LIVE_STARTING;
	return 0;
}

/* --- segments
 * ------------------------------------------------------------------------------------------- */

static void publish_segment(struct live *v, const struct encoder_segment *seg, bool *kept)
{
	const char *rendition = v->ladder.rungs[seg->rung]->name;
	char from[LIVE_PATH_BYTES], name[LIVE_PATH_BYTES], part[64];
	struct fail f = {0};
	bool full;

	file_path(part, sizeof(part), "seg/%s/%lld.ts", rendition, (long long)seg->n);
	live_path(v->conf, v->id, part, from);
	file_path(name, sizeof(name), "%s/%s/%s/%lld.ts", v->id, v->state.run, rendition,
		(long long)seg->n);
	*kept = publish_link(v->publisher, PUBLISH_LIVE, from, name, SEGMENT_LIFE_S, &f) ==
		PUBLISH_OK;
	unlink(from);
	full = !*kept;
	if (full != v->full)
		log_warn(full ? "segments_not_kept" : "segments_kept", LOG_STR("channel", v->id),
			LOG_STR("why", full ? f.text : "-"));
	v->full = full;
}

static bool is_whole(const struct live *v, const struct window_column *c)
{
	for (size_t r = 0; r < v->ladder.count; r++) {
		bool first_sound = !v->ladder.rungs[r]->height && c->n == v->encoder.first_n;

		if (v->state.encodes[r] && !c->duration_us[r] && !first_sound)
			return false;
	}
	return true;
}

static int64_t longest_us(const struct window_column *c, const struct ladder *l)
{
	int64_t us = 0;

	for (size_t r = 0; r < l->count; r++) {
		if (l->rungs[r]->height && c->duration_us[r] > us)
			us = c->duration_us[r];
	}
	return us ? us : 2000000;
}

/* Dates follow from the durations within a period; a new one begins now, and never before the end
 * of the one before. */
static int64_t date_of(const struct live *v, const struct window_column *c)
{
	const struct window *w = &v->state.window;
	int64_t now_ms = clock_real_ms() - longest_us(c, &v->ladder) / 1000, after_ms;
	const struct window_column *last;

	if (!w->count)
		return now_ms;
	last = &w->columns[w->count - 1];
	after_ms = last->date_ms + longest_us(last, &v->ladder) / 1000;
	if (last->period == w->period || after_ms > now_ms)
		return after_ms;
	return now_ms;
}

/* Lists the first pending column when it is whole, or when the others have gone on without it. */
static void list_columns(struct live *v)
{
	bool listed = false;

	while (v->pending_count &&
		(is_whole(v, &v->pending[0]) || v->pending_count > LAG_COLUMNS)) {
		struct window_column c = v->pending[0];

		memmove(v->pending, v->pending + 1, --v->pending_count * sizeof(c));
		c.date_ms = date_of(v, &c);
		listed = window_add(&v->state.window, &c) || listed;
	}
	if (!listed)
		return;
	if (v->state.status != LIVE_ON)
		log_info("playing", LOG_STR("channel", v->id), LOG_STR("run", v->state.run),
			LOG_INT("after_ms", clock_mono_ms() - v->encoder.started_ms));
	v->state.status = LIVE_ON;
	write_state(v);
	remember(v);
}

static void take_segment(struct live *v, const struct encoder_segment *seg)
{
	size_t i = 0;
	bool kept;

	publish_segment(v, seg, &kept);
	if (!kept || seg->n < v->state.window.next_n)
		return;
	while (i < v->pending_count && v->pending[i].n < seg->n)
		i++;
	if (i == v->pending_count || v->pending[i].n != seg->n) {
		if (v->pending_count == PENDING_MAX)
			return;
		memmove(v->pending + i + 1, v->pending + i,
			(v->pending_count - i) * sizeof(v->pending[0]));
		v->pending[i] = (struct window_column){.n = seg->n};
		v->pending_count++;
	}
	v->pending[i].duration_us[seg->rung] = seg->duration_us;
	list_columns(v);
}

/* --- the encoder
 * ------------------------------------------------------------------------------------------ */

static int make_dirs(const struct live *v, struct fail *f)
{
	char part[40], path[LIVE_PATH_BYTES];

	for (size_t r = 0; r < v->ladder.count; r++) {
		file_path(part, sizeof(part), "seg/%s", v->ladder.rungs[r]->name);
		live_path(v->conf, v->id, part, path);
		if (file_mkdirs(path, DIR_MODE, f) < 0)
			return -1;
	}
	return 0;
}

static void start_encoder(struct live *v)
{
	struct window *w = &v->state.window;
	int64_t first_n = window_start(w, clock_real_ms());
	char dir[LIVE_PATH_BYTES];
	struct fail f = {0};

	v->program = v->feed.ts.program;
	v->state.has_audio = ts_audio(&v->program) != NULL;
	for (size_t r = 0; r < v->ladder.count; r++)
		v->state.encodes[r] = v->ladder.rungs[r]->height > 0 || v->state.has_audio;
	v->pending_count = 0;
	live_path(v->conf, v->id, "seg", dir);
	encoder_init(&v->encoder);
	if (make_dirs(v, &f) < 0 || encoder_start(&v->encoder, v->conf, &v->ladder, dir,
					    v->state.has_audio, first_n, &f) < 0) {
		v->feed.why = f;
		log_error("encoder_not_started", LOG_STR("channel", v->id), LOG_STR("why", f.text));
		v->restarts_ms = clock_mono_ms() + 3000;
	} else {
		log_info("encoder_started", LOG_STR("channel", v->id),
			LOG_STR("video", ts_video(&v->program)
						 ? ts_codec_name(ts_video(&v->program)->codec)
						 : "none"),
			LOG_STR("audio", v->state.has_audio
						 ? ts_codec_name(ts_audio(&v->program)->codec)
						 : "none"),
			LOG_INT("n", first_n));
	}
	write_state(v);
}

/* What was published goes on being listed; what follows is another period. */
static void end_encoder(struct live *v, const char *why)
{
	log_info("encoder_ended", LOG_STR("channel", v->id), LOG_STR("why", why));
	encoder_log(&v->encoder, v->id);
	encoder_stop(&v->encoder);
	encoder_init(&v->encoder);
	if (v->state.window.next_n)
		window_break(&v->state.window);
	v->pending_count = 0;
	v->restarts_ms = clock_mono_ms() + 300;
}

static void watch_encoder(struct live *v)
{
	struct encoder_segment seg;
	int64_t now_ms = clock_mono_ms();
	int got = 0;

	if (!v->encoder.child.pid) {
		if (v->feed.ts.program.known && now_ms >= v->restarts_ms)
			start_encoder(v);
		return;
	}
	while ((got = encoder_next(&v->encoder, &v->ladder, &seg)) > 0)
		take_segment(v, &seg);
	encoder_log(&v->encoder, v->id);
	if (got < 0 || child_reap(&v->encoder.child, NULL))
		end_encoder(v, "ffmpeg ended");
	else if (v->feed.ts.program.known && !ts_program_same(&v->program, &v->feed.ts.program))
		end_encoder(v, "the source has other streams now");
	else if (now_ms - v->encoder.segment_ms > SILENT_MS && now_ms - v->feed.data_ms < 2000)
		end_encoder(v, "no segment though the source sends");
	else if (!feed_drain(&v->feed, v->encoder.in))
		end_encoder(v, "ffmpeg reads no more");
}

/* --- beginning, going on, ending
 * ---------------------------------------------------------------------------- */

static int take_lock(struct live *v, struct fail *f)
{
	char path[LIVE_PATH_BYTES];

	live_path(v->conf, v->id, NULL, path);
	if (file_mkdirs(path, DIR_MODE, f) < 0)
		return -1;
	live_path(v->conf, v->id, "lock", path);
	v->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (v->lock < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
	if (flock(v->lock, LOCK_EX | LOCK_NB) < 0)
		return fail_set(f, FAIL_CONFLICT, "Another process has the channel");
	return 0;
}

/* 0: ours; 1: another host has it, which the record says now; -1: failed. */
static int take_lease(struct live *v, struct fail *f)
{
	char dir[LIVE_PATH_BYTES], name[80];
	struct lease_env env = {dir, v->mc, v->conf->host_name};
	enum lease_result got;
	struct buf other;

	file_path(dir, sizeof(dir), "%s/lease", v->conf->run_dir);
	file_path(name, sizeof(name), "live:%s", v->id);
	buf_init(&other, LIVE_BASE_BYTES);
	got = lease_take(&env, name, v->conf->public_url, &v->lease, &other, f);
	if (got == LEASE_TAKEN) {
		v->state.status = LIVE_ELSEWHERE;
		span_copy(buf_span(&other), v->state.base, sizeof(v->state.base));
		write_state(v);
	}
	buf_release(&other);
	return got == LEASE_MINE ? 0 : got == LEASE_TAKEN ? 1 : -1;
}

static int open_all(struct live *v, struct fail *f)
{
	const struct conf *c = v->conf;
	struct mc_config config = {c->memcached_servers, c->memcached_prefix, c->memcached_user,
		c->memcached_password};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	srandom((unsigned)(clock_real_ms() ^ getpid()));
	v->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ladder_parse(c->ladder, c->max_quality, c->default_quality, &v->ladder, f) < 0 ||
		mc_open(&v->mc, &config, f) < 0 || publish_open(&v->publisher, c, v->board, f) < 0)
		return -1;
	return feed_open(&v->feed, c, v->mc, v->id, f);
}

static bool is_idle(const struct live *v)
{
	char path[LIVE_PATH_BYTES];

	live_path(v->conf, v->id, "asked", path);
	return file_mtime_ms(path) < clock_real_ms() - v->conf->live_idle_s * 1000;
}

/* Nobody watches any more: the next viewer begins another run. */
static void forget_run(struct live *v)
{
	static const char *const names[] = {"state", "asked", "token"};
	char path[LIVE_PATH_BYTES];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		live_path(v->conf, v->id, names[i], path);
		unlink(path);
	}
	mc_delete(v->mc, "live", v->id);
	log_info("idle", LOG_STR("channel", v->id));
}

static bool should_stop(struct live *v)
{
	struct signalfd_siginfo info;

	return read(v->signals, &info, sizeof(info)) > 0;
}

static int play(struct live *v)
{
	for (;;) {
		struct pollfd own[4] = {{v->signals, POLLIN, 0}, {v->encoder.list, POLLIN, 0},
			{v->encoder.errors, POLLIN, 0}, {v->encoder.in, POLLOUT, 0}};
		unsigned count = !v->encoder.child.pid ? 1 : v->feed.out.len ? 4 : 3;

		fetcher_poll(v->feed.fetcher, own, count, POLL_MS);
		if (should_stop(v))
			return 0;
		feed_step(&v->feed);
		watch_encoder(v);
		if (is_idle(v)) {
			forget_run(v);
			return 0;
		}
		if (!lease_renew(v->lease)) {
			log_warn("lease_lost", LOG_STR("channel", v->id));
			return 0;
		}
		if (clock_mono_ms() - v->written_ms > RENEW_MS)
			write_state(v);
	}
}

static void close_all(struct live *v)
{
	encoder_stop(&v->encoder);
	feed_close(&v->feed);
	lease_drop(&v->lease);
	publish_close(&v->publisher);
	mc_close(&v->mc);
}

int live_run(const struct conf *conf, const char *id, struct board *board)
{
	struct live *v = calloc(1, sizeof(*v));
	struct fail f = {0};
	int result;

	if (!v)
		return 1;
	*v = (struct live){.conf = conf, .id = id, .board = board, .lock = -1};
	encoder_init(&v->encoder);
	result = take_lock(v, &f) < 0 ? (f.kind == FAIL_CONFLICT ? 1 : -1) : open_all(v, &f);
	if (result == 0)
		result = take_lease(v, &f);
	if (result == 0)
		result = begin_run(v, &f);
	if (result == 0) {
		write_state(v);
		log_info("watched", LOG_STR("channel", id), LOG_STR("run", v->state.run));
		result = play(v);
	}
	if (result < 0)
		log_error("live_failed", LOG_STR("channel", id), LOG_STR("why", f.text));
	close_all(v);
	free(v);
	return result < 0;
}
