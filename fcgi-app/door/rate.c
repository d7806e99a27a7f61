/* fcgi-app/door/rate.c - how often a client may ask.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/rate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/http/forwarded.h"
#include "lib/io/conf.h"
#include "lib/io/mc.h"

enum {
	WINDOW_S = 60,
	LIFE_S = 2 * WINDOW_S, /* of a counter: clocks of hosts may differ */
	STEPS = 64,	       /* a limit above it is counted in so many steps */
	CLIENTS = 1024,	       /* that are remembered between two steps */
	VALUES_MAX = 16,       /* of a header that came more than once */
	KEY_BYTES = 80,
	PROGRAM_KEY_BYTES = 200 /* an id is shorter */
};

enum family {
	FAMILY_NONE,
	FAMILY_API,
	FAMILY_REFRESH,
	FAMILY_INFO,
	FAMILY_DOWNLOAD,
	FAMILY_PROGRAM,
	FAMILIES
};

static const char *const names[FAMILIES] = {
	"none", "api", "refresh", "info", "download", "program"};

/* A client between two steps of a family that is counted in steps. */
struct client {
	struct cidr_address address;
	int64_t window;
	int64_t counted; /* by all, as far as is known */
	int64_t more;	 /* by this process since */
};

struct rate {
	struct mc *mc;
	enum forwarded_field field;
	struct cidr trusted[CONF_PROXIES_MAX];
	size_t trusted_count;
	int64_t limit[FAMILIES]; /* 0: none */
	pthread_mutex_t lock;	 /* guards what follows; nothing is taken under it */
	struct client client[CLIENTS];
};

/* The limit in force: never less than one, where there is one. */
static int64_t effective(const struct conf *conf, int64_t limit)
{
	int64_t scaled;

	if (!limit || !num_mul(limit, conf->rate_factor, &scaled))
		return limit;
	return scaled < 1000 ? 1 : scaled / 1000;
}

static int read_trusted(struct rate *r, const char *text, struct fail *f)
{
	struct span rest = span_of(text), word;

	while (span_next(&rest, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (r->trusted_count == CONF_PROXIES_MAX ||
			!cidr_parse(word, &r->trusted[r->trusted_count]))
			return fail_set(f, FAIL_INPUT, "trusted_proxies cannot be read");
		r->trusted_count++;
	}
	return 0;
}

int rate_open(struct rate **out, const struct conf *conf, struct mc *mc, struct fail *f)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (!r)
		return fail_set(f, FAIL_INTERNAL, "There is no memory to count clients");
	r->mc = mc;
	r->field = conf->proxy_field == PROXY_FORWARDED ? FORWARDED_RFC : FORWARDED_X_FOR;
	r->limit[FAMILY_API] = effective(conf, conf->rate_api);
	r->limit[FAMILY_REFRESH] = effective(conf, conf->rate_refresh);
	r->limit[FAMILY_INFO] = effective(conf, conf->rate_video_info);
	r->limit[FAMILY_DOWNLOAD] = effective(conf, conf->rate_download);
	r->limit[FAMILY_PROGRAM] = effective(conf, conf->rate_resolve);
	if (read_trusted(r, conf->trusted_proxies, f) < 0) {
		free(r);
		return -1;
	}
	must(pthread_mutex_init(&r->lock, NULL) == 0);
	*out = r;
	return 0;
}

void rate_close(struct rate **r)
{
	if (!*r)
		return;
	pthread_mutex_destroy(&(*r)->lock);
	free(*r);
	*r = NULL;
}

/* Media is as much as a viewer watches; orchestrators ask as they were told. */
static enum family family_of(const struct route *route)
{
	static const struct {
		const char *pattern;
		enum method method;
		enum family family;
	} others[] = {
		{"/api/video-info", METHOD_POST, FAMILY_INFO},
		{"/api/download", METHOD_POST, FAMILY_DOWNLOAD},
		{"/api/live/{id}/refresh", METHOD_GET, FAMILY_REFRESH},
		{"/api/hls/{id}/master.m3u8", METHOD_GET, FAMILY_NONE},
		{"/api/hls/{id}/{rendition}.m3u8", METHOD_GET, FAMILY_NONE},
		{"/health", METHOD_GET, FAMILY_NONE},
		{"/health/live", METHOD_GET, FAMILY_NONE},
		{"/health/ready", METHOD_GET, FAMILY_NONE},
		{"/metrics", METHOD_GET, FAMILY_NONE},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (route->method == others[i].method &&
			strcmp(route->pattern, others[i].pattern) == 0)
			return others[i].family;
	}
	return route->pool == POOL_RELAY ? FAMILY_NONE : FAMILY_API;
}

/* Of all front servers nginx alone tells fields of one name one by one. From the others a second
 * one is another spelling, "X_Forwarded_For", which proxies pass as it is, and stands anywhere. */
static bool is_doubtful(const struct request *rq, size_t count)
{
	const char *dialect = fcgi_param(rq->x, "SLUICE_SEND_FILE");

	return count > 1 && (!dialect || strcasecmp(dialect, "X-Accel-Redirect") != 0);
}

/* 1, or 0 where nobody says who asks. */
static int find_client(
	const struct rate *r, struct request *rq, struct cidr_address *out, struct fail *f)
{
	const char *name = r->field == FORWARDED_RFC ? "HTTP_FORWARDED" : "HTTP_X_FORWARDED_FOR";
	const char *values[VALUES_MAX], *value, *remote = fcgi_param(rq->x, "REMOTE_ADDR");
	size_t count = 0, n;

	for (n = 0; (value = fcgi_param_again(rq->x, name, n)); n++)
		;
	if (is_doubtful(rq, n))
		return fail_set(f, FAIL_INPUT, "The header that names the client came twice");
	/* The last ones are those that count. */
	for (n = n > VALUES_MAX ? n - VALUES_MAX : 0; count < VALUES_MAX; n++) {
		value = fcgi_param_again(rq->x, name, n);
		if (!value)
			break;
		values[count++] = value;
	}
	if (!remote || !forwarded_client(
			       remote, r->field, values, count, r->trusted, r->trusted_count, out))
		return 0;
	*out = forwarded_counted(out);
	return 1;
}

