/* fcgi-app/processes/live/probe.c - whether an earlier origin is well again, while another plays.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/probe.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/svc/breaker.h"
#include "lib/svc/live.h"

enum {
	LOOK_MS = 2000,	  /* between two looks whether there is a better origin */
	AGAIN_MS = 10000, /* after an attempt that has failed */
	ASK_MS = 1000,
	TOKEN_MS = 12000, /* for a token */
	FLOW_MS = 2000,	  /* of media is enough */
	MEDIA_MS = 15000, /* until that has come */
	BYTES_MAX = 16 << 20
};

void probe_init(struct probe *p, struct supply *supply)
{
	*p = (struct probe){.supply = supply};
	buf_init(&p->bytes, BYTES_MAX);
}

static void give_up(struct probe *p, int64_t again_ms)
{
	upstream_close(&p->upstream);
	lease_drop(&p->slot);
	buf_release(&p->bytes);
	buf_init(&p->bytes, BYTES_MAX);
	p->seam_count = 0;
	p->origin = NULL;
	p->next_ms = clock_mono_ms() + again_ms;
}

void probe_pause(struct probe *p)
{
	if (p->origin)
		give_up(p, LOOK_MS);
}

void probe_stop(struct probe *p)
{
	probe_pause(p);
	buf_release(&p->bytes);
}

static void failed(struct probe *p, const struct fail *why)
{
	struct breaker_key key = {p->supply->conf, p->supply->mc, p->supply->id, p->origin->name};

	log_info("origin_not_back", LOG_STR("channel", p->supply->id),
		LOG_STR("origin", p->origin->name), LOG_STR("why", why->text));
	breaker_failed(&key, live_reason_of(why), why);
	give_up(p, AGAIN_MS);
}

/* --- the transfer ----------------------------------------------------------------------------- */

static void on_packet(void *ctx, const struct ts_packet *packet)
{
	(void)ctx;
	(void)packet;
}

static bool on_data(void *ctx, const void *bytes, size_t len)
{
	struct probe *p = ctx;

	ts_feed(&p->ts, bytes, len, on_packet, NULL);
	if (p->ts.packets && !p->flowing_ms)
		p->flowing_ms = clock_mono_ms();
	if (!buf_add(&p->bytes, bytes, len)) {
		fail_set(&p->why, FAIL_UPSTREAM, "The source sends too much at once");
		return false;
	}
	return true;
}

static void on_seam(void *ctx, enum seam seam)
{
	struct probe *p = ctx;

	if (p->seam_count == PROBE_SEAMS)
		return;
	p->seams[p->seam_count].at = p->bytes.len;
	p->seams[p->seam_count++].seam = seam;
}

static void on_end(void *ctx, const struct upstream_end *how)
{
	struct probe *p = ctx;

	if (!p->why.kind)
		p->why = how->why;
	if (!p->why.kind)
		fail_set(&p->why, FAIL_UPSTREAM, "The source ended the stream");
}

static void connect_to(struct probe *p)
{
	const struct conf_source *source = p->origin->source;
	const struct upstream_how how = {
		p->fetcher, p->supply->id, p->height, p->supply->conf->audio_language};
	const struct segments_feed feed = {{p, on_data, on_seam}, on_end};

	ts_init(&p->ts);
	p->why = (struct fail){0};
	p->flowing_ms = 0;
	p->seam_count = 0;
	p->began_ms = clock_mono_ms();
	p->upstream = upstream_open(&how, &feed);
	if (!p->upstream)
		fail_set(&p->why, FAIL_INTERNAL, "There is no memory for the source");
	else
		upstream_start(p->upstream, source, &p->token,
			board_row(p->supply->env->board, ROW_SOURCE, source->name), &p->why);
}

/* --- the steps -------------------------------------------------------------------------------- */

static void begin(struct probe *p, int64_t now_ms)
{
	const struct origin *o = supply_better(p->supply);
	struct fail f = {0};

	p->next_ms = now_ms + LOOK_MS;
	if (!o || slot_take(p->supply->env, o, p->supply->id, SLOT_READER, &p->slot, NULL, &f) !=
			  SLOT_MINE)
		return;
	p->origin = o;
	p->began_ms = now_ms;
	p->asked_ms = 0;
	p->token.resolved_ms = clock_real_ms();
	buf_clear(&p->bytes);
	p->why = (struct fail){0};
}

/* The resolver tries the origins in their order: what it finds now is ours, or it is not well. */
static void await_token(struct probe *p, int64_t now_ms)
{
	struct token t;
	enum token_state state = token_look(p->supply->conf, NULL, p->supply->id, &t);

	if (state == TOKEN_GOOD && strcmp(t.origin, p->origin->name) == 0) {
		p->token = t;
		connect_to(p);
	} else if (state != TOKEN_NONE && t.resolved_ms > p->token.resolved_ms) {
		give_up(p, AGAIN_MS); /* it has failed, and that was noted */
	} else if (now_ms - p->began_ms > TOKEN_MS) {
		give_up(p, AGAIN_MS);
	} else if (!p->asked_ms || now_ms - p->asked_ms >= ASK_MS) {
		p->asked_ms = now_ms;
		live_ask_token(p->supply->conf, p->supply->id, true);
	}
}

bool probe_step(struct probe *p, struct fetcher *fetcher, int height)
{
	int64_t now_ms = clock_mono_ms();

	p->fetcher = fetcher;
	p->height = height;
	if (p->upstream)
		upstream_step(p->upstream, 0);
	if (!p->origin) {
		if (now_ms >= p->next_ms || p->next_ms > now_ms + 2 * AGAIN_MS)
			begin(p, now_ms);
		return false;
	}
	if (p->slot && !lease_renew(p->slot)) {
		give_up(p, AGAIN_MS);
		return false;
	}
	if (p->why.kind) {
		failed(p, &p->why);
		return false;
	}
	if (!p->upstream) {
		await_token(p, now_ms);
		return false;
	}
	if (p->flowing_ms && now_ms - p->flowing_ms >= FLOW_MS && p->ts.program.known)
		return true;
	if (now_ms - p->began_ms > MEDIA_MS)
		fail_set(&p->why, FAIL_TIMEOUT, "The source sends no media");
	return false;
}

struct upstream *probe_take(struct probe *p, const struct segments_feed *feed)
{
	struct breaker_key key = {p->supply->conf, p->supply->mc, p->supply->id, p->origin->name};
	struct upstream *upstream = p->upstream;

	breaker_well(&key);
	p->upstream = NULL;
	p->slot = NULL;
	p->origin = NULL;
	p->next_ms = clock_mono_ms() + LOOK_MS;
	upstream_feed(upstream, feed);
	return upstream;
}

void probe_give(const struct probe *p, const struct reservoir_feed *to)
{
	size_t at = 0;

	for (size_t i = 0; i <= p->seam_count; i++) {
		size_t end = i < p->seam_count ? p->seams[i].at : p->bytes.len;

		if (end > at)
			to->on_data(to->ctx, p->bytes.ptr + at, end - at);
		if (i < p->seam_count)
			to->on_seam(to->ctx, p->seams[i].seam);
		at = end;
	}
}
