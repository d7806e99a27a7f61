/* lib/svc/token.c - a channel's resolved live URL: who asks the gateway, and what it said.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lease.h"
#include "lib/io/mc.h"
#include "lib/svc/breaker.h"
#include "lib/svc/live.h"
#include "lib/svc/token_resolve.h"

enum {
	RECORD_MAX = TOKEN_URL_BYTES + TOKEN_AGENT_BYTES + TOKEN_REFERRER_BYTES + 1024,
	OTHERS_MS = 5000, /* how long another host may take to tell what it was told */
};

/* --- the record ----------------------------------------------------------------------------- */

void token_print(const struct token *t, struct buf *to)
{
	buf_printf(to, "token 3\n%lld %lld %lld %d %d\n%s\n%s\n%s\n%s\n%s\n",
		(long long)t->resolved_ms, (long long)t->before_ms, (long long)t->expires_ms,
		(int)t->why.kind, t->direct, t->url, t->origin, t->agent, t->referrer, t->why.text);
}

static bool next_number(struct span *line, int64_t max, int64_t *out)
{
	struct span word;

	return span_next(line, ' ', &word) && num_parse(word, 0, max, out);
}

static bool next_text(struct span *text, char *to, size_t size)
{
	struct span line;

	return span_next(text, '\n', &line) && span_copy(line, to, size);
}

bool token_parse(struct span text, struct token *out)
{
	struct span line, url;
	struct token t = {0};
	int64_t kind, direct;

	if (!span_next(&text, '\n', &line) || !span_is(line, "token 3") ||
		!span_next(&text, '\n', &line) || !next_number(&line, INT64_MAX, &t.resolved_ms) ||
		!next_number(&line, INT64_MAX, &t.before_ms) ||
		!next_number(&line, INT64_MAX, &t.expires_ms) ||
		!next_number(&line, FAIL_INTERNAL, &kind) || !next_number(&line, 1, &direct) ||
		line.ptr)
		return false;
	if (!span_next(&text, '\n', &url) || !span_copy(url, t.url, sizeof(t.url)) ||
		!next_text(&text, t.origin, sizeof(t.origin)) ||
		!next_text(&text, t.agent, sizeof(t.agent)) ||
		!next_text(&text, t.referrer, sizeof(t.referrer)) ||
		!next_text(&text, t.why.text, sizeof(t.why.text)) || text.len)
		return false;
	t.why.kind = (enum fail_kind)kind;
	t.direct = direct != 0;
	if ((url.len == 0) == (kind == FAIL_NONE))
		return false;
	*out = t;
	return true;
}

static enum token_state state_of(const struct token *t)
{
	int64_t now_ms = clock_real_ms();

	/* One from the future was written before the clock went back. */
	if (t->expires_ms <= now_ms || t->resolved_ms > now_ms + 1000)
		return TOKEN_NONE;
	return t->why.kind ? TOKEN_REFUSED : TOKEN_GOOD;
}

enum token_state token_look(const struct conf *conf, struct mc *mc, const char *id, struct token *t)
{
	enum token_state state = TOKEN_NONE;
	char path[LIVE_PATH_BYTES];
	struct buf text;

	live_path(conf, id, "token", path);
	buf_init(&text, RECORD_MAX);
	if (file_read(path, &text, NULL) == 0 && token_parse(buf_span(&text), t))
		state = state_of(t);
	buf_clear(&text);
	if (state == TOKEN_NONE && mc && mc_get(mc, "tok", id, &text, NULL) == MC_OK &&
		token_parse(buf_span(&text), t))
		state = state_of(t);
	buf_release(&text);
	return state;
}

bool token_refresh_due(const struct token *t, int64_t now_ms)
{
	return now_ms - t->resolved_ms >= TOKEN_REFRESH_MS;
}

bool token_replace_due(const struct token *t, int64_t now_ms)
{
	return token_refresh_due(t, now_ms) ||
	       (now_ms - t->resolved_ms >= TOKEN_REPLACE_MS &&
		       t->resolved_ms - t->before_ms >= TOKEN_CALM_MS);
}

