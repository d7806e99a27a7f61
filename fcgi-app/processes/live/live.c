/* fcgi-app/processes/live/live.c - a channel that somebody watches.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fcgi-app/processes/live/admission.h"
#include "fcgi-app/processes/live/encoder.h"
#include "fcgi-app/processes/live/intake.h"
#include "fcgi-app/processes/live/outlet.h"
#include "fcgi-app/processes/live/playout.h"
#include "fcgi-app/processes/live/slate.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hls/steps.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lease.h"
#include "lib/io/mc.h"
#include "lib/svc/publish.h"

enum {
	RING_PACKETS = 16 * 1024 * 1024 / TS_PACKET, /* touched only when ffmpeg is slow */
	TICK_MS = 250,
	STUCK_MS = 3 * WINDOW_TARGET_S * 1000, /* media goes in and no segment comes out */
	FIRST_MS = 12000,		       /* the same for the first segment */
	RESTART_MS = 300,
	RESTART_MAX_MS = 5000,
	RESTART_FULL_MS = 2000, /* the same while the disk is full */
	LEASE_MS = 1000,
	UNWATCHED_MS = 10000 /* players ask every two seconds */
};

struct live {
	const struct conf *conf;
	struct board *board;
	const char *id;
	char seg_dir[LIVE_PATH_BYTES];
	struct ladder ladder;
	struct mc *mc;
	struct publisher *publisher;
	char lease_dir[LIVE_PATH_BYTES];
	struct lease_env lease_env;
	struct lease *lease;
	int lock_fd, signal_fd;

	struct ring ring;
	struct intake intake;
	struct encoder encoder;
	struct splice_shape encoded; /* what ffmpeg was started for */
	struct steps steps;
	struct playout playout;
	struct slate slate;
	struct admission admission;
	struct outlet outlet;

	int64_t since_ms;		/* monotonic: somebody wants playlists */
	int64_t encoder_ms, segment_ms; /* ffmpeg started; last finished a segment, or 0 */
	int64_t restart_ms, restart_wait_ms;
	int64_t leased_ms;
};

/* --- start ---------------------------------------------------------------------------------- */

/* One process a channel on this host: true when it is this one. */
static bool lock_channel(struct live *l, struct fail *f)
{
	char path[LIVE_PATH_BYTES];
	struct stat st;

	live_path(l->conf, l->id, NULL, path);
	if (file_mkdirs(path, 0700, f) < 0)
		return false;
	live_path(l->conf, l->id, "lock", path);
	l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->lock_fd < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
		return false;
	}
	/* One without a name was swept away between our open and our lock. */
	return flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0 && fstat(l->lock_fd, &st) == 0 &&
	       st.st_nlink > 0;
}

static enum lease_result take_lease(struct live *l, struct fail *f)
{
	enum lease_result result;
	char name[80];
	struct buf other;

	buf_init(&other, LEASE_VALUE_MAX + 1);
	file_path(name, sizeof(name), "live:%s", l->id);
	file_path(l->lease_dir, sizeof(l->lease_dir), "%s/lease", l->conf->run_dir);
	l->lease_env = (struct lease_env){l->lease_dir, l->mc, l->conf->host_name, l->board};
	result = lease_take(&l->lease_env, name, l->conf->public_url, &l->lease, &other, f);
	if (result == LEASE_TAKEN)
		playout_elsewhere(l->conf, &l->ladder, l->id, buf_str(&other));
	buf_release(&other);
	return result;
}

static int open_all(struct live *l, struct fail *f)
{
	if (intake_open(&l->intake, l->conf, &l->lease_env, l->id, f) < 0 ||
		publish_open(&l->publisher, l->conf, l->board, f) < 0 ||
		fetcher_open(&l->intake.fetcher, f) < 0)
		return -1;
	if (!ring_init(&l->ring, RING_PACKETS))
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the channel");
	l->intake.ring = &l->ring;
	l->intake.height = ladder_height(&l->ladder);
	outlet_open(&l->outlet, l->conf, l->id);
	return playout_open(&l->playout, l->conf, &l->ladder, l->mc, l->publisher, l->id, f);
}

static void open_signals(struct live *l)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	l->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
}

/* --- the encoder ---------------------------------------------------------------------------- */

