/* lib/svc/token_resolve.c - a channel's origins are asked, in order, until one gives an address.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/token_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/http/expiry.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/breaker.h"
#include "lib/svc/catalog.h"
#include "lib/svc/slot.h"
#include "lib/svc/source.h"
#include "lib/svc/token.h"

enum { CONNECT_MS = 5000, TOTAL_MS = 15000 };

struct resolver {
	const struct conf *conf;
	struct mc *mc;
	const char *id;
	const struct lease_env *env;
	struct catalog *catalog;
	struct origins origins;
	struct token *t;
	struct token before; /* what was known so far; zeroed for nothing */
	struct fail why;     /* of the origin that is worth telling */
	bool asked;	     /* a gateway, and not only ourselves */
	bool spoke;	     /* the last one asked has said something about this channel */
};

/* What a gateway's refusal means. Limits have many numbers; all of them pass. */
static void refuse(struct resolver *r, int status, struct fail *why)
{
	static const int limits[] = {406, 429, 458, 459, 461, 462, 463, 509, 512, 513, 884};

	r->spoke = status < 500 || status > 504;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (status == limits[i]) {
			fail_set(why, FAIL_BUSY,
				"The account's limit of connections is reached (status %d)",
				status);
			return;
		}
	}
	if (status == 404)
		fail_set(why, FAIL_UPSTREAM, "The gateway does not know this channel (404)");
	else
		fail_set(
			why, FAIL_UPSTREAM, "The gateway refuses this channel (status %d)", status);
}

static const char *redirect(const char *url, const struct fetch_result *res, struct fail *why)
{
	const struct span to = span_of(res->redirect_url);

	if (!to.len)
		fail_set(why, FAIL_UPSTREAM, "The gateway redirects to nowhere");
	else if (span_is(to, url))
		fail_set(why, FAIL_UPSTREAM, "The gateway redirects to itself");
	else if (!span_starts(to, "http://") && !span_starts(to, "https://"))
		fail_set(why, FAIL_UPSTREAM,
			"The gateway redirects to what is neither http nor https");
	else
		return res->redirect_url;
	return NULL;
}

/* Reads the answer into r->t->url, or says what is wrong with it. */
static void read_answer(
	struct resolver *r, const char *url, const struct fetch_result *res, struct fail *why)
{
	int status = res->head.status;
	const char *to = NULL;

	if (status >= 300 && status < 400) {
		to = redirect(url, res, why);
	} else if (status != 200) {
		refuse(r, status, why);
	} else if (span_starts(span_of(res->content_type), "text/html")) {
		fail_set(why, FAIL_UPSTREAM, "The gateway sends a web page, not a stream");
	} else {
		r->t->direct = true;
		to = url;
	}
	if (to && !span_copy(span_of(to), r->t->url, sizeof(r->t->url)))
		fail_set(why, FAIL_UPSTREAM, "The gateway's address is too long");
}

static void ask_gateway(
	struct resolver *r, const struct conf_source *source, const char *url, struct fail *why)
{
	struct fetch_request rq = {.url = url,
		.policy = {source->allow, source->allow_count},
		.user_agent = *source->user_agent ? source->user_agent : NULL,
		.egress = *source->egress ? source->egress : NULL,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
		.row = board_row(r->env->board, ROW_SOURCE, source->name)};
	struct fetch_result *res = calloc(1, sizeof(*res));

	if (!res) {
		fail_set(why, FAIL_INTERNAL, "There is no memory to ask the gateway");
		return;
	}
	r->asked = true;
	r->spoke = false;
	if (fetch_get(&rq, true, res, why) == 0)
		read_answer(r, url, res, why);
	buf_release(&res->body);
	free(res);
}

/* A status is about this channel; silence and nonsense are about the source as a whole. */
static void note(struct resolver *r, const struct origin *o, const struct fail *why)
{
	struct breaker_key source = {r->conf, r->mc, NULL, o->source->name};
	struct breaker_key origin = {r->conf, r->mc, r->id, o->name};
	struct breaker b;

	if (!why->kind) {
		breaker_look(&source, &b);
		if (b.failures)
			breaker_well(&source);
		return;
	}
	if (!r->spoke)
		breaker_failed(&source, live_reason_of(why), why);
	breaker_failed(&origin, live_reason_of(why), why);
}

/* A stream that is being read is not opened a second time to see whether it is there. */
static bool is_known(struct resolver *r, const struct origin *o)
{
	if (!r->before.direct || strcmp(r->before.origin, o->name) != 0)
		return false;
	r->t->direct = true;
	return span_copy(span_of(r->before.url), r->t->url, sizeof(r->t->url));
}

