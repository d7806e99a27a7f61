/* fcgi-app/processes/live/intake.c - a channel's upstream: found, fetched, and fetched again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/intake.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"
#include "lib/svc/viewers.h"

enum {
	BACKOFF_MS = 300,
	BACKOFF_MAX_MS = 15000,
	BACKOFF_SOON_MS = 1000, /* the most while viewers still have something to play */
	SOON = 6,		/* attempts */
	YIELD_MS = 3000,	/* a pause so long is no reason to keep a connection */
	RETURN_MS = 1000,	/* one so long is cut short for a newcomer */
	WELL_MS = 4000,		/* media for so long ends a row of failures */
	SHORT_MS = 2000,	/* a stream that ends sooner had a dead token */
	ENTRY_MS = 10000,
	LOOK_MS = 20,	 /* between two looks for it */
	PAUSE_MS = 4000, /* no burst is so far from the next: what comes then begins anew */
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

/* While nothing is encoded the ring stays empty; an encoder that comes later begins at a picture,
 * if the source says where that is. */
static bool is_for_ring(struct intake *in, bool entry)
{
	int64_t now_ms = in->splice.now_ms;

	if (!in->encoded) {
		in->joining_ms = now_ms;
		in->giving_ms = 0;
	} else if (in->joining_ms && (entry || now_ms - in->joining_ms > ENTRY_MS)) {
		in->joining_ms = 0;
		in->zero_us = splice_given_us(&in->splice);
	}
	return !in->joining_ms;
}

/* Packets of another shape make no sense to a decoder of the one before. */
static void on_clean_packet(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	struct intake *in = ctx;

	if (in->spool)
		spool_put(in->spool, packet, entry);
	if (!is_for_ring(in, entry))
		return;
	if (!splice_shape_same(&in->packed, &in->splice.shape)) {
		if (in->packed.known)
			ring_clear(in->ring);
		in->packed = in->splice.shape;
	}
	ring_push(in->ring, packet, entry);
	if (!in->giving_ms || in->splice.now_ms - in->given_ms > PAUSE_MS)
		in->giving_ms = in->splice.now_ms;
	in->given_ms = in->splice.now_ms;
}

static void on_packet(void *ctx, const struct ts_packet *p)
{
	struct intake *in = ctx;

	splice_packet(&in->splice, &in->ts.program, p);
}

/* A connection has brought its first media. */
static void begin_flow(struct intake *in)
{
	in->flowing_ms = in->last_ms;
	in->lost = (struct fail){0};
	in->skipped_before = in->ts.skipped_bytes;
	supply_proven(&in->supply);
	log_info("flowing", LOG_STR("channel", in->id), LOG_STR("origin", in->supply.origin->name),
		LOG_STR("as", upstream_kind(in->upstream)),
		LOG_INT("ms", in->flowing_ms - in->began_ms));
}

static bool on_data(void *ctx, const void *bytes, size_t len)
{
	struct intake *in = ctx;
	int64_t packets = in->ts.packets;

	in->splice.now_ms = clock_mono_ms();
	ts_feed(&in->ts, bytes, len, on_packet, in);
	if (in->ts.packets > packets) {
		in->last_ms = clock_mono_ms();
		if (!in->flowing_ms && upstream_is_proven(in->upstream))
			begin_flow(in);
		say_why(in, &(struct fail){0});
	}
	if (in->ts.skipped_bytes - in->skipped_before < NO_MEDIA_BYTES)
		return true;
	in->skipped_before = in->ts.skipped_bytes;
	if (in->ts.packets > packets)
		return true;
	fail_set(&in->refused, FAIL_UPSTREAM, "The source sends something that is no MPEG-TS");
	supply_died(&in->supply, false);
	return false;
}