static void on_segment(void *ctx, const struct recipe_segment *s)
{
	struct live *l = ctx;
	struct window_column column;
	char path[LIVE_PATH_BYTES + 80];
	int64_t start_us;

	l->segment_ms = clock_mono_ms();
	if (!steps_add(&l->steps, s, l->segment_ms)) {
		if (file_path(path, sizeof(path), "%s/%s/%lld.ts", l->seg_dir,
			    l->ladder.rungs[s->rung]->name, (long long)s->n))
			unlink(path);
		return;
	}
	l->playout.given_us = splice_given_us(&l->intake.splice) - l->intake.zero_us;
	while (steps_take(&l->steps, l->segment_ms, &column, &start_us))
		playout_add(&l->playout, &column, start_us);
	if (playout_is_on(&l->playout))
		slate_end(&l->slate);
}

static void encoder_gone(struct live *l, const char *why, int status)
{
	int64_t now_ms = clock_mono_ms(), most_ms = RESTART_MAX_MS;

	playout_sweep(&l->playout);
	if (!playout_make_room(&l->playout)) {
		fail_set(
			&l->playout.full, FAIL_BUSY, "There is no room for the channel's segments");
		most_ms = RESTART_FULL_MS;
	}
	if (l->segment_ms)
		l->restart_wait_ms = RESTART_MS;
	else if (!l->playout.full.kind)
		fail_set(&l->playout.full, FAIL_UPSTREAM,
			"What the source sends cannot be encoded: %s", why);
	board_add(l->board, BOARD_ENCODER_ENDS, 1);
	l->restart_ms = now_ms + l->restart_wait_ms;
	l->restart_wait_ms = l->restart_wait_ms * 2 < most_ms ? l->restart_wait_ms * 2 : most_ms;
	log_warn("encoder_ended", LOG_STR("channel", l->id), LOG_STR("why", why),
		LOG_INT("status", status), LOG_INT("ran_ms", now_ms - l->encoder_ms));
	ring_clear(&l->ring);
	splice_restart(&l->intake.splice);
	l->intake.zero_us = 0;
}

static void stop_encoder(struct live *l)
{
	encoder_stop(&l->encoder);
	encoder_segments(&l->encoder, &l->ladder, on_segment, l);
}

/* What waits in the ring is all for the next one. */
static void change_encoder(struct live *l)
{
	stop_encoder(l);
	board_add(l->board, BOARD_ENCODER_ENDS, 1);
	l->restart_ms = clock_mono_ms();
	log_info("source_changed", LOG_STR("channel", l->id),
		LOG_STR("video", ts_codec_name(l->intake.packed.video)),
		LOG_STR("audio", ts_codec_name(l->intake.packed.audio)));
}

static void feed_table(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	(void)entry;
	encoder_feed_packet(ctx, packet);
}

static void start_encoder(struct live *l)
{
	const struct splice_shape *shape = &l->intake.splice.shape;
	struct live_state *state = &l->playout.state;
	struct recipe r = {.ffmpeg = l->conf->ffmpeg, .dir = l->seg_dir, .ladder = &l->ladder};
	struct fail f = {0};

	l->encoder_ms = clock_mono_ms();
	l->segment_ms = 0;
	r.quick = state->window.count == 0 || state->slate;
	r.threads = l->conf->encoder_threads > 2 ? 2 : (int)l->conf->encoder_threads;
	if (!recipe_choose(&r, shape->video != TS_OTHER, shape->audio != TS_OTHER,
		    shape->picture.height)) {
		encoder_gone(
			l, "the source has neither picture nor sound that the ladder wants", 0);
		return;
	}
	r.first_n = playout_begin(&l->playout);
	if (encoder_start(&l->encoder, &r, &f) < 0) {
		fail_set(&l->playout.full, FAIL_BUSY, "%s", f.text);
		encoder_gone(l, f.text, 0);
		return;
	}
	board_add(l->board, BOARD_ENCODER_STARTS, 1);
	splice_tables(&l->intake.splice, feed_table, &l->encoder);
	l->encoded = *shape;
	steps_init(&l->steps, &r);
	memcpy(state->encodes, r.encodes, sizeof(state->encodes));
	state->has_audio = r.has_audio;
	playout_write(&l->playout);
	log_info("encoder_started", LOG_STR("channel", l->id), LOG_INT("n", r.first_n),
		LOG_STR("video", ts_codec_name(shape->video)),
		LOG_STR("audio", ts_codec_name(shape->audio)),
		LOG_INT("lines", shape->picture.height));
}

