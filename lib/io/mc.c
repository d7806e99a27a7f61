/* lib/io/mc.c - what all processes and hosts remember for a while: memcached.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/mc_link.h"
#include "lib/io/mc_server.h"
#include "lib/io/mc_servers.h"
#include "lib/io/mc_value.h"
#include "lib/io/sign.h"

enum {
	WIRE_MAX = 160,
	PREFIX_MAX = 64,
	FAMILY_MAX = 32,
	RELATIVE_MAX_S = 30 * 24 * 3600 /* above this memcached reads a time since the epoch */
};

struct mc {
	char prefix[PREFIX_MAX + 1];
	char *user, *password;
	struct mc_ring *ring; /* of several servers */
	struct mc_server *servers[MC_SERVERS_MAX];
	size_t count;
	struct board *board; /* counts what is asked; may be NULL */
};

/* One question on its way: what is asked, and where the value goes. */
struct call {
	struct mc_question question;
	struct mc_answer answer;
	const char *family_name;
	struct span family, key;
	struct buf *value; /* of get */
	char wire[WIRE_MAX];
};

static int check_config(const struct mc_config *config, const struct mc_server_name *names,
	size_t count, struct fail *f)
{
	struct span prefix = span_of(config->prefix);

	if (prefix.len > PREFIX_MAX)
		return fail_set(f, FAIL_INPUT, "memcached_prefix is longer than 64 bytes");
	for (size_t i = 0; i < prefix.len; i++) {
		if (prefix.ptr[i] <= ' ' || prefix.ptr[i] > '~')
			return fail_set(f, FAIL_INPUT,
				"memcached_prefix has a blank or something else that cannot be "
				"printed");
	}
	if (!*config->user)
		return *config->password ? fail_set(f, FAIL_INPUT,
						   "memcached_password needs memcached_user too")
					 : 0;
	if (!mc_link_has_users())
		return fail_set(f, FAIL_INPUT,
			"memcached_user is set, but this libmemcached was built without SASL");
	for (size_t i = 0; i < count; i++) {
		if (names[i].host[0] == '/')
			return fail_set(f, FAIL_INPUT,
				"memcached_user is set, but libmemcached sends no user to the "
				"socket %s",
				names[i].text);
	}
	return 0;
}

static bool open_servers(struct mc *mc, struct mc_server_name *names, size_t count)
{
	if (count > 1) {
		mc->ring = mc_ring_open();
		if (!mc->ring)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		/* By the name as written: an address may differ from host to host. */
		if (mc->ring && !mc_ring_add(mc->ring, names[i].host, names[i].port))
			return false;
		mc_servers_look_up(&names[i]);
		mc->servers[i] = mc_server_open(&names[i], mc->user, mc->password);
		if (!mc->servers[i])
			return false;
		mc->count++;
	}
	return true;
}

int mc_open(struct mc **out, const struct mc_config *config, struct fail *f)
{
	struct mc_server_name names[MC_SERVERS_MAX];
	struct mc *mc;
	size_t count;

	if (mc_servers_parse(config->servers, names, MC_SERVERS_MAX, &count, f) < 0 ||
		check_config(config, names, count, f) < 0)
		return -1;
	mc = calloc(1, sizeof(*mc));
	if (!mc)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for memcached");
	must(span_copy(span_of(config->prefix), mc->prefix, sizeof(mc->prefix)));
	mc->user = strdup(config->user);
	mc->password = strdup(config->password);
	if (!mc->user || !mc->password || !open_servers(mc, names, count)) {
		mc_close(&mc);
		return fail_set(f, FAIL_INTERNAL, "There is no memory for memcached");
	}
	*out = mc;
	return 0;
}

void mc_close(struct mc **mc)
{
	struct mc *m = *mc;

	if (!m)
		return;
	*mc = NULL;
	for (size_t i = 0; i < m->count; i++)
		mc_server_close(&m->servers[i]);
	mc_ring_close(&m->ring);
	free(m->user);
	free(m->password);
	free(m);
}

void mc_report(struct mc *mc, struct board *board)
{
	if (!mc)
		return;
	mc->board = board;
	for (size_t i = 0; i < mc->count; i++)
		mc_server_report(mc->servers[i], board);
}

