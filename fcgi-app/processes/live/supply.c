/* fcgi-app/processes/live/supply.c - an origin, one of its account's connections, a token.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/supply.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/svc/breaker.h"
#include "lib/svc/catalog.h"
#include "lib/svc/live.h"
#include "lib/svc/viewers.h"

enum {
	ASK_AGAIN_MS = 1000, /* for a token that has not come */
	SLOT_LOOK_MS = 250,  /* for a connection that is free */
	LEAVE_MS = 1000,     /* until a channel is asked again to give way */
	LIFE_LEAST_MS = 6000
};

int supply_open(struct supply *s, const struct conf *conf, const struct lease_env *env,
	const char *id, struct fail *f)
{
	struct catalog *catalog = NULL;
	int result = -1;

	*s = (struct supply){.conf = conf, .mc = env->mc, .env = env, .id = id};
	if (catalog_open(&catalog, conf, f) == 0)
		result = origins_find(&s->origins, conf, catalog, id, f);
	catalog_close(&catalog);
	return result;
}

void supply_release(struct supply *s)
{
	lease_drop(&s->slot);
	s->held = NULL;
}

static void say(struct supply *s, const struct fail *why)
{
	bool is_news =
		why->kind && (why->kind != s->why.kind || strcmp(why->text, s->why.text) != 0);

	s->why = *why;
	s->reason = live_reason_of(why);
	if (is_news)
		log_warn("refused", LOG_STR("channel", s->id),
			LOG_STR("reason", live_reason_name(s->reason)), LOG_STR("why", why->text));
}

/* --- the connection --------------------------------------------------------------------------- */

/* Asks the channels that hold the account's connections and have no viewer of their own any more to
 * end. */
static void ask_to_leave(struct supply *s, const struct slot_holders *holders, int64_t now_ms)
{
	struct viewer old[VIEWERS_MAX], new[VIEWERS_MAX];
	size_t count = viewers_read(s->conf, s->id, new);

	if (s->leave_ms && now_ms - s->leave_ms < LEAVE_MS && now_ms >= s->leave_ms)
		return;
	for (size_t i = 0; i < holders->count; i++) {
		size_t old_count = viewers_read(s->conf, holders->ids[i], old);
		struct ident holder;

		/* A film gives its connection up by itself, when nobody reads it for a while. */
		if (strcmp(holders->ids[i], s->id) == 0 ||
			!ident_parse(span_of(holders->ids[i]), IDENT_NONE, &holder) ||
			holder.kind != IDENT_LIVE ||
			!viewers_give_way(old, old_count, new, count, clock_real_ms()))
			continue;
		s->leave_ms = now_ms;
		log_info("takes_over", LOG_STR("channel", s->id), LOG_STR("from", holders->ids[i]));
		live_ask_leave(s->conf, holders->ids[i]);
		return;
	}
}

static bool is_barred(const struct supply *s, const struct origin *o)
{
	return breaker_bars(s->conf, s->mc, s->id, o);
}

static enum slot_result take_one(struct supply *s, const struct origin *o, int64_t now_ms)
{
	struct slot_holders holders;
	struct fail f = {0};
	enum slot_result result = slot_take(s->env, o, s->id, SLOT_READER, &s->slot, &holders, &f);

	if (result == SLOT_MINE)
		s->held = o;
	if (result == SLOT_ERROR)
		say(s, &f);
	if (result == SLOT_FULL)
		ask_to_leave(s, &holders, now_ms);
	return result;
}

/* One of the accounts has a connection for us: of an origin that is well, if there is one. */
static bool take_slot(struct supply *s, int64_t now_ms)
{
	const struct origin *order[ORIGINS_MAX], *full = NULL;
	struct fail f = {0};
	size_t count;

	if (s->held)
		return true;
	if (s->slot_ms > now_ms && s->slot_ms <= now_ms + SLOT_LOOK_MS)
		return false;
	s->slot_ms = now_ms + SLOT_LOOK_MS;
	count = breaker_order(s->conf, s->mc, s->id, &s->origins, order);
	for (size_t i = 0; i < count; i++) {
		enum slot_result result = take_one(s, order[i], now_ms);

		if (result == SLOT_MINE || result == SLOT_SHARED)
			return result == SLOT_MINE;
		full = !full && result == SLOT_FULL ? order[i] : full;
	}
	if (full) {
		fail_set(&f, FAIL_BUSY, SLOT_FULL_TEXT, full->name);
		say(s, &f);
	}
	return false;
}

/* The token is of another account than the one whose connection we hold. */
static bool change_slot(struct supply *s, const struct origin *o, int64_t now_ms)
{
	if (s->held->source == o->source && s->held->account == o->account)
		return true;
	supply_release(s);
	return take_one(s, o, now_ms) == SLOT_MINE;
}

/* --- the token -------------------------------------------------------------------------------- */

static void ask(struct supply *s, bool refresh, int64_t now_ms)
{
	if (s->asked_ms && now_ms - s->asked_ms < ASK_AGAIN_MS && now_ms >= s->asked_ms)
		return;
	s->asked_ms = now_ms;
	live_ask_token(s->conf, s->id, refresh);
}

static bool are_all_barred(const struct supply *s)
{
	for (size_t i = 0; i < s->origins.count; i++) {
		if (!is_barred(s, &s->origins.list[i]))
			return false;
	}
	return true;
}