/* There is something to begin with, or it is sure that there will be nothing. */
static bool is_startable(const struct live *l, int64_t now_ms)
{
	const struct splice_shape *shape = &l->intake.splice.shape;

	if (!shape->known || now_ms < l->restart_ms || l->admission.fd < 0)
		return false;
	if (shape->video == TS_OTHER && shape->audio == TS_OTHER)
		return true;
	return l->ring.count && splice_shape_same(shape, &l->intake.packed);
}

/* Media goes in, and nothing comes out; behind a hole a decoder waits as at first. */
static bool is_stuck(const struct live *l, int64_t now_ms)
{
	const struct intake *in = &l->intake;
	int64_t since_ms = l->segment_ms ? l->segment_ms : l->encoder_ms;

	if (!in->giving_ms || now_ms - in->given_ms > 1000)
		return false;
	if (in->giving_ms > since_ms)
		since_ms = in->giving_ms;
	return now_ms - since_ms > (in->giving_ms > l->segment_ms ? FIRST_MS : STUCK_MS);
}

static void step_encoder(struct live *l)
{
	int64_t now_ms = clock_mono_ms();
	int status = 0;
	bool ended = encoder_ended(&l->encoder, &status);

	if (!ended && !l->encoder.child.pid) {
		if (is_startable(l, now_ms))
			start_encoder(l);
		return;
	}
	encoder_listen(&l->encoder, l->id);
	encoder_segments(&l->encoder, &l->ladder, on_segment, l);
	if (ended) {
		encoder_gone(l, "it exited", status);
	} else if (!splice_shape_same(&l->encoded, &l->intake.packed)) {
		change_encoder(l);
	} else if (is_stuck(l, now_ms)) {
		stop_encoder(l);
		encoder_gone(l, "no segment came out of it", 0);
	} else {
		encoder_feed(&l->encoder, &l->ring);
	}
}

/* --- what there is to show instead ----------------------------------------------------------- */

static enum live_reason reason_now(const struct live *l)
{
	if (l->admission.fd < 0)
		return l->admission.why.kind ? LIVE_MACHINE_BUSY : LIVE_BEGINS;
	if (l->intake.reason != LIVE_WELL || playout_is_on(&l->playout))
		return l->intake.reason;
	return l->playout.state.window.count && l->slate.shown == LIVE_WELL ? LIVE_WELL
									    : LIVE_BEGINS;
}

/* The encoder is at work on what has come. */
static bool is_hopeful(const struct live *l)
{
	return l->encoder.child.pid && l->intake.giving_ms &&
	       splice_given_us(&l->intake.splice) > 500000;
}

/* --- the loop ------------------------------------------------------------------------------- */

enum verdict { GO_ON, STOP_IDLE, STOP_ASKED, STOP_LOST };

/* How long nobody may ask; less when another channel waits for our place. */
static int64_t idle_ms(const struct live *l)
{
	int64_t ms = l->conf->live_idle_s * 1000;

	if (ms > UNWATCHED_MS && l->admission.fd >= 0 && admission_is_wanted(l->conf))
		return UNWATCHED_MS;
	return ms;
}

static enum verdict judge(struct live *l)
{
	struct signalfd_siginfo info;
	int64_t now_ms = clock_mono_ms();

	if (read(l->signal_fd, &info, sizeof(info)) == sizeof(info))
		return STOP_ASKED;
	if (outlet_is_idle(&l->outlet, idle_ms(l)))
		return STOP_IDLE;
	if (now_ms - l->leased_ms >= LEASE_MS || now_ms < l->leased_ms) {
		l->leased_ms = now_ms;
		if (!lease_renew(l->lease))
			return STOP_LOST;
	}
	return GO_ON;
}

static void wait_for_something(struct live *l, int wait_ms)
{
	struct pollfd fds[5] = {
		{.fd = l->signal_fd, .events = POLLIN},
		{.fd = l->encoder.list_fd, .events = POLLIN},
		{.fd = l->encoder.log_fd, .events = POLLIN},
		{.fd = l->ring.count || l->ring.rest_len ? l->encoder.in_fd : -1,
			.events = POLLOUT},
		{.fd = l->encoder.child.pid ? l->encoder.child.pidfd : -1, .events = POLLIN},
	};

	if (l->outlet.lists)
		wait_ms = slate_wait(
			&l->slate, &l->playout, reason_now(l), l->since_ms, is_hopeful(l), wait_ms);
	fetcher_poll(l->intake.fetcher, fds, 5, wait_ms);
}