/* Begins a call; what is not set is 0. False when nothing is kept under such a key. */
static bool begin(
	struct call *c, const struct mc *mc, enum mc_verb verb, const char *family, const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789:-";
	unsigned char sum[SIGN_SIZE];
	char hex[2 * SIGN_SIZE / 2 + 1];
	int len;

	memset(c, 0, offsetof(struct call, wire));
	c->question.verb = verb;
	c->family_name = family;
	c->family = span_of(family);
	c->key = span_of(key);
	must(c->family.len > 0 && c->family.len <= FAMILY_MAX);
	must(strspn(family, allowed) == c->family.len);
	if (c->key.len > MC_KEY_MAX)
		return false;
	sign_sha256(c->key, sum);
	num_print_hex(sum, SIGN_SIZE / 2, hex);
	len = snprintf(c->wire, sizeof(c->wire), "%s%s:%s", mc->prefix, family, hex);
	must(len > 0 && (size_t)len < sizeof(c->wire));
	c->question.key = span_make(c->wire, (size_t)len);
	return true;
}

/* A value that is ours and fits where it is wanted. */
static bool take_value(void *ctx, struct span raw)
{
	struct call *c = ctx;
	struct span payload;

	if (!mc_value_unpack(raw, c->family, c->key, &payload))
		return false;
	if (payload.len > c->value->max - c->value->len)
		return false;
	return buf_add(c->value, payload.ptr, payload.len);
}

/* What the call was, and how it went. Bytes are those on the wire, without the protocol's. */
static void count(const struct mc *mc, const struct call *c, enum mc_link_result result)
{
	struct row *row = board_row(mc->board, ROW_FAMILY, c->family_name);
	bool good = result == MC_LINK_OK;

	if (result == MC_LINK_BROKEN || result == MC_LINK_LATE) {
		row_add(row, FAMILY_AWAY, 1);
		return;
	}
	switch (c->question.verb) {
	case MC_VERB_GET:
		row_add(row, good ? FAMILY_HITS : FAMILY_MISSES, 1);
		row_add(row, FAMILY_BYTES_READ, good ? (int64_t)c->answer.value.len : 0);
		break;
	case MC_VERB_SET:
	case MC_VERB_ADD:
	case MC_VERB_CAS:
		row_add(row, good ? FAMILY_STORED : FAMILY_NOT_STORED, 1);
		row_add(row, FAMILY_BYTES_WRITTEN, good ? (int64_t)c->question.value.len : 0);
		break;
	case MC_VERB_DELETE:
		row_add(row, FAMILY_DELETED, good);
		break;
	case MC_VERB_INCR:
		row_add(row, FAMILY_COUNTED, good);
		break;
	case MC_VERB_STATS: /* is about a server, not about a family */
		break;
	}
}

static enum mc_link_result ask(struct mc *mc, struct call *c)
{
	size_t i = mc->ring ? mc_ring_pick(mc->ring, c->question.key) : 0;
	enum mc_link_result result;

	must(i < mc->count);
	result = mc_server_ask(
		mc->servers[i], &c->question, &c->answer, c->value ? take_value : NULL, c);
	count(mc, c, result);
	return result;
}

static enum mc_result result_of(enum mc_link_result result)
{
	switch (result) {
	case MC_LINK_OK:
		return MC_OK;
	case MC_LINK_MISS:
	case MC_LINK_FOREIGN:
		return MC_MISS;
	case MC_LINK_BROKEN:
	case MC_LINK_LATE:
		break;
	}
	return MC_AWAY;
}

size_t mc_count(const struct mc *mc)
{
	return mc ? mc->count : 0;
}

enum mc_result mc_get(
	struct mc *mc, const char *family, const char *key, struct buf *value, uint64_t *cas)
{
	enum mc_link_result result;
	struct call c;

	if (mc_count(mc) == 0)
		return MC_AWAY;
	if (!begin(&c, mc, MC_VERB_GET, family, key))
		return MC_MISS;
	c.value = value;
	result = ask(mc, &c);
	if (result == MC_LINK_OK && cas)
		*cas = c.answer.cas;
	return result_of(result);
}

/* How memcached wants a life to be told: up to 30 days, or the moment it ends. Its times have 32
 * bits, so what would end after 2038 lives 30 days. */
static int64_t expires(int64_t ttl_s)
{
	int64_t end_s;

	if (ttl_s <= RELATIVE_MAX_S)
		return ttl_s;
	if (!num_add(clock_real_ms() / 1000, ttl_s, &end_s) || end_s > INT32_MAX ||
		end_s <= RELATIVE_MAX_S)
		return RELATIVE_MAX_S;
	return end_s;
}