static bool is_dead(const struct supply *s, const struct token *t)
{
	return t->resolved_ms == s->dead_ms && !t->direct;
}

bool supply_is_dead(const struct supply *s)
{
	return is_dead(s, &s->token);
}

/* Before a new one may be asked for, the old one may come back to life. */
static bool is_to_be_replaced(const struct supply *s, const struct token *t)
{
	return is_dead(s, t) && token_replace_due(t, clock_real_ms());
}

static void use(struct supply *s, const struct token *t, const struct origin *o)
{
	if (o != s->origin) {
		if (s->origin)
			log_warn("origin_changed", LOG_STR("channel", s->id),
				LOG_STR("from", s->origin->name), LOG_STR("to", o->name));
		s->origin_ms = clock_real_ms();
	}
	s->origin = o;
	s->token = *t;
	s->asked_ms = 0;
	say(s, &(struct fail){0});
}

/* A gateway's refusal holds for a while. One of our own, because no connection is free, is looked
 * at anew each time. */
static bool is_refused(const struct token *t, enum token_state state)
{
	return state == TOKEN_REFUSED && t->expires_ms - t->resolved_ms >= TOKEN_NEGATIVE_MS;
}

enum supply_answer supply_step(struct supply *s)
{
	int64_t now_ms = clock_mono_ms();
	const struct origin *o;
	struct token t;
	/* Other hosts are asked once we could connect, and not again while an answer is awaited. */
	struct mc *mc = s->held && !s->asked_ms ? s->mc : NULL;
	enum token_state state = token_look(s->conf, mc, s->id, &t);

	if (is_refused(&t, state)) {
		say(s, &t.why);
		supply_release(s);     /* others may have more luck with it */
		return SUPPLY_REFUSED; /* until it expires, when somebody asks again */
	}
	if (!take_slot(s, now_ms))
		return s->why.kind ? SUPPLY_REFUSED : SUPPLY_WAITS;
	if (state != TOKEN_GOOD) {
		ask(s, false, now_ms);
		return SUPPLY_WAITS;
	}
	o = origins_named(&s->origins, t.origin);
	if (!o || is_to_be_replaced(s, &t) ||
		(s->origins.count > 1 && is_barred(s, o) && !are_all_barred(s)) ||
		!change_slot(s, o, now_ms)) {
		ask(s, true, now_ms);
		return SUPPLY_WAITS;
	}
	use(s, &t, o);
	return SUPPLY_READY;
}

/* Three quarters of its life are over, as far as that is known. One that was asked for ahead of its
 * time is taken at the next connection; what flows now goes on. */
static void renew(struct supply *s, int64_t now_ms)
{
	int64_t life_ms = s->token.expires_ms - s->token.resolved_ms;
	int64_t age_ms = clock_real_ms() - s->token.resolved_ms;

	if (s->life_ms && s->life_ms < life_ms)
		life_ms = s->life_ms;
	if (s->token.direct || age_ms < life_ms / 4 * 3)
		return;
	if (now_ms - s->renewed_ms < TOKEN_REFRESH_MS && now_ms >= s->renewed_ms && s->renewed_ms)
		return;
	s->renewed_ms = now_ms;
	if (token_look(s->conf, NULL, s->id, &s->fresh) == TOKEN_GOOD &&
		s->fresh.resolved_ms > s->token.resolved_ms &&
		clock_real_ms() - s->fresh.resolved_ms < life_ms / 4 * 3)
		return;
	live_ask_token(s->conf, s->id, true);
}

bool supply_keep(struct supply *s)
{
	if (s->slot && !lease_renew(s->slot)) {
		supply_release(s);
		return false;
	}
	if (s->held && s->origin)
		renew(s, clock_mono_ms());
	return true;
}

void supply_proven(struct supply *s)
{
	s->proven_ms = s->token.resolved_ms;
}

void supply_died(struct supply *s, bool refused)
{
	int64_t age_ms = clock_real_ms() - s->token.resolved_ms;

	/* One that has never worked tells nothing about how long they live. */
	if (refused && s->proven_ms == s->token.resolved_ms && age_ms >= LIFE_LEAST_MS &&
		(!s->life_ms || age_ms < s->life_ms))
		s->life_ms = age_ms;
	s->dead_ms = s->token.resolved_ms;
	if (is_to_be_replaced(s, &s->token))
		ask(s, true, clock_mono_ms()); /* it comes while we wait */
}

/* --- the origin ------------------------------------------------------------------------------- */

void supply_failed(struct supply *s, const struct fail *why)
{
	struct breaker_key key = {s->conf, s->mc, s->id, s->origin ? s->origin->name : ""};

	if (s->origin)
		breaker_failed(&key, live_reason_of(why), why);
}

void supply_well(struct supply *s)
{
	struct breaker_key key = {s->conf, s->mc, s->id, s->origin ? s->origin->name : ""};

	if (s->origin)
		breaker_well(&key);
}

const struct origin *supply_better(const struct supply *s)
{
	for (size_t i = 0; s->origin && &s->origins.list[i] != s->origin; i++) {
		if (!is_barred(s, &s->origins.list[i]))
			return &s->origins.list[i];
	}
	return NULL;
}

void supply_change(
	struct supply *s, const struct origin *o, struct lease *slot, const struct token *token)
{
	supply_release(s);
	s->slot = slot;
	s->held = o;
	use(s, token, o);
	s->proven_ms = token->resolved_ms;
}