int64_t token_refusal_ms(const struct token *before, int64_t now_ms)
{
	int64_t last_ms = before->expires_ms - before->resolved_ms;

	if (!before->why.kind || last_ms < TOKEN_NEGATIVE_MS ||
		now_ms - before->expires_ms > TOKEN_NEGATIVE_MAX_MS)
		return TOKEN_NEGATIVE_MS;
	return last_ms < TOKEN_NEGATIVE_MAX_MS / 2 ? last_ms * 2 : TOKEN_NEGATIVE_MAX_MS;
}

/* --- one at a time -------------------------------------------------------------------------- */

static int store(const struct conf *conf, struct mc *mc, const char *id, const struct token *t)
{
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};
	struct buf text;
	int result;

	buf_init(&text, RECORD_MAX);
	token_print(t, &text);
	live_path(conf, id, "token", path);
	result = file_renew(path, buf_span(&text), 0600, &f);
	if (result < 0)
		log_warn("token_not_stored", LOG_STR("channel", id), LOG_STR("why", f.text));
	mc_set(mc, "tok", id, buf_span(&text), (t->expires_ms - clock_real_ms()) / 1000 + 1);
	buf_release(&text);
	return result;
}

/* Whether what it leads to has failed since. */
static bool has_failed(
	const struct conf *conf, struct mc *mc, const char *id, const struct token *t)
{
	struct breaker_key key = {conf, mc, id, t->origin};
	struct breaker b;

	breaker_look(&key, &b);
	return breaker_is_open(&b, clock_real_ms());
}

/* Whether there is an answer already that this request can share. */
static bool is_answered(
	const struct conf *conf, struct mc *mc, const char *id, bool refresh, struct token *t)
{
	enum token_state state = token_look(conf, mc, id, t);

	if (state == TOKEN_NONE)
		return false;
	if (!refresh || t->why.kind)
		return !refresh || !token_replace_due(t, clock_real_ms());
	return !token_replace_due(t, clock_real_ms()) && !has_failed(conf, mc, id, t);
}

static int lock_host(const struct conf *conf, const char *id)
{
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};
	int fd;

	live_path(conf, id, NULL, path);
	if (file_mkdirs(path, 0700, &f) < 0)
		return -1;
	live_path(conf, id, "token.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Another host asks just now: its answer will do. */
static bool wait_for_other(
	const struct conf *conf, struct mc *mc, const char *id, bool refresh, struct token *t)
{
	int64_t until_ms = clock_mono_ms() + OTHERS_MS;
	struct timespec pause = {0, 50000000};

	while (clock_mono_ms() < until_ms) {
		if (is_answered(conf, mc, id, refresh, t))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static int run_alone(
	const struct conf *conf, struct board *board, struct mc *mc, const char *id, bool refresh)
{
	char name[80], dir[LIVE_PATH_BYTES];
	struct lease_env env = {dir, mc, conf->host_name, board};
	struct lease *lease = NULL;
	struct token *t = calloc(1, sizeof(*t));
	struct fail f = {0};
	int result = 0;

	if (!t)
		return 1;
	file_path(dir, sizeof(dir), "%s/lease", conf->run_dir);
	file_path(name, sizeof(name), "tok:%s", id);
	if (is_answered(conf, mc, id, refresh, t)) {
		result = store(conf, mc, id, t); /* it may have come from memcached */
	} else {
		if (lease_take(&env, name, "", &lease, NULL, &f) != LEASE_TAKEN ||
			!wait_for_other(conf, mc, id, refresh, t)) {
			token_resolve(conf, &env, id, t);
			if (board)
				board_add(board, BOARD_TOKENS_ASKED, 1);
			log_info("resolved", LOG_STR("channel", id), LOG_STR("origin", t->origin),
				LOG_STR("said", t->why.kind ? t->why.text : "ok"),
				LOG_INT("ms", clock_real_ms() - t->resolved_ms));
		}
		result = store(conf, mc, id, t);
		lease_drop(&lease);
	}
	free(t);
	return result < 0;
}

int token_run(const struct conf *conf, struct board *board, const char *id, bool refresh)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct mc *mc = NULL;
	struct fail f = {0};
	int lock = lock_host(conf, id), result;

	if (lock < 0) {
		log_warn("token_not_locked", LOG_STR("channel", id));
		return 1;
	}
	mc_open(&mc, &config, &f); /* without it this host asks for itself */
	mc_report(mc, board);
	result = run_alone(conf, board, mc, id, refresh);
	mc_close(&mc);
	close(lock);
	return result;
}