/* A list says itself where its channels play: nobody needs to be asked. */
static void look_up(struct resolver *r, const struct origin *o, struct fail *why)
{
	struct channel_entry entry = {o->source->name, o->key, o->entry};
	struct channel_address *a = malloc(sizeof(*a));

	if (!a) {
		fail_set(why, FAIL_INTERNAL, "There is no memory for the channel's address");
	} else if (catalog_address(r->catalog, &entry, a, why) == 0) {
		r->t->direct = span_copy(span_of(a->url), r->t->url, sizeof(r->t->url));
		span_copy(span_of(a->agent), r->t->agent, sizeof(r->t->agent));
		span_copy(span_of(a->referrer), r->t->referrer, sizeof(r->t->referrer));
	}
	free(a);
}

/* True when it gave an address. */
static bool try_origin(struct resolver *r, const struct origin *o)
{
	struct fail why = {0};
	struct lease *slot = NULL;
	struct buf url;

	buf_init(&url, TOKEN_URL_BYTES - 1);
	switch (slot_take(r->env, o, r->id, SLOT_RESOLVER, &slot, NULL, &why)) {
	case SLOT_FULL:
		fail_set(&why, FAIL_BUSY, SLOT_FULL_TEXT, o->name);
		break;
	case SLOT_ERROR:
		break;
	case SLOT_SHARED:
		if (is_known(r, o))
			break;
		/* fall through */
	case SLOT_MINE:
		if (source_is_list(o->source))
			look_up(r, o, &why);
		else if (source_live_url(o->source, o->account, o->key, &url, &why) == 0) {
			ask_gateway(r, o->source, buf_str(&url), &why);
			note(r, o, &why);
		}
	}
	lease_drop(&slot);
	buf_release(&url);
	if (!why.kind) {
		span_copy(span_of(o->name), r->t->origin, sizeof(r->t->origin));
		if (!*r->t->agent)
			span_copy(span_of(o->source->user_agent), r->t->agent, sizeof(r->t->agent));
		return true;
	}
	log_debug("origin_refused", LOG_STR("channel", r->id), LOG_STR("origin", o->name),
		LOG_STR("why", why.text));
	if (!r->why.kind || (why.kind == FAIL_BUSY && r->why.kind != FAIL_BUSY))
		r->why = why;
	return false;
}

static bool try_all(struct resolver *r)
{
	const struct origin *order[ORIGINS_MAX];
	size_t count = breaker_order(r->conf, r->mc, r->id, &r->origins, order);

	for (size_t i = 0; i < count; i++) {
		if (try_origin(r, order[i]))
			return true;
	}
	return false;
}

/* Until when the answer is good. */
static void set_life(struct resolver *r)
{
	int64_t now_ms = clock_real_ms(), own_ms = 0;
	struct token *t = r->t;

	t->resolved_ms = now_ms;
	t->before_ms = r->before.resolved_ms;
	if (t->why.kind) {
		t->expires_ms =
			now_ms + (r->asked ? token_refusal_ms(&r->before, now_ms) : TOKEN_FULL_MS);
		return;
	}
	t->expires_ms = now_ms + r->conf->live_token_ttl_s * 1000;
	own_ms = expiry_of_url(
		span_of(t->url)); /* one that is over already is no end: clocks differ */
	if (own_ms > now_ms && own_ms < t->expires_ms)
		t->expires_ms = own_ms;
}

void token_resolve(
	const struct conf *conf, const struct lease_env *env, const char *id, struct token *t)
{
	struct resolver *r = calloc(1, sizeof(*r));
	if (r)
		r->before = *t;
	*t = (struct token){.resolved_ms = clock_real_ms()};
	if (!r) {
		fail_set(&t->why, FAIL_INTERNAL, "There is no memory to ask the gateway");
		t->expires_ms = t->resolved_ms + TOKEN_NEGATIVE_MS;
		return;
	}
	r->conf = conf;
	r->mc = env->mc;
	r->id = id;
	r->t = t;
	r->env = env;
	if (catalog_open(&r->catalog, conf, &r->why) == 0 &&
		origins_find(&r->origins, conf, r->catalog, id, &r->why) == 0)
		try_all(r);
	catalog_close(&r->catalog);
	if (!*t->url)
		t->why = r->why;
	set_life(r);
	free(r);
}