/* Sends what begin() began, with the value. */
static enum mc_result store(struct mc *mc, struct call *c, struct span value, int64_t ttl_s)
{
	enum mc_link_result result = MC_LINK_MISS;
	struct buf packed;

	c->question.expires_s = expires(ttl_s);
	buf_init(&packed, MC_VALUE_MAX);
	if (ttl_s > 0 && mc_value_pack(&packed, c->family, c->key, value)) {
		c->question.value = buf_span(&packed);
		result = ask(mc, c);
	}
	buf_release(&packed);
	return result_of(result);
}

enum mc_result mc_set(
	struct mc *mc, const char *family, const char *key, struct span value, int64_t ttl_s)
{
	struct call c;

	if (mc_count(mc) == 0)
		return MC_AWAY;
	return begin(&c, mc, MC_VERB_SET, family, key) ? store(mc, &c, value, ttl_s) : MC_MISS;
}

enum mc_result mc_add(
	struct mc *mc, const char *family, const char *key, struct span value, int64_t ttl_s)
{
	struct call c;

	if (mc_count(mc) == 0)
		return MC_AWAY;
	return begin(&c, mc, MC_VERB_ADD, family, key) ? store(mc, &c, value, ttl_s) : MC_MISS;
}

enum mc_result mc_cas(struct mc *mc, const char *family, const char *key, struct span value,
	int64_t ttl_s, uint64_t cas)
{
	struct call c;

	if (mc_count(mc) == 0)
		return MC_AWAY;
	/* 0 is no value's, and would mean "whatever is there" to memcached. */
	if (cas == 0 || !begin(&c, mc, MC_VERB_CAS, family, key))
		return MC_MISS;
	c.question.cas = cas;
	return store(mc, &c, value, ttl_s);
}

enum mc_result mc_delete(struct mc *mc, const char *family, const char *key)
{
	struct call c;

	if (mc_count(mc) == 0)
		return MC_AWAY;
	return begin(&c, mc, MC_VERB_DELETE, family, key) ? result_of(ask(mc, &c)) : MC_MISS;
}

enum mc_result mc_count_up(struct mc *mc, const char *family, const char *key, int64_t n,
	int64_t ttl_s, int64_t *count)
{
	/* Count on; else begin a window, unless somebody just did; then count on in that. */
	static const enum mc_verb steps[] = {MC_VERB_INCR, MC_VERB_ADD, MC_VERB_INCR};
	enum mc_link_result result = MC_LINK_MISS;
	char first[24];
	struct call c;

	must(n > 0 && n <= INT32_MAX);
	if (mc_count(mc) == 0)
		return MC_AWAY;
	if (ttl_s <= 0 || !begin(&c, mc, MC_VERB_INCR, family, key))
		return MC_MISS;
	snprintf(first, sizeof(first), "%lld", (long long)n);
	c.question.value = span_of(first);
	c.question.delta = (uint64_t)n;
	c.question.expires_s = expires(ttl_s);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && result == MC_LINK_MISS; i++) {
		c.question.verb = steps[i];
		result = ask(mc, &c);
	}
	if (result == MC_LINK_FOREIGN) {
		c.question.verb = MC_VERB_SET;
		result = ask(mc, &c);
	}
	if (result == MC_LINK_OK && c.question.verb == MC_VERB_INCR)
		*count = c.answer.count > INT64_MAX ? INT64_MAX : (int64_t)c.answer.count;
	else if (result == MC_LINK_OK)
		*count = n;
	return result_of(result);
}

size_t mc_state(struct mc *mc, struct mc_server_state *out)
{
	struct call c;

	if (mc_count(mc) == 0)
		return 0;
	must(begin(&c, mc, MC_VERB_GET, "state", ""));
	for (size_t i = 0; i < mc->count; i++) {
		mc_server_ask(mc->servers[i], &c.question, &c.answer, NULL, NULL);
		mc_server_state(mc->servers[i], &out[i]);
	}
	return mc->count;
}

void mc_state_of(struct mc *mc, size_t i, struct mc_server_state *out)
{
	must(i < mc_count(mc));
	mc_server_state(mc->servers[i], out);
}

enum mc_result mc_stats(struct mc *mc, size_t i, const char *what,
	void (*each)(void *ctx, struct span name, struct span value), void *ctx)
{
	struct mc_question question = {
		.verb = MC_VERB_STATS, .key = span_of(what), .stat = each, .ctx = ctx};
	struct mc_answer answer = {0};

	must(i < mc_count(mc));
	return result_of(mc_server_ask(mc->servers[i], &question, &answer, NULL, NULL));
}
