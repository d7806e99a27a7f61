/* fcgi-app/processes/intake.c - a channel's upstream: found, fetched, and fetched again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/intake.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"
#include "lib/svc/viewers.h"

enum {
	CONNECT_MS = 5000,
	STALL_MS = 6000,
	FOLLOW = 3, /* edges send viewers on to other edges */
	BACKOFF_MS = 300,
	BACKOFF_MAX_MS = 15000,
	BACKOFF_SOON_MS = 1000, /* the most while viewers still have something to play */
	SOON = 6,		/* attempts */
	YIELD_MS = 3000,	/* a pause so long is no reason to keep a connection */
	RETURN_MS = 1000,	/* one so long is cut short for a newcomer */
	WELL_MS = 4000,		/* media for so long ends a row of failures */
	SHORT_MS = 2000,	/* a stream that ends sooner had a dead token */
	LOOK_MS = 20,		/* between two looks for it */
	NO_MEDIA_BYTES = 65536
};

/* Answers with which an edge or its gateway says that the token, or its place, is gone. */
static bool is_token_death(int status)
{
	static const int dead[] = {
		401, 403, 404, 406, 410, 429, 451, 458, 459, 461, 462, 463, 509, 512, 513, 884};

	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		if (status == dead[i])
			return true;
	}
	return false;
}

static void say_why(struct intake *in, const struct fail *why)
{
	in->why = *why;
	in->reason = live_reason_of(why);
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct intake *in = ctx;

	if (head->status != 200 && head->status != 206) {
		fail_set(&in->refused, FAIL_UPSTREAM, "The source answers with status %d",
			head->status);
		if (is_token_death(head->status))
			supply_died(&in->supply, true);
		return FETCH_STOP;
	}
	if (strncmp(head->content_type, "text/html", 9) == 0) {
		fail_set(&in->refused, FAIL_UPSTREAM, "The source sends a web page, not a stream");
		supply_died(&in->supply, false);
		return FETCH_STOP;
	}
	return FETCH_GO_ON;
}

/* Packets of another shape make no sense to a decoder of the one before. */
static void on_clean_packet(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	struct intake *in = ctx;

	if (!splice_shape_same(&in->packed, &in->splice.shape)) {
		if (in->packed.known)
			ring_clear(in->ring);
		in->packed = in->splice.shape;
	}
	ring_push(in->ring, packet, entry);
	in->given_ms = in->splice.now_ms;
	if (!in->giving_ms)
		in->giving_ms = in->given_ms;
}

static void on_packet(void *ctx, const struct ts_packet *p)
{
	struct intake *in = ctx;

	splice_packet(&in->splice, &in->ts.program, p);
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct intake *in = ctx;
	int64_t packets = in->ts.packets;

	in->splice.now_ms = clock_mono_ms();
	ts_feed(&in->ts, bytes, len, on_packet, in);
	if (in->ts.packets > packets) {
		in->last_ms = clock_mono_ms();
		if (!in->flowing_ms) {
			in->flowing_ms = in->last_ms;
			in->skipped_before = in->ts.skipped_bytes;
			supply_proven(&in->supply);
			log_info("flowing", LOG_STR("channel", in->id),
				LOG_STR("origin", in->supply.origin->name),
				LOG_INT("ms", in->flowing_ms - in->began_ms));
		}
		say_why(in, &(struct fail){0});
	}
	if (in->ts.skipped_bytes - in->skipped_before < NO_MEDIA_BYTES)
		return FETCH_GO_ON;
	in->skipped_before = in->ts.skipped_bytes;
	if (in->ts.packets > packets)
		return FETCH_GO_ON;
	fail_set(&in->refused, FAIL_UPSTREAM, "The source sends something that is no MPEG-TS");
	supply_died(&in->supply, false);
	return FETCH_STOP;
}

int intake_open(struct intake *in, const struct conf *conf, const struct lease_env *env,
	const char *id, struct fail *f)
{
	*in = (struct intake){
		.conf = conf, .id = id, .backoff_ms = BACKOFF_MS, .reason = LIVE_BEGINS};
	ts_init(&in->ts);
	if (!splice_init(&in->splice, conf->audio_language, on_clean_packet, in))
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the channel");
	probe_init(&in->probe, &in->supply);
	return supply_open(&in->supply, conf, env, id, f);
}

/* 75 to 125 %, so that many channels of one gateway do not come back at once. */
static int64_t with_jitter(int64_t ms)
{
	unsigned char random;

	sign_random(&random, sizeof(random));
	return ms * 3 / 4 + ms * random / 510;
}

static void wait_longer(struct intake *in)
{
	in->tried_ms = clock_real_ms();
	in->next_try_ms = clock_mono_ms() + with_jitter(in->backoff_ms);
	in->backoff_ms *= 2;
	if (in->backoff_ms > (in->failures < SOON ? BACKOFF_SOON_MS : BACKOFF_MAX_MS))
		in->backoff_ms = in->failures < SOON ? BACKOFF_SOON_MS : BACKOFF_MAX_MS;
	if (in->next_try_ms - clock_mono_ms() >= YIELD_MS)
		supply_release(&in->supply); /* another channel may need the connection meanwhile */
}

static void try_later(struct intake *in, const struct fail *why, bool was_well)
{
	if (was_well) {
		in->failures = 0;
		in->backoff_ms = BACKOFF_MS;
	} else {
		supply_failed(&in->supply, why);
	}
	say_why(in, why);
	wait_longer(in);
	if (in->failures++ < 5 || in->failures % 20 == 0)
		log_warn("source_lost", LOG_STR("channel", in->id), LOG_STR("why", why->text),
			LOG_INT("in_a_row", in->failures));
}