static void on_seam(void *ctx, enum seam seam)
{
	struct intake *in = ctx;

	in->splice.now_ms = clock_mono_ms();
	if (seam == SEAM_JOIN)
		splice_join(&in->splice);
	else
		splice_seam(&in->splice, seam == SEAM_DISCONTINUITY);
	ts_resync(&in->ts);
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

/* The next attempt comes soon again. */
static void hope(struct intake *in)
{
	in->in_vain = 0;
	in->backoff_ms = BACKOFF_MS;
}

/* 75 to 125 %, so that many channels of one gateway do not come back at once. */
static int64_t with_jitter(int64_t ms)
{
	unsigned char random;

	sign_random(&random, sizeof(random));
	return ms * 3 / 4 + ms * random / 510;
}

/* One that could not be expected to get anything tells nothing about the source. */
static void wait_longer(struct intake *in)
{
	int64_t most_ms = in->in_vain < SOON ? BACKOFF_SOON_MS : BACKOFF_MAX_MS;

	in->tried_ms = clock_real_ms();
	in->next_try_ms = clock_mono_ms() + with_jitter(in->backoff_ms);
	if (!in->hopeless) {
		in->backoff_ms = in->backoff_ms * 2 < most_ms ? in->backoff_ms * 2 : most_ms;
		in->in_vain++;
	}
	if (in->next_try_ms - clock_mono_ms() >= YIELD_MS)
		supply_release(&in->supply); /* another channel may need the connection meanwhile */
}

/* As long as something waits to be given there is nothing wrong for viewers. */
static void lose(struct intake *in, const struct fail *why)
{
	in->lost = *why;
	if (!in->upstream || !upstream_waits(in->upstream))
		say_why(in, why);
}

static void try_later(struct intake *in, const struct fail *why, bool was_well)
{
	if (was_well) {
		in->failures = 0;
		hope(in);
	} else {
		supply_failed(&in->supply, why);
	}
	lose(in, why);
	wait_longer(in);
	if (in->failures++ < 5 || in->failures % 20 == 0 || strcmp(why->text, in->told) != 0)
		log_warn("source_lost", LOG_STR("channel", in->id), LOG_STR("why", why->text),
			LOG_INT("in_a_row", in->failures));
	span_copy(span_of(why->text), in->told, sizeof(in->told));
}

/* After a cut in the middle the same token is as good as another. */
static void judge_token(struct intake *in, const struct upstream_end *how, int64_t flowed_ms)
{
	if (how->status) {
		if (is_token_death(how->status))
			supply_died(&in->supply, true);
	} else if (how->dead || flowed_ms < SHORT_MS || how->why.kind == FAIL_NONE ||
		   how->why.kind == FAIL_TIMEOUT) {
		supply_died(&in->supply, false);
	}
}

/* A token that was kept from earlier and has died meanwhile tells nothing about the source: another
 * one is on its way, and for viewers the channel is just beginning. */
static bool is_token_old(const struct intake *in, const struct upstream_end *how)
{
	const struct supply *s = &in->supply;

	return in->failures == 0 && is_token_death(how->status) && !s->token.direct &&
	       s->proven_ms != s->token.resolved_ms &&
	       token_replace_due(&s->token, clock_real_ms());
}

static void try_another_token(struct intake *in, const struct fail *why)
{
	in->failures++;
	wait_longer(in);
	log_info("token_old", LOG_STR("channel", in->id), LOG_STR("why", why->text));
}

static void on_end(void *ctx, const struct upstream_end *how)
{
	struct intake *in = ctx;
	int64_t now_ms = clock_mono_ms();
	int64_t flowed_ms = in->flowing_ms ? now_ms - in->flowing_ms : 0;
	struct fail why = how->why;
	bool is_old = !in->refused.kind && is_token_old(in, how);

	if (in->refused.kind) {
		why = in->refused;
	} else if (why.kind == FAIL_NONE) { /* live television does not end */
		fail_set(&why, FAIL_UPSTREAM, "The source ended the stream");
		row_add(in->row, SOURCE_FAILURES + (int)FAIL_UPSTREAM, 1);
	}
	if (!in->refused.kind)
		judge_token(in, how, flowed_ms);
	in->flowing_ms = in->giving_ms = 0;
	if (flowed_ms >= SHORT_MS)
		hope(in); /* viewers have got something from it */
	if (is_old)
		try_another_token(in, &why);
	else
		try_later(in, &why, flowed_ms >= WELL_MS);
}

static struct segments_feed feed_of(struct intake *in)
{
	return (struct segments_feed){{in, on_data, on_seam}, on_end};
}

/* What comes next is from another connection. */
static void join(struct intake *in)
{
	in->refused = (struct fail){0};
	in->began_ms = clock_mono_ms();
	in->flowing_ms = in->giving_ms = 0;
	in->skipped_before = in->ts.skipped_bytes;
	in->joined = in->supply.origin;
	in->hopeless = supply_is_dead(&in->supply);
}

static bool has_upstream(struct intake *in)
{
	const struct upstream_how how = {in->fetcher, in->id, in->height, in->conf->audio_language};
	const struct segments_feed feed = feed_of(in);

	if (!in->upstream)
		in->upstream = upstream_open(&how, &feed);
	return in->upstream != NULL;
}

static void connect_to(struct intake *in)
{
	const struct conf_source *source = in->supply.origin->source;
	struct fail f = {0};

	in->row = board_row(in->supply.env->board, ROW_SOURCE, source->name);
	if (!has_upstream(in)) {
		fail_set(&f, FAIL_INTERNAL, "There is no memory for the source");
		try_later(in, &f, false);
		return;
	}
	if (in->joined != in->supply.origin)
		upstream_forget(in->upstream);
	join(in);
	if (upstream_start(in->upstream, source, &in->supply.token, in->row, &f) < 0) {
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
	const struct segments_feed feed = feed_of(in);
	struct probe *p = &in->probe;

	upstream_stop(in->upstream);
	upstream_flush(in->upstream);
	upstream_close(&in->upstream);
	supply_change(&in->supply, p->origin, p->slot, &p->token);
	in->row = board_row(in->supply.env->board, ROW_SOURCE, p->origin->source->name);
	in->failures = 0;
	hope(in);
	join(in);
	in->upstream = probe_take(p, &feed);
	probe_give(p, &feed.to);
}

/* While media comes. */
static void keep(struct intake *in)
{
	int64_t now_ms = clock_mono_ms();
	struct fail f;

	if (!supply_keep(&in->supply)) {
		upstream_stop(in->upstream);
		fail_set(&f, FAIL_BUSY, "Another host has taken the account's connection");
		say_why(in, &f);
		return;
	}
	if (in->failures && in->flowing_ms && now_ms - in->flowing_ms >= WELL_MS) {
		supply_well(&in->supply);
		in->failures = 0;
		hope(in);
	}
	if (in->flowing_ms && in->supply.origins.count > 1 &&
		probe_step(&in->probe, in->fetcher, in->height))
		change_over(in);
}

static bool is_on(const struct intake *in)
{
	return in->upstream && upstream_is_on(in->upstream);
}

int intake_step(struct intake *in, int most_ms)
{
	int64_t now_ms = clock_mono_ms(), wait_ms;

	if (in->upstream)
		most_ms = upstream_step(in->upstream, most_ms);
	if (in->spool)
		spool_tell(in->spool);
	if (in->lost.kind && !(in->upstream && upstream_waits(in->upstream)))
		say_why(in, &in->lost);
	if (is_on(in)) {
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
		return is_on(in) ? most_ms : LOOK_MS;
	case SUPPLY_REFUSED:
		lose(in, &in->supply.why);
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
	upstream_close(&in->upstream);
	supply_release(&in->supply);
}

void intake_release(struct intake *in)
{
	intake_stop(in);
	splice_release(&in->splice);
}