/* Nobody wants playlists any more, but the stream as it is. */
static void leave_encoder(struct live *l)
{
	l->since_ms = clock_mono_ms();
	l->admission.why = (struct fail){0};
	if (l->admission.fd < 0)
		return;
	stop_encoder(l);
	ring_clear(&l->ring);
	admission_drop(&l->admission);
	playout_forget(&l->playout);
	slate_end(&l->slate);
	log_info(
		"not_encoded", LOG_STR("channel", l->id), LOG_STR("why", "nobody wants playlists"));
}

/* Before there is room for the channel's playlists, its source is left alone, unless somebody wants
 * what that sends. */
static int step_source(struct live *l)
{
	outlet_step(&l->outlet, idle_ms(l));
	l->intake.spool = l->outlet.spool;
	if (l->outlet.lists)
		admission_step(&l->admission, l->conf, l->board, l->id);
	else
		leave_encoder(l);
	l->intake.encoded = l->admission.fd >= 0;
	if (!l->intake.encoded && !l->outlet.spool)
		return TICK_MS;
	admission_measure(&l->admission, l->encoder.child.pid);
	return intake_step(&l->intake, TICK_MS);
}

static enum verdict loop(struct live *l)
{
	enum verdict verdict;

	while ((verdict = judge(l)) == GO_ON) {
		int wait_ms = step_source(l);

		wait_for_something(l, wait_ms);
		step_encoder(l);
		if (l->outlet.lists)
			slate_step(
				&l->slate, &l->playout, reason_now(l), l->since_ms, is_hopeful(l));
		intake_tell(&l->intake, &l->playout.state);
		playout_save(&l->playout,
			l->admission.why.kind ? &l->admission.why : &l->intake.why, reason_now(l));
	}
	return verdict;
}

static void close_all(struct live *l)
{
	intake_release(&l->intake);
	outlet_close(&l->outlet);
	encoder_release(&l->encoder);
	fetcher_close(&l->intake.fetcher);
	ring_release(&l->ring);
	lease_drop(&l->lease);
	publish_close(&l->publisher);
	mc_close(&l->mc);
	close(l->signal_fd);
}

static void stop(struct live *l, enum verdict verdict)
{
	static const char *const words[] = {
		"-", "nobody watches", "asked to", "another host has it"};

	intake_stop(&l->intake);
	encoder_stop(&l->encoder);
	board_add(l->board, BOARD_LIVE_IDLE, verdict == STOP_IDLE);
	if (verdict == STOP_IDLE)
		playout_end(&l->playout);
	else if (verdict == STOP_LOST)
		playout_elsewhere(l->conf, &l->ladder, l->id, "");
	log_info("stopped", LOG_STR("channel", l->id), LOG_STR("why", words[verdict]));
}

static int work(struct live *l)
{
	struct mc_config mc = {l->conf->memcached_servers, l->conf->memcached_prefix,
		l->conf->memcached_user, l->conf->memcached_password};
	struct fail f = {0};

	if (mc_open(&l->mc, &mc, &f) < 0)
		log_warn("without_memcached", LOG_STR("why", f.text));
	mc_report(l->mc, l->board);
	switch (take_lease(l, &f)) {
	case LEASE_TAKEN:
		return 0;
	case LEASE_ERROR:
		break;
	case LEASE_MINE:
		admission_init(&l->admission, &l->ladder);
		if (open_all(l, &f) < 0)
			break;
		log_info(
			"started", LOG_STR("channel", l->id), LOG_STR("run", l->playout.state.run));
		stop(l, loop(l));
		return 0;
	}
	log_error("live_failed", LOG_STR("channel", l->id), LOG_STR("why", f.text));
	return 1;
}

int live_run(const struct conf *conf, const char *id, struct board *board)
{
	struct live *l = calloc(1, sizeof(*l));
	struct fail f = {0};
	int status = 1;

	if (!l)
		return 1;
	*l = (struct live){.conf = conf,
		.board = board,
		.id = id,
		.lock_fd = -1,
		.signal_fd = -1,
		.admission.fd = -1,
		.since_ms = clock_mono_ms(),
		.restart_wait_ms = RESTART_MS};
	encoder_init(&l->encoder);
	open_signals(l);
	live_path(conf, id, "seg", l->seg_dir);
	if (live_ladder(conf, id, &l->ladder, &f) == 0 && lock_channel(l, &f))
		status = work(l);
	else if (f.kind)
		log_error("live_failed", LOG_STR("channel", id), LOG_STR("why", f.text));
	else
		status = 0;
	close_all(l);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	free(l);
	return status;
}