static void on_done(void *ctx, const struct fail *f)
{
	struct intake *in = ctx;
	int64_t now_ms = clock_mono_ms();
	int64_t flowed_ms = in->flowing_ms ? now_ms - in->flowing_ms : 0;
	struct fail why = *f;

	in->transfer = NULL;
	if (in->refused.kind) {
		why = in->refused;
	} else if (why.kind == FAIL_NONE) { /* live television does not end */
		fail_set(&why, FAIL_UPSTREAM, "The source ended the stream");
		row_add(in->row, SOURCE_FAILURES + (int)FAIL_UPSTREAM, 1);
	}
	/* After a cut in the middle the same token is as good as another. */
	if (!in->refused.kind &&
		(flowed_ms < SHORT_MS || f->kind == FAIL_NONE || f->kind == FAIL_TIMEOUT))
		supply_died(&in->supply, false);
	in->flowing_ms = in->giving_ms = 0;
	try_later(in, &why, flowed_ms >= WELL_MS);
}

/* What comes next is from another connection. */
static void join(struct intake *in)
{
	ts_resync(&in->ts);
	in->splice.now_ms = clock_mono_ms();
	splice_join(&in->splice);
	in->refused = (struct fail){0};
	in->began_ms = clock_mono_ms();
	in->flowing_ms = in->giving_ms = 0;
	in->skipped_before = in->ts.skipped_bytes;
}

static void connect_to(struct intake *in)
{
	const struct conf_source *source = in->supply.origin->source;
	const struct token *token = &in->supply.token;
	struct fetch_request rq = {
		.url = token->url,
		.policy = {source->allow, source->allow_count},
		.user_agent = *token->agent ? token->agent : NULL,
		.referrer = *token->referrer ? token->referrer : NULL,
		.follow = FOLLOW,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.ctx = in,
	};
	struct fail f = {0};

	must(!in->transfer);
	rq.row = in->row = board_row(in->supply.env->board, ROW_SOURCE, source->name);
	join(in);
	if (fetcher_start(in->fetcher, &rq, &in->transfer, &f) < 0) {
		supply_died(&in->supply, false);
		try_later(in, &f, false);
	}
}

/* Somebody has begun to watch since the last attempt: for them it is the first. */
static bool has_newcomer(const struct intake *in)
{
	struct viewer viewers[VIEWERS_MAX];
	size_t count = viewers_read(in->conf, in->id, viewers);

	for (size_t i = 0; i < count; i++) {
		if (viewers[i].since_ms > in->tried_ms)
			return true;
	}
	return false;
}

/* The origin that comes first is well again: its connection goes on where this one ends. */
static void change_over(struct intake *in)
{
	struct probe *p = &in->probe;
	const struct probe_feed feed = {NULL, in, on_data, on_done};

	transfer_stop(&in->transfer);
	supply_change(&in->supply, p->origin, p->slot, &p->token);
	in->row = board_row(in->supply.env->board, ROW_SOURCE, p->origin->source->name);
	in->failures = 0;
	in->backoff_ms = BACKOFF_MS;
	join(in);
	in->transfer = probe_take(p, &feed);
	on_data(in, p->bytes.ptr, p->bytes.len);
}

/* While media comes. */
static void keep(struct intake *in)
{
	int64_t now_ms = clock_mono_ms();
	struct fail f;

	if (!supply_keep(&in->supply)) {
		transfer_stop(&in->transfer);
		fail_set(&f, FAIL_BUSY, "Another host has taken the account's connection");
		say_why(in, &f);
		return;
	}
	if (in->failures && in->flowing_ms && now_ms - in->flowing_ms >= WELL_MS) {
		supply_well(&in->supply);
		in->failures = 0;
		in->backoff_ms = BACKOFF_MS;
	}
	if (in->flowing_ms && in->supply.origins.count > 1 && probe_step(&in->probe, in->fetcher))
		change_over(in);
}

int intake_step(struct intake *in, int most_ms)
{
	int64_t now_ms = clock_mono_ms(), wait_ms;

	if (in->transfer) {
		keep(in);
		return most_ms;
	}
	wait_ms = in->next_try_ms - now_ms;
	if (wait_ms > BACKOFF_MAX_MS * 2) /* the clock went back */
		wait_ms = 0;
	if (wait_ms > 0 && !(wait_ms > RETURN_MS && has_newcomer(in)))
		return wait_ms < most_ms ? (int)wait_ms : most_ms;
	probe_pause(&in->probe);
	switch (supply_step(&in->supply)) {
	case SUPPLY_READY:
		connect_to(in);
		return in->transfer ? most_ms : LOOK_MS;
	case SUPPLY_REFUSED:
		in->why = in->supply.why;
		in->reason = in->supply.reason;
		break;
	case SUPPLY_WAITS:
		break;
	}
	return LOOK_MS < most_ms ? LOOK_MS : most_ms;
}

void intake_tell(const struct intake *in, struct live_state *s)
{
	if (!in->supply.origin)
		return;
	memcpy(s->origin, in->supply.origin->name, sizeof(s->origin));
	s->origin_ms = in->supply.origin_ms;
}

void intake_stop(struct intake *in)
{
	probe_stop(&in->probe);
	transfer_stop(&in->transfer);
	supply_release(&in->supply);
}

void intake_release(struct intake *in)
{
	intake_stop(in);
	splice_release(&in->splice);
}