static bool is_here(const struct cidr_address *a)
{
	static const struct cidr_address v6 = {{0}};
	static const unsigned char v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};

	/* ::1 is counted by its first half. */
	return memcmp(a->bytes, v4, sizeof(v4)) == 0 || memcmp(a, &v6, sizeof(v6)) == 0;
}

/* FNV-1a. */
static uint64_t hash_of(const struct cidr_address *client)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < sizeof(client->bytes); i++)
		hash = (hash ^ client->bytes[i]) * 1099511628211u;
	return hash;
}

uint64_t rate_client(const struct rate *r, struct request *rq)
{
	struct cidr_address client;
	struct fail ignored;
	int found = find_client(r, rq, &client, &ignored);

	if (found < 0)
		return 1;
	return found == 0 || is_here(&client) ? 0 : hash_of(&client) | 2;
}

/* Adds `n` in memcached; -1 when it does not answer. */
static int64_t count_up(struct rate *r, enum family family, const struct cidr_address *client,
	int64_t window, int64_t n)
{
	char key[KEY_BYTES], hex[2 * sizeof(client->bytes) + 1];
	int64_t count;

	num_print_hex(client->bytes, sizeof(client->bytes), hex);
	snprintf(key, sizeof(key), "%s %s %lld", names[family], hex, (long long)window);
	if (mc_count_up(r->mc, "rate", key, n, LIFE_S, &count) != MC_OK)
		return -1;
	return count;
}

static struct client *slot_of(struct rate *r, const struct cidr_address *client)
{
	return &r->client[hash_of(client) % CLIENTS];
}

/* As count_up(), but memcached hears of it in steps alone: most requests are short, and so is what
 * they may cost. Those who come to share a place with another are counted one by one: neither may
 * have the other forgotten. */
static int64_t count_step(struct rate *r, const struct cidr_address *client, int64_t window)
{
	int64_t step = r->limit[FAMILY_API] / STEPS + 1, due = 0, count;
	struct client *c = slot_of(r, client), other = {.window = -1};

	pthread_mutex_lock(&r->lock);
	if (memcmp(&c->address, client, sizeof(*client)) != 0 || c->window != window) {
		other = *c;
		*c = (struct client){*client, window, 0, 0};
	}
	if (++c->more >= step || other.window == window) {
		due = c->more;
		c->more = 0;
	}
	count = c->counted + c->more + due;
	pthread_mutex_unlock(&r->lock);
	if (other.window == window && other.more)
		count_up(r, FAMILY_API, &other.address, window, other.more);
	if (!due)
		return count;
	count = count_up(r, FAMILY_API, client, window, due);
	pthread_mutex_lock(&r->lock);
	if (memcmp(&c->address, client, sizeof(*client)) == 0 && c->window == window)
		c->counted = count < 0 ? 0 : count;
	pthread_mutex_unlock(&r->lock);
	return count;
}

static int check(
	struct rate *r, enum family family, struct request *rq, struct reply *reply, struct fail *f)
{
	int64_t limit = r->limit[family], now_s = clock_real_ms() / 1000, count;
	bool free_here = family == FAMILY_API || family == FAMILY_PROGRAM;
	struct cidr_address client;
	int found = limit ? find_client(r, rq, &client, f) : 0;

	if (found <= 0)
		return found;
	if (free_here && is_here(&client))
		return 0;
	count = family == FAMILY_API ? count_step(r, &client, now_s / WINDOW_S)
				     : count_up(r, family, &client, now_s / WINDOW_S, 1);
	if (count < 0 || (family == FAMILY_API && count <= limit))
		return 0;
	reply->rate_limit = limit;
	reply->rate_remaining = count < limit ? limit - count : 0;
	reply->rate_reset_s = WINDOW_S - now_s % WINDOW_S;
	if (count <= limit)
		return 0;
	reply->retry_after_s = (int)reply->rate_reset_s;
	return fail_set(f, FAIL_LIMITED, "You asked too often: at most %lld times a minute",
		(long long)limit);
}

int rate_check(struct rate *r, const struct route *route, struct request *rq, struct reply *reply,
	struct fail *f)
{
	return check(r, family_of(route), rq, reply, f);
}

/* Whether somebody was let ask for it in the last minute: that it is found costs nothing more. */
static bool is_asked(struct rate *r, const char *key)
{
	struct buf value;
	bool found;

	buf_init(&value, 8);
	found = mc_get(r->mc, "rate", key, &value, NULL) == MC_OK;
	buf_release(&value);
	return found;
}

int rate_program(
	struct rate *r, const char *what, struct request *rq, struct reply *reply, struct fail *f)
{
	char key[PROGRAM_KEY_BYTES];

	snprintf(key, sizeof(key), "%s of %s", names[FAMILY_PROGRAM], what);
	if (!r->limit[FAMILY_PROGRAM] || is_asked(r, key))
		return 0;
	if (check(r, FAMILY_PROGRAM, rq, reply, f) == 0) {
		mc_set(r->mc, "rate", key, span_of("1"), WINDOW_S);
		return 0;
	}
	if (!is_asked(r, key)) /* meanwhile, by one of many who ask at once */
		return -1;
	*f = (struct fail){0};
	reply->rate_limit = reply->retry_after_s = 0;
	return 0;
}
