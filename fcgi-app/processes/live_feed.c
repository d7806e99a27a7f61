/* fcgi-app/processes/live_feed.c - the one connection to a channel's source, kept up.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/http/ident.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog.h"
#include "lib/svc/live.h"

enum {
	OUT_MAX = 6 * 1024 * 1024,
	OUT_KEEP = 2 * 1024 * 1024, /* of the newest, when the encoder does not keep up */
	CONNECT_MS = 5000,
	STALL_MS = 6000,
	PAUSE_MIN_MS = 300,
	PAUSE_MAX_MS = 3000,
	SHORT_MS = 2000, /* a stream that ended sooner had no good token */
	WELL_MS = 10000, /* one that lasted so long may be tried again at once */
	ASK_MS = 1000,	 /* between two questions for a token */
};

int feed_open(
	struct feed *d, const struct conf *conf, struct mc *mc, const char *id, struct fail *f)
{
	*d = (struct feed){.conf = conf, .mc = mc, .id = id, .pause_ms = PAUSE_MIN_MS};
	ts_init(&d->ts);
	buf_init(&d->out, OUT_MAX);
	return fetcher_open(&d->fetcher, f);
}

void feed_close(struct feed *d)
{
	transfer_stop(&d->transfer);
	fetcher_close(&d->fetcher);
	buf_release(&d->out);
}

/* The encoder stalls: the oldest whole packets go, but never the rest of one it has begun. */
static void drop_oldest(struct feed *d)
{
	size_t begun = d->out.len % TS_PACKET, drop = d->out.len - begun - OUT_KEEP;

	drop -= drop % TS_PACKET;
	memmove(d->out.ptr + begun, d->out.ptr + begun + drop, d->out.len - begun - drop);
	d->out.len -= drop;
	d->out.failed = false;
	log_warn("encoder_behind", LOG_STR("channel", d->id), LOG_INT("dropped_bytes", drop));
}

static void on_packet(void *ctx, const struct ts_packet *p)
{
	struct feed *d = ctx;

	if (d->out.len + TS_PACKET > OUT_MAX)
		drop_oldest(d);
	buf_add(&d->out, p->bytes, TS_PACKET);
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct feed *d = ctx;

	d->head_status = head->status;
	if (head->status != 200) {
		fail_set(&d->why, FAIL_UPSTREAM, "The source refuses the stream (status %d)",
			head->status);
		return FETCH_STOP;
	}
	if (span_starts(span_of(head->content_type), "text/")) {
		fail_set(&d->why, FAIL_UPSTREAM, "The source sends a page, not a stream");
		return FETCH_STOP;
	}
	return FETCH_GO_ON;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct feed *d = ctx;
	int64_t packets = d->ts.packets;

	ts_feed(&d->ts, bytes, len, on_packet, d);
	if (d->ts.packets > packets) {
		d->data_ms = clock_mono_ms();
		d->why.kind = FAIL_NONE;
	} else if (d->ts.skipped_bytes > OUT_MAX) {
		fail_set(&d->why, FAIL_UPSTREAM, "What the source sends is no transport stream");
		return FETCH_STOP;
	}
	return FETCH_GO_ON;
}

/* Half of the pause is fixed and half by chance, so that many channels do not come back as one. */
static void wait_before_retry(struct feed *d, int64_t lasted_ms)
{
	int64_t half;

	if (lasted_ms >= WELL_MS)
		d->pause_ms = PAUSE_MIN_MS;
	half = d->pause_ms / 2;
	d->retry_ms = clock_mono_ms() + half + random() % (half + 1);
	d->pause_ms = d->pause_ms * 2 < PAUSE_MAX_MS ? d->pause_ms * 2 : PAUSE_MAX_MS;
}

/* A live source has no end: whatever ended it, it is to be begun again. */
static void on_done(void *ctx, const struct fail *f)
{
	struct feed *d = ctx;
	int64_t lasted_ms = clock_mono_ms() - d->started_ms;
	bool played = d->data_ms >= d->started_ms;

	d->transfer = NULL;
	if (f->kind && f->kind != FAIL_GONE)
		d->why = *f;
	else if (!f->kind)
		fail_set(&d->why, FAIL_UPSTREAM, "The source ended the stream");
	d->stale_token = !played || lasted_ms < SHORT_MS || d->head_status != 200;
	d->stale_resolved_ms = d->token.resolved_ms;
	log_info("stream_ended", LOG_STR("channel", d->id), LOG_STR("why", d->why.text),
		LOG_INT("lasted_ms", lasted_ms), LOG_INT("status", d->head_status));
	ts_resync(&d->ts);
	wait_before_retry(d, played ? lasted_ms : 0);
}

static int find_policy(const struct feed *d, struct fetch_policy *policy, struct fail *f)
{
	const struct conf_source *source;
	struct ident ident;

	must(ident_parse(span_of(d->id), IDENT_LIVE, &ident));
	source = *ident.source		 ? conf_source(d->conf, ident.source)
		 : d->conf->source_count ? &d->conf->sources[0]
					 : NULL;
	if (!source)
		return fail_set(f, FAIL_MISSING, "The channel's source is no longer configured");
	*policy = (struct fetch_policy){source->allow, source->allow_count};
	return 0;
}

static void start(struct feed *d)
{
	struct fetch_request rq = {.url = d->token.url,
		.follow = 5,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.ctx = d};

	d->head_status = 0;
	d->started_ms = clock_mono_ms();
	if (find_policy(d, &rq.policy, &d->why) < 0 ||
		fetcher_start(d->fetcher, &rq, &d->transfer, &d->why) < 0) {
		d->stale_token = true;
		d->stale_resolved_ms = d->token.resolved_ms;
		wait_before_retry(d, 0);
	}
}

static void ask(struct feed *d, bool refresh)
{
	int64_t now_ms = clock_mono_ms();

	if (d->asked_ms && now_ms - d->asked_ms < ASK_MS)
		return;
	d->asked_ms = now_ms;
	live_ask_token(d->conf, d->id, refresh);
}

void feed_step(struct feed *d)
{
	enum token_state state;

	if (d->transfer || clock_mono_ms() < d->retry_ms)
		return;
	state = token_look(d->conf, d->mc, d->id, &d->token);
	if (state == TOKEN_REFUSED)
		d->why = d->token.why;
	if (state == TOKEN_GOOD &&
		(!d->stale_token || d->token.resolved_ms != d->stale_resolved_ms)) {
		d->stale_token = false;
		start(d);
		return;
	}
	ask(d, state == TOKEN_GOOD);
}

bool feed_drain(struct feed *d, int fd)
{
	while (d->out.len) {
		ssize_t n = write(fd, d->out.ptr, d->out.len < 65536 ? d->out.len : 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		buf_drop(&d->out, (size_t)n);
	}
	return true;
}
