/* fcgi-app/processes/intake.c - a channel's upstream: found, fetched, and fetched again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/intake.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/io/conf.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"

enum {
	CONNECT_MS = 5000,
	STALL_MS = 6000,
	FOLLOW = 3, /* edges send viewers on to other edges */
	BACKOFF_MS = 300,
	BACKOFF_MAX_MS = 3000,
	BACKOFF_SOON_MS = 1000, /* the most while viewers still have something to play */
	SOON = 6,		/* attempts */
	WELL_MS = 4000,		/* media for so long ends a row of failures */
	SHORT_MS = 2000,	/* a stream that ends sooner had a dead token */
	ASK_AGAIN_MS = 1000,	/* for a token that has not come */
	LOOK_MS = 20,		/* between two looks for it */
	NO_MEDIA_BYTES = 65536
};

/* Answers with which an edge or its gateway says that the token, or its place, is gone. */
static bool is_token_death(int status)
{
	static const int dead[] = {401, 403, 404, 410, 451, 458, 509, 512, 513, 884};

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
			in->dead_ms = in->token.resolved_ms;
		return FETCH_STOP;
	}
	if (strncmp(head->content_type, "text/html", 9) == 0) {
		fail_set(&in->refused, FAIL_UPSTREAM, "The source sends a web page, not a stream");
		in->dead_ms = in->token.resolved_ms;
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
			log_info("flowing", LOG_STR("channel", in->id),
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
	in->dead_ms = in->token.resolved_ms;
	return FETCH_STOP;
}

bool intake_init(struct intake *in, const struct conf *conf, struct mc *mc, const char *id)
{
	*in = (struct intake){
		.conf = conf, .mc = mc, .id = id, .backoff_ms = BACKOFF_MS, .reason = LIVE_BEGINS};
	ts_init(&in->ts);
	return splice_init(&in->splice, conf->audio_language, on_clean_packet, in);
}

/* 75 to 125 %, so that many channels of one gateway do not come back at once. */
static int64_t with_jitter(int64_t ms)
{
	unsigned char random;

	sign_random(&random, sizeof(random));
	return ms * 3 / 4 + ms * random / 510;
}

static void try_later(struct intake *in, const struct fail *why, bool was_well)
{
	if (was_well) {
		in->failures = 0;
		in->backoff_ms = BACKOFF_MS;
	}
	say_why(in, why);
	in->next_try_ms = clock_mono_ms() + with_jitter(in->backoff_ms);
	in->backoff_ms *= 2;
	if (in->backoff_ms > (in->failures < SOON ? BACKOFF_SOON_MS : BACKOFF_MAX_MS))
		in->backoff_ms = in->failures < SOON ? BACKOFF_SOON_MS : BACKOFF_MAX_MS;
	if (in->failures++ < 5 || in->failures % 20 == 0)
		log_warn("source_lost", LOG_STR("channel", in->id), LOG_STR("why", why->text),
			LOG_INT("in_a_row", in->failures));
}

static void ask_token(struct intake *in, bool refresh, int64_t now_ms)
{
	if (in->asked_ms && now_ms - in->asked_ms < ASK_AGAIN_MS)
		return;
	in->asked_ms = now_ms;
	live_ask_token(in->conf, in->id, refresh);
}

/* Before a new one may be asked for, the old one may come back to life. */
static bool is_dead(const struct intake *in)
{
	return in->token.resolved_ms == in->dead_ms &&
	       token_refresh_due(&in->token, clock_real_ms());
}

static void on_done(void *ctx, const struct fail *f)
{
	struct intake *in = ctx;
	int64_t now_ms = clock_mono_ms();
	int64_t flowed_ms = in->flowing_ms ? now_ms - in->flowing_ms : 0;
	struct fail why = *f;

	in->transfer = NULL;
	if (in->refused.kind)
		why = in->refused;
	else if (why.kind == FAIL_NONE) /* live television does not end */
		fail_set(&why, FAIL_UPSTREAM, "The source ended the stream");
	if (!in->refused.kind && flowed_ms < SHORT_MS)
		in->dead_ms = in->token.resolved_ms;
	in->flowing_ms = in->giving_ms = 0;
	if (is_dead(in))
		ask_token(in, true, now_ms); /* it comes while we wait */
	try_later(in, &why, flowed_ms >= WELL_MS);
}

static void connect_to(struct intake *in)
{
	struct fetch_request rq = {
		.url = in->token.url,
		.policy = in->policy,
		.follow = FOLLOW,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.row = in->row,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.ctx = in,
	};
	struct fail f = {0};

	must(!in->transfer);
	ts_resync(&in->ts);
	in->splice.now_ms = clock_mono_ms();
	splice_join(&in->splice);
	in->refused = (struct fail){0};
	in->began_ms = clock_mono_ms();
	in->flowing_ms = in->giving_ms = 0;
	in->skipped_before = in->ts.skipped_bytes;
	if (fetcher_start(in->fetcher, &rq, &in->transfer, &f) < 0) {
		in->dead_ms = in->token.resolved_ms;
		try_later(in, &f, false);
	}
}

/* Whether there is an address to go to. */
static bool find_token(struct intake *in, int64_t now_ms)
{
	enum token_state state =
		token_look(in->conf, in->asked_ms ? NULL : in->mc, in->id, &in->token);

	if (state == TOKEN_NONE) {
		ask_token(in, false, now_ms);
		return false;
	}
	if (state == TOKEN_REFUSED) {
		if (in->token.why.kind != in->why.kind ||
			strcmp(in->token.why.text, in->why.text) != 0)
			log_warn("refused", LOG_STR("channel", in->id),
				LOG_STR("why", in->token.why.text));
		say_why(in, &in->token.why);
		return false; /* until it expires, when somebody asks again */
	}
	if (is_dead(in)) {
		ask_token(in, true, now_ms);
		return false;
	}
	return true;
}

int intake_step(struct intake *in, int most_ms)
{
	int64_t now_ms = clock_mono_ms(), wait_ms;

	if (in->transfer)
		return most_ms;
	wait_ms = in->next_try_ms - now_ms;
	if (wait_ms > BACKOFF_MAX_MS * 2) /* the clock went back */
		wait_ms = 0;
	if (wait_ms > 0)
		return wait_ms < most_ms ? (int)wait_ms : most_ms;
	if (!find_token(in, now_ms))
		return LOOK_MS < most_ms ? LOOK_MS : most_ms;
	in->asked_ms = 0;
	connect_to(in);
	return in->transfer ? most_ms : LOOK_MS;
}

void intake_stop(struct intake *in)
{
	transfer_stop(&in->transfer);
}

void intake_release(struct intake *in)
{
	intake_stop(in);
	splice_release(&in->splice);
}
